"""`flashback backup` and `flashback restore`: what is remembered, to a file and back."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from memory.archive import Contents
from memory.backup import backup, examine, restore, said_names
from memory.errors import CorruptData, StoreError
from stream.registry import NAME
from stream.watches.book import KINDS
from web.composition.opening import Memory, open_memory
from web.errors import Failed
from web.settings import Settings

_screen = Console(stderr=True, highlight=False, soft_wrap=True)

# What is said beyond the error's own words, by its code.
_SAID = {
    "directory_in_use": (
        "{error}. While it runs, set FLASHBACK_REDIS_URL=unix://{socket} to back up from its own Redis"
    ),
    "not_restored": "nothing was restored: {error}. With --replace it is deleted first",
}


def run_backup(settings: Settings, file: Path, streams: Sequence[str]) -> None:
    """Write what is remembered to `file`; only `streams`, if some are named.

    Raises:
        Failed: If there is no backup then.
    """

    async def work(store: Memory) -> Contents:
        return await backup(store, store.documents(), file, streams, KINDS)

    contents = _run(settings, file, work, f"Writing {file}…")
    _screen.print(f"{file} holds {_counted(contents)}.")


def run_restore(
    settings: Settings, file: Path, streams: Sequence[str], *, replace: bool, check: bool
) -> None:
    """Put back what `file` holds; only `streams`, if some are named. With `check` only look at it.

    Raises:
        Failed: If it cannot be restored.
    """
    contents = _sentence(settings, file, lambda: asyncio.run(examine(file, NAME)))
    if check:
        table = Table("stream", "clips", box=None, pad_edge=False)
        for name, clips in contents.streams.items():
            table.add_row(name, str(clips))
        Console(highlight=False).print(table)
        _screen.print(f"{file} is whole and holds {_counted(contents)}.")
        return
    if missing := [name for name in streams if name not in contents.streams]:
        there = said_names(contents.streams)
        raise Failed(f"{file} holds no stream called {missing[0]}; {there}", 2)

    async def work(store: Memory) -> None:
        await restore(store, store.documents(), file, streams, KINDS, replace=replace)
        if replace:
            await store.compact()

    _run(settings, file, work, f"Restoring {file}…")
    _screen.print("Restored.")


def _counted(contents: Contents) -> str:
    totals = contents.totals()
    streams, clips, documents = totals["streams"], totals["clips"], totals["documents"]
    return (
        f"{streams} stream{_s(streams)} with {clips} clip{_s(clips)}; "
        f"watches and events: {documents}"
    )


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _run(
    settings: Settings,
    file: Path,
    work: Callable[[Memory], Coroutine[Any, Any, Any]],
    doing: str,
) -> Any:  # noqa: ANN401 - as `work` returns
    async def all_of_it() -> Any:  # noqa: ANN401 - as `work` returns
        async with open_memory(settings) as store:
            return await work(store)

    with _screen.status(doing):
        return _sentence(settings, file, lambda: asyncio.run(all_of_it()))


def _sentence(settings: Settings, file: Path, work: Callable[[], Any]) -> Any:  # noqa: ANN401 - as `work` returns
    try:
        return work()
    except CorruptData as error:
        raise Failed(f"{file} cannot be restored: {error}") from None
    except StoreError as error:
        socket = settings.data.expanduser().absolute() / "redis.sock"
        said = _SAID.get(error.code, "{error}").format(error=error, socket=socket)
        raise Failed(said) from None
    except OSError as error:
        raise Failed(f"{error.filename or file} cannot be used: {error.strerror}") from None
