"""A real service in a process of its own, for benchmarks to drive and to weigh."""

import asyncio
import os
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

from memory.embedded import child

_BEFORE_NAMES = __name__.removesuffix("benchmarks.harness.service")  # "flashback." in a wheel

START_PATIENCE = 180.0  # seconds; loading a large model takes most of it
_POLL = 0.1


class CannotMeasure(RuntimeError):
    """What is to be measured, or what that needs, did not start; the message says why."""


class Service:
    """A running service as the outside sees it.

    Attributes:
        address: Its base URL.
    """

    def __init__(self, address: str, process: asyncio.subprocess.Process) -> None:
        self.address = address
        self._process = psutil.Process(process.pid)
        self._client = httpx.AsyncClient(base_url=address, timeout=60)

    async def get(self, path: str) -> Any:  # noqa: ANN401 - JSON
        """Return the JSON at `path`."""
        response = await self._client.get(path)
        response.raise_for_status()
        return response.json()

    async def answers(self, path: str) -> bool:
        """Say whether `path` answers with success now."""
        try:
            return (await self._client.get(path)).is_success
        except httpx.TransportError:
            return False

    def cpu_seconds(self) -> float:
        """Return the processor time used so far, by the service and all it started."""
        times = [process.cpu_times() for process in self._all()]
        return float(sum(each.user + each.system for each in times))

    def memory_mib(self) -> float:
        """Return the memory held now, by the service and all it started."""
        return float(sum(process.memory_info().rss for process in self._all()) / 2**20)

    def own_memory_mib(self) -> float:
        """Return the memory held now by the service's own process."""
        return float(self._process.memory_info().rss / 2**20)

    def memory_of(self, *names: str) -> tuple[float, float]:
        """Return the memory held now, in MiB: by processes with one of `names` in theirs, by others."""
        held = [0.0, 0.0]
        for process in self._all():
            other = not any(name in process.name() for name in names)
            held[other] += process.memory_info().rss / 2**20
        return held[0], held[1]

    def kill(self) -> None:
        """Kill it without a warning; what it started ends with it."""
        self._process.kill()

    def peak_memory_mib(self) -> float:
        """Return the most memory each of them ever held, summed."""
        return sum(_high_water(process.pid) for process in self._all()) / 1024

    def children(self, name: str) -> list[psutil.Process]:
        """Return the processes called `name` among those that it started."""
        return [each for each in self._process.children(recursive=True) if each.name() == name]

    def open_files(self) -> int:
        """Return how many files and sockets the service itself holds open."""
        return int(self._process.num_fds())

    async def close(self) -> None:
        """Close the connections to it."""
        await self._client.aclose()

    def _all(self) -> list[psutil.Process]:
        return [self._process, *self._process.children(recursive=True)]


@asynccontextmanager
async def running(
    module: str,
    arguments: Sequence[str] = (),
    *,
    settings: Mapping[str, str] | None = None,
    ready: str = "/ready",
) -> AsyncIterator[Service]:
    """Run `python -m MODULE ARGUMENTS… --port PORT` and stop it in the end.

    Args:
        module: What to run.
        arguments: Its command line, without the port.
        settings: `FLASHBACK_` variables without the prefix; data goes to a folder of its own.
        ready: The path that answers with success once it is ready.

    Raises:
        CannotMeasure: If it ends instead, or is not ready in time.
    """
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="flashback-bench-") as folder:
        log = Path(folder) / "output"
        variables = {"DATA": f"{folder}/data", **(settings or {})}
        environment = os.environ | {f"FLASHBACK_{k}": v for k, v in variables.items()}
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *dies_with_parent(sys.executable, "-m", _BEFORE_NAMES + module, *arguments),
                *("--port", str(port)),
                env=environment,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C is for us: `stop` passes it on
            )
        service = Service(f"http://127.0.0.1:{port}", process)
        try:
            await _ready(service, process, ready, log)
            yield service
        finally:
            await service.close()
            await stop(process)


def serving(model: str, **settings: str) -> Any:  # noqa: ANN401 - an async context manager
    """Run `flashback serve` with `model`; see `running`."""
    return running("web.cli", ["serve", "--model", model], settings=settings)


def dies_with_parent(*command: str) -> list[str]:
    """Return `command` so that it ends when this process does, also where that is killed."""
    if sys.platform != "linux":
        return list(command)
    return [sys.executable, "-I", child.__file__, str(os.getpid()), *command]


async def stop(process: asyncio.subprocess.Process) -> None:
    """End a process as Ctrl-C would; kill it if it does not."""
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        async with asyncio.timeout(15):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def free_port() -> int:
    """Return a TCP port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def _ready(
    service: Service, process: asyncio.subprocess.Process, path: str, log: Path
) -> None:
    deadline = asyncio.get_running_loop().time() + START_PATIENCE
    while not await service.answers(path):
        if process.returncode is not None or asyncio.get_running_loop().time() > deadline:
            said = await asyncio.to_thread(log.read_text, errors="replace")
            raise CannotMeasure(f"the service did not start:\n{said[-2000:]}")
        await asyncio.sleep(_POLL)


def _high_water(pid: int) -> int:
    """Return a process's peak resident memory in KiB, from proc(5)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return 0
