"""What watches see, on a real MQTT broker, as Home Assistant reads it."""

import asyncio
import logging
import ssl
from contextlib import asynccontextmanager

import pytest

aiomqtt = pytest.importorskip("aiomqtt")  # the extra `mqtt` brings it

from stream.backoff import Backoff  # noqa: E402
from tests.clients.mqtt_broker import Cable, broker, listener  # noqa: E402
from tests.ports import reserved_port  # noqa: E402
from tests.stream.certificates import Certified  # noqa: E402
from tests.stream.watches.test_watcher import a_watch, working  # noqa: E402
from tests.waiting import holds  # noqa: E402
from web.errors import BadValue  # noqa: E402
from web.mqtt.messages import Topics  # noqa: E402
from web.mqtt.publisher import Broker, Publisher  # noqa: E402
from web.settings import Settings  # noqa: E402

pytestmark = [pytest.mark.programs, pytest.mark.loopback]

CONFIG = "homeassistant/binary_sensor/flashback/w/config"
AVAILABLE = "flashback/availability"
STATE, EVENT = "flashback/watches/w/state", "flashback/watches/w/event"


@asynccontextmanager
async def publishing(work, port, **options):
    """Tell the broker at `port` what the watches of `work` see."""
    to = Broker("127.0.0.1", port, **options)
    topics = Topics("flashback", "homeassistant")
    waits = Backoff(0.05, 0.1)
    task = asyncio.create_task(Publisher(to, topics, work.watcher, "/at", waits).run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def port():
    with reserved_port() as port:
        yield port


@pytest.fixture
def other_port():
    with reserved_port() as port:
        yield port


async def test_home_assistant_finds_a_sensor_for_each_watch_and_what_it_saw(tmp_path, port):
    async with broker(tmp_path, port), listener(port) as heard, working() as work:
        await work.watcher.save(a_watch(refractory_s=0))
        async with publishing(work, port):
            await heard.until(AVAILABLE, "online")
            sensor = heard.json(CONFIG)
            assert (sensor["name"], sensor["unique_id"]) == ("a dog?", "flashback_w")
            assert (sensor["state_topic"], sensor["availability_topic"]) == (STATE, AVAILABLE)
            assert (sensor["payload_on"], sensor["payload_off"]) == ("ON", "OFF")
            assert sensor["device"]["identifiers"] == ["flashback"]
            assert heard.newest[STATE] == "OFF"
            await work.show(0, 1, 1)
            await heard.until(STATE, "ON")
            alert = heard.json(EVENT)
            assert (alert["stream"], alert["open"], alert["verdict"]) == (
                "yard",
                True,
                "unverified",
            )
            assert heard.json("flashback/events") == alert
            await work.show(0, 0, 0, 0)
            await heard.until(STATE, "OFF")
            assert heard.json(EVENT) == alert | {"open": False, "end": heard.json(EVENT)["end"]}
            await work.watcher.save(a_watch(paused=True))
            await work.watcher.remove("w")
            for topic in (CONFIG, STATE, EVENT):
                await heard.until(topic, "")
        await heard.until(AVAILABLE, "offline")


async def test_after_an_outage_of_the_broker_everything_is_told_anew(tmp_path, port, caplog):
    async with working() as work:
        await work.watcher.save(a_watch())
        async with publishing(work, port):
            async with broker(tmp_path, port), listener(port) as heard:
                await heard.until(AVAILABLE, "online")
            await work.show(1, 1)  # seen while nobody could be told
            async with broker(tmp_path, port), listener(port) as heard:
                await heard.until(STATE, "ON")
                await heard.until(EVENT)
                assert heard.json(EVENT)["open"]
    assert "MQTT: 127.0.0.1" in caplog.text


async def test_a_watch_that_was_removed_while_we_were_away_has_no_sensor(tmp_path, port):
    async with broker(tmp_path, port), listener(port) as heard:
        async with working() as work:
            await work.watcher.save(a_watch())
            async with publishing(work, port):
                await heard.until(CONFIG)
        async with working() as again, publishing(again, port):
            await heard.until(CONFIG, "")
            await heard.until(STATE, "")


async def test_what_goes_on_over_a_restart_is_on_still(tmp_path, port):
    async with broker(tmp_path, port), listener(port) as heard:
        async with working() as work:
            await work.watcher.save(a_watch())
            await work.show(1, 1)
        async with working(work.documents) as again, publishing(again, port):
            await heard.until(AVAILABLE, "online")
            assert heard.newest[STATE] == "ON"


async def test_a_password_comes_from_a_file_and_is_said_to_nobody(tmp_path, port, caplog):
    caplog.set_level(logging.DEBUG)
    file = tmp_path / "secret"
    who = {"user": "flashback", "password_file": file}
    async with broker(tmp_path, port, password="s3cret-word") as running, working() as work:
        async with publishing(work, port, **who):
            await holds(lambda: "cannot be read" in caplog.text)
            await asyncio.to_thread(file.write_text, "wrong\n")
            await holds(lambda: "uthori" in caplog.text)
            await asyncio.to_thread(file.write_text, "s3cret-word\n")
            async with listener(port, "flashback", "s3cret-word") as heard:
                await heard.until(AVAILABLE, "online")
        assert running.returncode is None
    assert "s3cret" not in caplog.text


async def test_the_broker_says_offline_when_the_connection_breaks_without_a_word(
    tmp_path, port, other_port
):
    cable = Cable(other_port)
    async with broker(tmp_path, port), listener(port) as heard, working() as work:
        await work.watcher.save(a_watch())
        async with publishing(work, cable.port):
            async with cable.to(port):
                await heard.until(AVAILABLE, "online")
                await cable.cut()
                await heard.until(AVAILABLE, "offline")
            heard.newest.pop(AVAILABLE, None)
            async with cable.to(port):
                await heard.until(AVAILABLE, "online")
        await heard.until(AVAILABLE, "offline")


async def test_an_encrypted_broker_is_told_once_its_certificate_is_believed(
    tmp_path, port, other_port, caplog
):
    authority = await asyncio.to_thread(Certified, tmp_path, "authority")
    ours = await asyncio.to_thread(Certified, tmp_path, "broker", signed_by=authority)
    stranger = await asyncio.to_thread(Certified, tmp_path, "stranger")
    file = tmp_path / "believed.pem"
    secured = {"tls": True, "certificates": file}
    async with (
        broker(tmp_path, port, certified=ours, encrypted=other_port),
        listener(port) as heard,
        working() as work,
    ):
        await work.watcher.save(a_watch())
        async with publishing(work, other_port, **secured):
            await holds(lambda: "cannot be read" in caplog.text)
            assert AVAILABLE not in heard.newest
            await asyncio.to_thread(file.write_bytes, authority.certificate.read_bytes())
            await heard.until(AVAILABLE, "online")
            await work.show(1, 1)
            await heard.until(STATE, "ON")
        strangers = Broker("127.0.0.1", other_port, tls=True, certificates=stranger.certificate)
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.open_connection("127.0.0.1", other_port, ssl=strangers.context())
    assert Broker("127.0.0.1", port).context() is None


def test_an_address_that_cannot_be_used_is_refused_without_repeating_it():
    for url, said in [
        ("mqtt://me:s3cret@host", "FLASHBACK_MQTT_PASSWORD_FILE"),
        ("http://host", "mqtt://HOST"),
        ("mqtt://me:s3cret", "mqtt://HOST"),
        ("mqtt://", "mqtt://HOST"),
        ("mqtt://host/path", "mqtt://HOST"),
    ]:
        with pytest.raises(BadValue, match=said) as refused:
            Settings.from_env({"FLASHBACK_MQTT_URL": url})
        assert "s3cret" not in str(refused.value)
    with pytest.raises(BadValue):
        Settings.from_env({"FLASHBACK_MQTT_TOPIC": "a/#"})
