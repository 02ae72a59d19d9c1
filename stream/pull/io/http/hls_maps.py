"""Where a playlist of fragments goes over to video that needs another beginning (`#EXT-X-MAP`).

FFmpeg reads the beginning of the first fragments alone, and makes wrong pictures of what needs another
one, without a word. So the playlist is cut there; who reads it on begins with what holds from there on.
https://datatracker.ietf.org/doc/html/rfc8216#section-4.3.2.5
"""

import re
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from stream.errors import BadSource
from stream.pull.errors import Refused
from stream.pull.io.http.anew import LONGEST_HEAD, told
from stream.pull.io.numbers import number_in

if TYPE_CHECKING:
    from stream.pull.io.http.file import NamedFile

LEFT_OUT = (
    "The playlist goes over to video of another size or encoding in its middle; what comes from there on "
    "is not read."
)
_MAP = "#EXT-X-MAP:"
_FIELD = re.compile(r'(URI|BYTERANGE)="([^"]*)"')
_MOST = 50
"""Beginnings that are asked for; with more of them they are taken to be alike."""
Told = tuple[bytes, ...] | None


@dataclass(frozen=True, slots=True)
class Map:
    """Where the beginning of some segments lies.

    Attributes:
        uri: As written.
        span: `LENGTH@FIRST` in bytes; nothing for all of it.
    """

    uri: str
    span: str = ""


class Maps:
    """Knows what decoders are told by each beginning that a playlist names.

    Args:
        open_file: Opens a URL, from a byte to before another.
        url: Of the playlist.
    """

    def __init__(self, open_file: Callable[[str, int, int | None], "NamedFile"], url: str) -> None:
        self._open_file = open_file
        self._url = url
        self._told: dict[Map, Told] = {}
        self._holds: Told = None

    def cut(self, text: str) -> str | None:
        """Return a media playlist up to where it needs another beginning; None if it nowhere does."""
        lines, behind, now = text.split("\n"), 1, Map("")
        if text.count(_MAP) < 2 and self._holds is None:
            return None  # as nearly all are: nothing is asked for
        for number, line in enumerate(lines):
            if line.startswith(_MAP):
                now = _read(line)
            elif line and not line.startswith("#"):
                if self._needs_another(now):
                    return "\n".join([*lines[:behind], "#EXT-X-ENDLIST"]) + "\n"
                behind = number + 1
        return None

    def _needs_another(self, one: Map) -> bool:
        if one not in self._told and one.uri and len(self._told) < _MOST:
            self._told[one] = told(self._load(one))
        given = self._told.get(one)
        self._holds = self._holds or given
        return given is not None and given != self._holds

    def _load(self, one: Map) -> bytes:
        length, _, first = one.span.partition("@")
        start = number_in(first) or 0
        end = start + (number_in(length) or LONGEST_HEAD)
        try:
            with closing(self._open_file(urljoin(self._url, one.uri), start, end)) as file:
                return file.peek(end - start)[: end - start]
        except (OSError, Refused, BadSource):
            return b""  # FFmpeg asks for it, too, and says why


def _read(line: str) -> Map:
    fields = dict(_FIELD.findall(line))
    return Map(fields.get("URI", ""), fields.get("BYTERANGE", ""))
