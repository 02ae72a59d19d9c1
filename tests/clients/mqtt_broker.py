"""A real MQTT broker, and one who listens to all that is published there."""

import asyncio
import contextlib
import json
import shutil
import subprocess
from contextlib import asynccontextmanager
from pathlib import Path

from aiomqtt import Client, MqttError

from tests.clients.conftest import program
from tests.end_to_end.needs import need
from tests.waiting import holds

_OWN = Path(__file__).parents[2] / ".venv/mosquitto/usr"
MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/bin") or shutil.which(
    "mosquitto", path=_OWN / "sbin"
)
_PASSWD = shutil.which("mosquitto_passwd", path=f"/usr/bin:{_OWN / 'bin'}")


@asynccontextmanager
async def broker(folder, port, password=None, certified=None, encrypted=None):
    """Run a broker; what is retained outlives it in `folder`. With a certificate also on the port `encrypted`."""
    need(MOSQUITTO and _PASSWD, "mosquitto; `make mqtt-broker` gets it")

    def written():
        lines = [
            f"listener {port} 127.0.0.1",
            "user root",
            "persistence true",
            f"persistence_location {folder}/",
        ]
        if password is None:
            lines.append("allow_anonymous true")
        else:
            users = folder / "users"
            users.touch()
            subprocess.run(
                [_PASSWD, "-b", users, "flashback", password], check=True, capture_output=True
            )
            lines += ["allow_anonymous false", f"password_file {users}"]
        if certified is not None:
            both = certified.both
            lines += [f"listener {encrypted} 127.0.0.1", f"certfile {both}", f"keyfile {both}"]
        file = folder / "mosquitto.conf"
        file.write_text("\n".join([*lines, ""]))
        return file

    async with program(MOSQUITTO, "-c", str(await asyncio.to_thread(written))) as running:
        yield running


class Heard:
    """All that is published, by topic; `until` waits for something."""

    def __init__(self):
        self.newest = {}
        self.all = []
        self._more = asyncio.Event()

    def take(self, topic, payload):
        self.newest[topic] = payload
        self.all.append((topic, payload))
        self._more.set()

    def json(self, topic):
        return json.loads(self.newest[topic])

    async def until(self, topic, payload=None):
        """Wait until the newest on `topic` is `payload`, or anything."""
        while topic not in self.newest or payload not in {None, self.newest[topic]}:
            self._more.clear()
            await self._more.wait()
        return self.newest[topic]


@asynccontextmanager
async def listener(port, user=None, password=None):
    """Listen to everything."""
    client = None

    async def let_in():
        """The broker may still be starting."""
        nonlocal client
        client = Client("127.0.0.1", port, username=user, password=password)
        try:
            await client.__aenter__()
        except MqttError as error:
            if "refused" not in str(error):
                raise
            return False
        return True

    await holds(let_in)
    heard = Heard()

    async def listen():
        async for message in client.messages:
            heard.take(message.topic.value, message.payload.decode())

    listening = asyncio.create_task(listen())
    try:
        await client.subscribe("#", qos=1)
        yield heard
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        with contextlib.suppress(MqttError):  # the broker may be gone
            await client.__aexit__(None, None, None)


class Cable:
    """Carries what is sent to a port, until it is cut.

    Attributes:
        port: Its near end.
    """

    def __init__(self, port):
        self.port = port
        self._ends = set()

    @asynccontextmanager
    async def to(self, port):
        """Lead to the broker at `port`."""

        async def carry(reader, writer):
            there, back = await asyncio.open_connection("127.0.0.1", port)
            self._ends |= {writer, back}
            await asyncio.gather(_pass_on(reader, back), _pass_on(there, writer))

        async with await asyncio.start_server(carry, "127.0.0.1", self.port):
            try:
                yield
            finally:
                await self.cut()

    async def cut(self):
        """Break every connection, without a word to either end."""
        ends, self._ends = self._ends, set()
        for end in ends:
            end.transport.abort()
        for end in ends:
            with contextlib.suppress(OSError):
                await end.wait_closed()


async def _pass_on(reader, writer):
    with contextlib.suppress(OSError):
        while some := await reader.read(65536):
            writer.write(some)
            await writer.drain()
