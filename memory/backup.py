"""Backup and restore: all that is remembered, or some streams, to a file and back.

A page of clips is in memory at a time, however long a stream is. A stream may be fed meanwhile: what
it showed until its turn came is in the backup.
"""

import asyncio
import errno
import os
import stat
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from itertools import groupby, islice
from pathlib import Path
from re import Pattern
from typing import BinaryIO

from memory.archive import (
    ArchivedClip,
    ArchivedDocument,
    ArchiveWriter,
    Contents,
    Part,
    read_parts,
)
from memory.documents import DocumentStore
from memory.errors import CorruptData, PastChanged, StoreError
from memory.redis.raw import PAGE, RawStreams
from memory.redis.store import RedisStore
from memory.store import StreamRecord

_TRIES = 5
_NAMED = 20


async def backup(
    store: RedisStore,
    documents: DocumentStore,
    path: Path,
    streams: Sequence[str] = (),
    kinds: Mapping[str, int] | None = None,
) -> Contents:
    """Write streams, and documents with them, to a new file that its owner alone can read.

    Args:
        store: What was seen.
        documents: What people asked for once.
        path: The file; it is there once all of it is on the disk.
        streams: Their names; empty for all, and then documents too.
        kinds: Of documents, and how many of each there may be.

    Raises:
        StoreError: If there is a file of that name, no such stream, or one that never holds still.
        StoreUnavailable: If the store cannot be reached.
        OSError: If the file cannot be written.
    """
    found = {record.name: record for record in await store.streams()}
    if unknown := [name for name in streams if name not in found]:
        raise StoreError(f"there is no stream called {unknown[0]}; {said_names(found)}")
    async with _new_file(path) as writer:
        for name in streams or found:
            await _copy_stream(store, writer, name)
        for kind, most in {} if streams else (kinds or {}).items():
            entries = reversed(await documents.newest(kind, most))
            await asyncio.to_thread(writer.write, [ArchivedDocument(kind, e) for e in entries])
        await asyncio.to_thread(writer.finish)
    return writer.contents


def said_names(names: Collection[str]) -> str:
    """Return in words which streams there are, the first of many."""
    if not names:
        return "there is none"
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"there is {', '.join(islice(names, _NAMED))}{more}"


async def _copy_stream(store: RedisStore, writer: ArchiveWriter, name: str) -> None:
    raw: RawStreams = store.raw()
    for _ in range(_TRIES):
        record = await store.find(name)
        if record is None:
            return  # deleted since
        mark = await asyncio.to_thread(writer.mark)
        await asyncio.to_thread(writer.write, [record])
        try:
            async for page in raw.pages(name):
                await asyncio.to_thread(writer.write, page)
            now = await store.find(name)
            if now is not None and now.generation == record.generation:
                return
        except PastChanged:
            pass
        # Clips were folded or forgotten while they were read: what was written fits no moment.
        await asyncio.to_thread(writer.drop_stream, mark)
    raise StoreError(f"the past of {name} changes faster than it can be read: stop the service")


async def examine(path: Path, names: Pattern[str]) -> Contents:
    """Return what stands in a backup, all of it checked.

    Raises:
        CorruptData: If it cannot be restored, or names a stream as none may be called.
        OSError: If it cannot be read.
    """

    def read() -> Contents:
        contents = Contents()
        with _open_to_read(path) as file:
            for part in read_parts(file):
                contents.add(part)
        return contents

    contents = await asyncio.to_thread(read)
    if bad := [name for name in contents.streams if names.fullmatch(name) is None]:
        raise CorruptData(f"no stream may be called {bad[0][:80]!r}")
    return contents


def _open_to_read(path: Path) -> BinaryIO:
    """Return the open file at `path`; a pipe is not waited for, as nothing would end that.

    Raises:
        OSError: If it is no file, or cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    raise OSError(errno.ESPIPE, "it is no file that can be read twice", str(path))


async def restore(
    store: RedisStore,
    documents: DocumentStore,
    path: Path,
    wanted: Sequence[str],
    kinds: Mapping[str, int],
    *,
    replace: bool = False,
) -> None:
    """Put back streams of a backup that was examined, and its documents if all are wanted.

    Args:
        store: Where to.
        documents: Likewise.
        path: The backup.
        wanted: Names of streams; empty for everything.
        kinds: Of documents, and how many of each there may be.
        replace: Delete what there is of the same name first; else nothing is changed if there is.

    Raises:
        StoreError: If something of the same name is there and `replace` was not asked for.
        StoreFull: If there is no room; the stream at which that was said is deleted again.
        StoreUnavailable: If the store cannot be reached.
        CorruptData: If it is not the one that was examined any more.
    """
    if not replace:
        await _refuse_existing(store, documents, path, wanted)
    restoring = _Restoring(store, documents, wanted, kinds)
    try:
        async for page in _pages(path):
            await restoring.take(page)
        await restoring.end_stream()
    except BaseException:
        await restoring.undo()
        raise


async def _refuse_existing(
    store: RedisStore, documents: DocumentStore, path: Path, wanted: Sequence[str]
) -> None:
    known = {record.name for record in await store.streams()}
    async for page in _pages(path):
        for part in page:
            if isinstance(part, StreamRecord):
                if part.name in known and (not wanted or part.name in wanted):
                    raise StoreError(
                        f"there is a stream called {part.name} already", code="not_restored"
                    )
            elif isinstance(part, ArchivedDocument) and not wanted:
                there = await documents.get(part.kind, part.entry.key)
                if there is not None and there.document != part.entry.document:
                    raise StoreError(
                        f"there is a {part.kind} {part.entry.key} already", code="not_restored"
                    )


class _Restoring:
    """Puts parts back in the order of the file."""

    def __init__(
        self,
        store: RedisStore,
        documents: DocumentStore,
        wanted: Sequence[str],
        kinds: Mapping[str, int],
    ) -> None:
        self._store = store
        self._raw = store.raw()
        self._documents = documents
        self._wanted = wanted
        self._kinds = kinds
        self._record: StreamRecord | None = None
        self._generation = 0

    async def take(self, page: list[Part]) -> None:
        for kind, parts in groupby(page, type):
            if kind is ArchivedClip and self._record is not None:
                clips = [part for part in parts if isinstance(part, ArchivedClip)]
                with _unless_deleted(self._record.name):
                    await self._raw.add(self._record.name, clips)
                continue
            for part in parts:
                if isinstance(part, StreamRecord):
                    await self.end_stream()
                    await self._begin_stream(part)
                elif isinstance(part, ArchivedDocument):
                    await self._put(part)

    async def end_stream(self) -> None:
        if self._record is not None:
            with _unless_deleted(self._record.name):
                await self._raw.finish(self._record, self._generation)
            self._record = None

    async def undo(self) -> None:
        """Delete the stream that is not whole: it would look as if it were."""
        if self._record is not None:
            await self._store.forget(self._record.name)

    async def _begin_stream(self, record: StreamRecord) -> None:
        if self._wanted and record.name not in self._wanted:
            return
        await self._store.forget(record.name)
        self._record = record
        new = await self._store.begin(record.name, record.began)
        self._generation = max(new.generation, record.generation) + 1

    async def _put(self, part: ArchivedDocument) -> None:
        if not self._wanted and part.kind in self._kinds:
            await self._documents.put(part.kind, part.entry, self._kinds[part.kind])


@contextmanager
def _unless_deleted(stream: str) -> Iterator[None]:
    """Say so if somebody deletes a stream while it is put back.

    Raises:
        StoreError: In the place of a KeyError.
    """
    try:
        yield
    except KeyError:
        raise StoreError(
            f"{stream} was deleted while it was put back", code="not_restored"
        ) from None


async def _pages(path: Path) -> AsyncIterator[list[Part]]:
    with await asyncio.to_thread(path.open, "rb") as file:
        parts = read_parts(file)
        while page := await asyncio.to_thread(lambda: list(islice(parts, PAGE))):
            yield page


@asynccontextmanager
async def _new_file(path: Path) -> AsyncIterator[ArchiveWriter]:
    """Yield a writer of what becomes the file `path` once it is whole.

    Raises:
        StoreError: If there is one, or no folder for it.
    """
    if await asyncio.to_thread(path.exists):
        raise StoreError(f"{path} is there already: choose another name, or delete it")
    if not await asyncio.to_thread(path.parent.is_dir):
        raise StoreError(f"there is no folder {path.parent}")
    partial = path.with_name(f".{path.name}.partial")
    file = await asyncio.to_thread(_create, partial)
    try:
        yield await asyncio.to_thread(ArchiveWriter, file)
        await asyncio.to_thread(_keep, file, partial, path)
    finally:
        await asyncio.to_thread(file.close)
        await asyncio.to_thread(partial.unlink, missing_ok=True)


def _create(path: Path) -> BinaryIO:
    return os.fdopen(
        os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "w+b"
    )


def _keep(file: BinaryIO, partial: Path, path: Path) -> None:
    file.flush()
    os.fsync(file.fileno())
    os.link(partial, path)  # unlike a rename it takes nothing away that came meanwhile
