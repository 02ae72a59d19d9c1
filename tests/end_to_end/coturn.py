"""coturn, a real TURN server, for the tests; https://github.com/coturn/coturn."""

import asyncio
import shutil
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.stream.certificates import Certified

# `make turn-server` puts it there, where no `turnserver` is installed.
UNPACKED = Path(sys.prefix) / "coturn" / "usr" / "bin" / "turnserver"
TURNSERVER = shutil.which("turnserver") or (str(UNPACKED) if UNPACKED.exists() else None)

needs_coturn = pytest.mark.usefixtures("turn_server")


class Coturn:
    """A running server.

    Attributes:
        said: All that it has printed so far.
    """

    def __init__(self, process):
        self.said = ""
        self._process = process
        self._more = asyncio.Condition()
        self._reading = asyncio.create_task(self._read())

    async def says(self, text):
        """Wait until it has printed `text`."""
        async with asyncio.timeout(60), self._more:
            await self._more.wait_for(lambda: text in self.said or self._reading.done())
        assert text in self.said

    async def kill(self):
        self._process.kill()
        await self._reading
        await self._process.wait()

    async def _read(self):
        while some := await self._process.stdout.read(4096):
            async with self._more:
                self.said += some.decode(errors="replace")
                self._more.notify_all()


@asynccontextmanager
async def coturn(machine, address, secret, folder):
    """Run a TURN server with time-limited credentials on `machine` until the end of the block.

    Over TLS it shows the certificate that stands in `folder` as `turn.pem`.
    """
    certified = Certified(folder, "turn", address=address)
    process = await asyncio.create_subprocess_exec(
        *machine.inside,
        *("setpriv", "--pdeathsig", "KILL"),
        TURNSERVER,
        *("-n", "--verbose", "--no-cli", "--no-dtls", "--realm=flashback.test"),
        *(f"--listening-ip={address}", f"--relay-ip={address}", "--log-file=stdout"),
        *(f"--cert={certified.both}", f"--pkey={certified.both}"),
        *("--use-auth-secret", f"--static-auth-secret={secret}"),
        *(f"--userdb={folder}/turndb", f"--pidfile={folder}/turnserver.pid"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    server = Coturn(process)
    try:
        await server.says("Total General servers")
        yield server
    finally:
        await server.kill()
