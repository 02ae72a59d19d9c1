"""One reader process of a pulled source, seen from the service: started, listened to, killed.

What it may know of this process is decided here: the order on its standard input, and of the
environment only what a program needs to run.
"""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from pathlib import Path

from stream.address.dns import Resolver
from stream.address.reachable import Network, pin, read_networks, resolve
from stream.address.source_url import SourceUrl
from stream.frames.frame import Picture
from stream.pull.errors import name_of, silent
from stream.pull.finishing import wait_all
from stream.pull.frame_ring import PictureRing
from stream.pull.messages import (
    FrameReady,
    ReaderConfig,
    Report,
    SourceEnded,
    Transport,
    report_from_line,
)

# What a reader needs of the environment; the service's own secrets are not among it.
_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "TZ")
_WORKER = f"{__package__}.worker"  # a wheel has it below `flashback`
_RATE_CHANGE = 0.05
_LONGEST_LINE = 64 * 1024
_EVERYWHERE = read_networks(["0.0.0.0/0", "::/0"])


@dataclass(frozen=True, slots=True)
class PullSettings:
    """How sources are pulled.

    Attributes:
        allowed: Private networks that callers' sources may be in.
        own: Addresses that lead to this machine, beside those that it has.
        certificates: A PEM file of certificates to trust beside the system's.
        transport: Of RTSP, for sources the operator named; those of callers come over TCP.
        open_within: Seconds until the first answer.
        silence: Seconds without a picture after which the reader is killed.
        first_retry: Seconds before the second try.
        longest_retry: Most seconds between two tries.
        resolver: Finds the addresses of names.
    """

    allowed: tuple[Network, ...] = ()
    own: tuple[str, ...] = ()
    certificates: Path | None = None
    transport: Transport = "tcp"
    open_within: float = 10.0
    silence: float = 20.0
    first_retry: float = 1.0
    longest_retry: float = 30.0
    resolver: Resolver = resolve


class Reader:
    """One reader process, from its start to its certain end."""

    def __init__(self, order: ReaderConfig) -> None:
        """Get ready for `order`.

        Raises:
            OSError: If this machine has no memory or no file descriptor left.
        """
        self._ring = PictureRing.make(order.side)
        self._order = replace(order, memory=self._ring.descriptor)
        self._rates = order.rate, order.sample_rate
        self._process: asyncio.subprocess.Process | None = None

    async def reports(self, silence: float) -> AsyncGenerator[Report, None]:
        """Start the process and yield what it reports.

        The last is a `SourceEnded`, unless the process dies: then the reports just end. Silence for
        longer than `silence` seconds is a `SourceEnded`, too, and so is what is no report.

        Raises:
            OSError: If this machine can start no process.
        """
        process = await self._start()
        assert process.stdout is not None
        # Opening has a limit of its own inside; what hangs all the same is ended here.
        timeout = self._order.open_within + silence
        while True:
            try:
                async with asyncio.timeout(timeout):
                    line = await process.stdout.readline()
                if not line:
                    return
                report = report_from_line(line)
            except TimeoutError:
                yield SourceEnded(silent(timeout))
                return
            except ValueError:  # of `readline`, too: the line has no end
                yield SourceEnded("The reader of this source failed: it talks nonsense.")
                return
            if isinstance(report, FrameReady):
                timeout = silence
            yield report

    def set_rates(self, rate: float, sample_rate: float) -> None:
        """Tell the process how many pictures per second are wanted now, and by memory."""
        pairs = zip((rate, sample_rate), self._rates, strict=True)
        changed = any(abs(now - before) > _RATE_CHANGE * before for now, before in pairs)
        if changed and self._process is not None:
            self._rates = rate, sample_rate
            assert self._process.stdin is not None
            self._process.stdin.write(f"{rate} {sample_rate}\n".encode())

    def picture(self, shown: FrameReady) -> Picture | None:
        """Return the picture of `shown`; None if a newer one has taken its place."""
        return self._ring.read(shown.number, shown.height, shown.width)

    async def close(self) -> None:
        """Kill the process and let go of the memory, even if this is cancelled meanwhile."""
        self._ring.close()
        if self._process is not None:
            await wait_all([asyncio.create_task(_end(self._process))])

    async def _start(self) -> asyncio.subprocess.Process:
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        environment["PYTHONPATH"] = os.pathsep.join(sys.path)
        environment["OMP_NUM_THREADS"] = "1"
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            _WORKER,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            pass_fds=[self._ring.descriptor],
            env=environment,
            limit=_LONGEST_LINE,
        )
        assert self._process.stdin is not None
        self._process.stdin.write(self._order.to_line())
        return self._process


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    while await process.stdout.read(_LONGEST_LINE):
        pass  # the pipe is let go of only once it is empty
    await process.wait()


def no_reader(error: OSError) -> str:
    """Return what to tell people if no reader process can be started."""
    return (
        "This machine can start no reader for the source: it is out of memory, processes or files "
        f"({name_of(error)})."
    )


async def make_order(source: SourceUrl, settings: PullSettings, *, trusted: bool) -> ReaderConfig:
    """Resolve and check the address of `source`, and return the order to read it.

    Raises:
        BadSource: If its name is not known or it may not be reached.
    """
    allowed = _EVERYWHERE if trusted else settings.allowed
    address = (
        ""
        if source.is_local
        else await pin(
            source, allowed, settings.resolver, own=settings.own, within=settings.open_within
        )
    )
    return ReaderConfig(
        scheme=source.scheme,
        host=source.host,
        port=source.port,
        path=source.path,
        username=source.username,
        password=source.password,
        address=address,
        memory=-1,
        allowed=tuple(str(network) for network in allowed),
        own=settings.own,
        certificates=None if settings.certificates is None else str(settings.certificates),
        trusted=trusted,
        transport=settings.transport,
        open_within=settings.open_within,
        silence=settings.silence,
    )
