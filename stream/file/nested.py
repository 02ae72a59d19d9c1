"""Refuses lists of files that lead to lists: FFmpeg follows them for as long as it is let.

A playlist of playlists, or a script of `concat`, may lead to itself, or round in a circle. Players
need no more than one list of lists.
"""

from collections.abc import Iterator
from pathlib import Path

from stream.errors import BadSource

_SCRIPT = "ffconcat version"
_OF_PLAYLISTS = "#EXT-X-STREAM-INF"
_ENOUGH = 64 * 1024
"""Characters of a list that are looked at; that it is a list of lists stands in its first lines."""
_NESTED = (
    "{} names a list of files that names lists itself, without end perhaps: give one of these."
)


def refuse_nested(path: Path) -> None:
    """Refuse a list of lists of lists, as far as it leads to files of this machine. Blocks.

    Raises:
        BadSource: If it is one.
        OSError: If it cannot be read.
    """
    for name in _named(path):
        try:
            nested = any(_named(path.parent / name))
        except (OSError, ValueError):  # it is not there, or no name of a file
            continue
        if nested:
            raise BadSource(_NESTED.format(path.name))


def _named(path: Path) -> Iterator[str]:
    """Yield the lists that a list of lists names; of a script whatever it names."""
    with path.open(encoding="utf-8", errors="replace") as file:
        text = file.read(_ENOUGH)
    lines = [line.strip() for line in text.lstrip("\ufeff").splitlines()]
    if text.startswith(_SCRIPT):
        named = (line.partition(" ") for line in lines)
        yield from (name.strip(" '") for word, _, name in named if word == "file")
    elif _OF_PLAYLISTS in text:
        yield from (line for line in lines if line and not line.startswith("#"))
