"""A Redis server of our own, for those who run none: started, watched, restarted and stopped here.

It listens on a unix socket in a private directory and on no port; it appends every write to a
file there; and it dies with this process, however this process dies (see `memory.embedded.child`).
If it ends by itself it is started again with what it had.

What survives: a clip whose `append` has returned is normally safe from the death of either
process, and from a power cut about a second later (two under a slow disk, and then a killed Redis
may lose as much).
"""

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import quote

from redis.asyncio import Redis
from redis.exceptions import BusyLoadingError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from memory.embedded import child
from memory.embedded.binary import RedisBinary, find_server
from memory.embedded.directory import (
    can_be_reached,
    check_format,
    command_line,
    last_lines,
    open_log,
    remove_unfinished,
)
from memory.embedded.lock import DirectoryLock
from memory.embedded.reserve import Reserve
from memory.embedded.socket_directory import SocketDirectory, remove_leftovers
from memory.errors import StoreUnavailable
from memory.redis.disk import MakeRoom, no_reserve
from memory.servers.cancelling import cancellation_kept, close
from memory.servers.reasons import root

log = logging.getLogger(__name__)

_STOP_PATIENCE, _START_PATIENCE, _LONGEST_PAUSE = 10.0, 60.0, 10.0  # seconds
_REFILL = 60.0
"""Seconds between two attempts to take up again what a deletion was given of the reserve."""


@dataclass(frozen=True, slots=True)
class RedisServer:
    """A running Redis.

    Attributes:
        url: Where it is.
        make_room: Finds room on its disk for a deletion.
    """

    url: str
    make_room: MakeRoom


@asynccontextmanager
async def open_redis(
    url: str, directory: Path, *, megabytes: int = 1024
) -> AsyncIterator[RedisServer]:
    """Yield the Redis to use: that at `url`, or an embedded one in `directory` if it is empty.

    Raises:
        StoreUnavailable: If there is neither a URL nor a server program, the embedded server does not
            start, or `directory` belongs to another user or is used by another service.
    """
    if url:
        yield RedisServer(url, no_reserve)
        return
    async with await EmbeddedRedis.start(directory, megabytes=megabytes) as embedded:
        yield RedisServer(embedded.url, embedded.make_room)


class EmbeddedRedis:
    """A running Redis server that belongs to this process. Make it with `start`.

    Use it as an async context manager, or call `stop`.
    """

    def __init__(
        self,
        directory: Path,
        socket: Path,
        elsewhere: SocketDirectory | None,
        lock: DirectoryLock,
        command: list[str],
    ) -> None:
        self._directory = directory
        self._lock = lock
        self._socket = socket
        self._elsewhere = elsewhere
        self._command = command
        self._reserve = Reserve(directory)
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._refilling: asyncio.Task[None] | None = None

    @classmethod
    async def start(
        cls,
        directory: Path,
        *,
        megabytes: int = 1024,
        server: RedisBinary | None = None,
    ) -> Self:
        """Start a server that keeps its data in `directory`, and wait until it answers.

        Args:
            directory: Made if it is not there; from then on readable by this user alone.
            megabytes: The most it may hold; beyond that a clip is refused, never another lost.
            server: The program to run; by default the one that `find_server` finds.

        Raises:
            StoreUnavailable: If there is no server program, it does not start, or `directory` belongs to
                another user or is used by another service.
        """
        program = await asyncio.to_thread(find_server) if server is None else server
        directory = await asyncio.to_thread(directory.absolute)
        lock = await DirectoryLock.take(directory)
        log.info("embedded Redis: %s in %s, found by %s", program.path, directory, program.origin)
        socket, elsewhere = directory / "redis.sock", None
        try:
            await asyncio.to_thread(check_format, directory, program)
            await asyncio.to_thread(remove_leftovers)
            if not can_be_reached(socket):
                elsewhere = await asyncio.to_thread(SocketDirectory.make)
                socket = elsewhere.socket
            command = command_line(program, directory, socket, megabytes)
            embedded = cls(directory, socket, elsewhere, lock, command)
            await asyncio.to_thread(embedded._reserve.fill)
            await embedded._launch()
        except BaseException:
            await asyncio.to_thread(_remove, socket, elsewhere)
            lock.release()
            raise
        embedded._keeper = asyncio.create_task(embedded._keep_running(), name="embedded redis")
        return embedded

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"unix://{quote(str(self._socket))}"

    @property
    def pid(self) -> int:
        """The server's process id; another one after a restart."""
        assert self._process is not None
        return self._process.pid

    async def make_room(self) -> bool:
        """Give up a piece of what is kept free on the disk for deletions; return whether there was one."""
        given = await asyncio.to_thread(self._reserve.give_up_piece)
        if given and (self._refilling is None or self._refilling.done()):
            self._refilling = asyncio.create_task(self._refill(), name="embedded redis: reserve")
        return given

    async def stop(self) -> None:
        """End the server in good order and let the directory go. Call once."""
        assert self._keeper is not None
        tasks = [task for task in (self._keeper, self._refilling) if task is not None]
        for task in tasks:
            task.cancel()
        try:
            await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            await self._end()
            await asyncio.to_thread(_remove, self._socket, self._elsewhere)
            self._lock.release()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _launch(self) -> None:
        if not await asyncio.to_thread(self._directory.is_dir):
            raise StoreUnavailable(
                f"the data directory {self._directory} was removed, and all that was remembered "
                "with it: start Flashback again"
            )
        await asyncio.to_thread(remove_unfinished, self._directory)
        output = await asyncio.to_thread(open_log, self._directory)
        # The kernel's way where it exists, else a pipe that closes with us.
        linux = sys.platform == "linux"
        parent = str(os.getpid()) if linux else "watch"
        try:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", child.__file__, parent, *self._command),
                stdin=asyncio.subprocess.DEVNULL if linux else asyncio.subprocess.PIPE,
                stdout=output,
                stderr=output,
                pass_fds=(self._lock.descriptor,),
                umask=0o077,
                start_new_session=True,  # Ctrl-C is for us: we still have things to write
            )
        finally:
            os.close(output)
        try:
            await self._answered()
        except BaseException:
            await self._end()
            raise

    async def _answered(self) -> None:
        """Wait until the server answers; however long, while it is reading its data.

        Raises:
            StoreUnavailable: If it ends instead, or stays silent.
        """
        client = Redis.from_url(self.url, retry=None, driver_info=None, socket_timeout=1)
        try:
            await self._answers(client)
        finally:
            await close(client)

    async def _answers(self, client: Redis) -> None:
        clock = asyncio.get_running_loop().time
        deadline = clock() + _START_PATIENCE
        while True:
            try:
                with cancellation_kept():
                    await client.ping()
            # Not listening yet, reading its data, or too busy to say either.
            except (RedisConnectionError, RedisTimeoutError) as error:
                if isinstance(root(error), BusyLoadingError):
                    deadline = clock() + _START_PATIENCE
            else:
                return
            if self._process is None or self._process.returncode is not None:
                raise StoreUnavailable(await self._last_words("the embedded Redis did not start"))
            if clock() > deadline:
                raise StoreUnavailable(await self._last_words("the embedded Redis does not answer"))
            await asyncio.sleep(0.02)

    async def _keep_running(self) -> None:
        """Start the server again whenever it ends by itself, after ever longer pauses."""
        pause, told = 0.1, ""
        while True:
            assert self._process is not None
            await self._process.wait()
            if not told:
                ended = "the embedded Redis ended; it is started again"
                log.error("%s", await self._last_words(ended))
            await asyncio.sleep(pause)
            try:
                await self._launch()
                pause, told = 0.1, ""
            except (StoreUnavailable, OSError) as error:
                if str(error) != told:
                    log.error("%s", error)  # noqa: TRY400 - a sentence, the stack says nothing more
                told = str(error)
                pause = min(2 * pause, _LONGEST_PAUSE)

    async def _refill(self) -> None:
        """Take up again what was given up, once there is room for it."""
        filled = False
        while not filled:
            await asyncio.sleep(_REFILL)
            filled = await asyncio.to_thread(self._reserve.fill)

    async def _end(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(_STOP_PATIENCE):
                await process.wait()
        except TimeoutError:
            log.warning("the embedded Redis did not end in %s s and was killed", _STOP_PATIENCE)
            process.kill()
            await process.wait()

    async def _last_words(self, what: str) -> str:
        path = self._directory / "redis.log"
        text = await asyncio.to_thread(last_lines, path)
        return f"{what}. The last lines of {path}:\n{text}"


def _remove(socket: Path, elsewhere: SocketDirectory | None) -> None:
    if elsewhere is None:
        socket.unlink(missing_ok=True)
    else:
        elsewhere.remove()
