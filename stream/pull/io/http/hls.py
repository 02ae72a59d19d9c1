"""Which segments of a playlist are new, so that a reconnect does not show again what was seen.

A player that joins a live playlist begins some segments before its end. One that joins again after
a loss would show these again; and where the encoder died and the web server did not, again and
again for ever. So the reader notes which segment it came to, and the next one gets playlists
without what lies before. https://datatracker.ietf.org/doc/html/rfc8216
"""

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from stream.errors import BadSource
from stream.file.first_bytes import LONGEST_PLAYLIST, is_playlist, refuse_list
from stream.pull.errors import AT_ITS_END, CannotOpen, Refused
from stream.pull.io.http.hls_maps import Maps
from stream.pull.io.numbers import number_in
from stream.pull.messages import Place

if TYPE_CHECKING:
    from stream.pull.io.http.file import NamedFile

_MOST_LINES = 500_000
"""A day of segments of a second each; every line costs FFmpeg and us more than its length."""
_TOO_LONG = "The playlist of this source is too long."
_MOST_PLAYLISTS = 200
"""Qualities that a playlist of playlists names: each is asked for when it is opened."""
_NESTED = "The playlist of this source names playlists of playlists, without end perhaps."
_OTHER_TRACK = re.compile(r"#EXT-X-MEDIA:(?!(.*,)?\s*TYPE=VIDEO)")
_EMPTY = "The playlist of this source names no segments."
_ENDED = re.compile(r"^#EXT-X-(ENDLIST|PLAYLIST-TYPE:\s*VOD)", re.MULTILINE)
"""What says that nothing will be added: of `VOD` the standard says that it does not change."""
_NO_MORE = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-ENDLIST\n"
_SHORTEST_WAIT = 0.5
_GONE = {404, 410}
_MOST_MISSING = 3
"""Segments in a row that a server may not have before it is taken at its word."""
_STALE = (
    "The playlist of this source is not written any more: it names nothing that was not seen, and "
    "no end."
)
# What belongs to one segment; other tags hold for all that follow.
_OF_ONE = (
    "#EXTINF", "#EXT-X-BYTERANGE", "#EXT-X-DISCONTINUITY", "#EXT-X-PROGRAM-DATE-TIME",
    "#EXT-X-GAP", "#EXT-X-BITRATE", "#EXT-X-PART",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Playlist:
    """A media playlist; one of playlists has no segments.

    Attributes:
        first: Sequence number of its first segment.
        segments: Their URIs as written, with the byte each begins at.
        target: Seconds of the longest segment.
        ended: Whether nothing will be added.
    """

    first: int
    segments: tuple[tuple[str, int], ...]
    target: float
    ended: bool

    def seen(self, after: Place | None) -> int:
        """Return how many segments from the first on were seen if `after` was the last of them."""
        if after is None or after.segment is None:
            return 0
        index = after.segment - self.first
        if 0 <= index < len(self.segments) and _name(self.segments[index][0]) == after.name:
            return index + 1
        return 0  # it went on, or its writer began anew


def read_playlist(text: str) -> Playlist | None:
    """Return the media playlist of `text`; None if it is a playlist of playlists."""
    first, target, at, segments = 0, 0.0, 0, list[tuple[str, int]]()
    for line in map(str.strip, text.rstrip().split("\n")):
        tag, _, value = line.partition(":")
        if tag == "#EXT-X-STREAM-INF":
            return None
        if tag == "#EXT-X-MEDIA-SEQUENCE":
            first = number_in(value.strip()) or 0
        elif tag == "#EXT-X-TARGETDURATION" and number_in(value.replace(".", "", 1)) is not None:
            target = float(value)
        elif tag == "#EXT-X-BYTERANGE":
            at = number_in(value.partition("@")[2]) or 0
        elif line and not line.startswith("#"):
            segments.append((line, at))
            at = 0
    return Playlist(first, tuple(segments), target, _ENDED.search(text) is not None)


def without(text: str, count: int) -> str:
    """Return a media playlist without its first `count` segments, the others under their numbers."""
    if count == 0:
        return text
    playlist = read_playlist(text)
    assert playlist is not None
    lines, left = list[str](), count
    for line in map(str.strip, text.rstrip().split("\n")):
        if line.startswith("#EXT-X-MEDIA-SEQUENCE"):
            continue
        if left and line and not line.startswith("#"):
            left -= 1
        elif not (left and line.startswith(_OF_ONE)):
            lines.append(line)
    lines.insert(1, f"#EXT-X-MEDIA-SEQUENCE:{playlist.first + count}")
    return "\n".join(lines) + "\n"


class PlaylistText(io.BytesIO):
    """A playlist as FFmpeg gets it.

    Attributes:
        name: Its URL.
    """

    def __init__(self, text: str, url: str) -> None:
        super().__init__(text.encode())
        self.name = url


class PlaylistGuide:
    """Opens what a playlist refers to and knows how far it was read.

    Attributes:
        place: The newest segment that was opened; None before the first.
        read_from: URL of the playlist that named it.
    """

    def __init__(
        self,
        open_file: Callable[[str, int, int | None], "NamedFile"],
        after: Place | None,
        *,
        within: float,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        """Take how to open things.

        Args:
            open_file: Opens a URL, from a byte to before another.
            after: How far an earlier reader came.
            within: Seconds to wait for a segment that was not seen.
            clock: Monotonic seconds.
            sleep: Waits that many seconds.
        """
        self.place: Place | None = None
        self._open_file = open_file
        self._after = after
        self._within = within
        self._clock = clock
        self._sleep = sleep
        self._playlists: dict[str, Playlist] = {}
        self.read_from: str | None = None
        self._loaded: dict[str, float] = {}
        self._variants: frozenset[str] | None = None
        self._missing = self._missing_in_a_row = 0
        self._maps: dict[str, Maps] = {}
        self._cut_by_map = self._changed = False
        self.trouble: CannotOpen | BadSource | Refused | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing will be added to what is read."""
        playlist = self._playlists.get(self.read_from or "")
        return playlist is not None and playlist.ended

    @property
    def is_cut(self) -> bool:
        """Whether it is read up to where it needs another beginning, and there is more."""
        return self._cut_by_map or self._changed

    @property
    def declared(self) -> bool:
        """Whether every playlist that was read says that it is at its end."""
        return bool(self._playlists) and all(one.ended for one in self._playlists.values())

    def open(self, url: str, start: int = 0, end: int | None = None) -> "NamedFile | PlaylistText":
        """Open a playlist or a segment.

        Raises:
            BadSource: If a playlist names nothing new.
            CannotOpen: If it has ended, too.
            Refused: If the server says no, unless it is one of several playlists that a master names, or
                one segment among others.
        """
        if self._changed:
            return PlaylistText(_NO_MORE if url in self._playlists else "", url)
        self._hold_back(url)
        try:
            file = self._open_file(url, start, end)
        except Refused as refused:
            if url in (self._variants or ()):
                self.trouble = refused  # if it was the last one
            elif not self._is_passed_over(url, start, refused.status):
                self.trouble = refused  # if nothing else was there
                raise
            return PlaylistText("", url)
        if is_playlist(file.peek(16)):
            return self.take(file)
        self._missing_in_a_row *= not self._opened(url, start)
        return file

    def end_behind(self, place: Place | None) -> None:
        """Open no more segments: who reads on begins behind `place`."""
        self._changed = True
        self.place = place

    def take(self, file: "NamedFile") -> PlaylistText:
        """Return the playlist that `file` begins with, once it names what was not seen.

        Raises:
            BadSource: If it is endless, names nothing, or is a playlist of playlists in another one.
            BadSource: If it names nothing new.
            CannotOpen: If it has ended, too.
        """
        text, url, began = _read(file), file.name, self._clock()
        self._loaded[url] = began
        while (playlist := read_playlist(text)) is not None:
            seen = playlist.seen(self._after)
            if seen < len(playlist.segments):
                self._playlists[url] = playlist
                cut = self._cut(without(text, seen), url)
                return PlaylistText(cut + "\n#EXT-X-ENDLIST\n" * playlist.ended, url)
            if playlist.ended:
                self.trouble = CannotOpen(AT_ITS_END) if playlist.segments else BadSource(_EMPTY)
                raise self.trouble
            if self._clock() - began > max(self._within, 2 * playlist.target):
                self.trouble = BadSource(_STALE if playlist.segments else _EMPTY)
                raise self.trouble
            self._sleep(max(playlist.target / 2, _SHORTEST_WAIT))
            text = _read(self._open_file(url, 0, None))
        return PlaylistText(self._master(text, url), url)

    def _cut(self, text: str, url: str) -> str:
        """Return a playlist up to where it needs another beginning than what was read of it."""
        shorter = self._maps.setdefault(url, Maps(self._open_file, url)).cut(text)
        self._cut_by_map = shorter is not None
        return text if shorter is None else shorter

    def _master(self, text: str, url: str) -> str:
        """Return a playlist of playlists without sound and subtitles: FFmpeg opens whatever it names.

        Raises:
            BadSource: If it is the second one, or too long.
        """
        lines = [line for line in map(str.strip, text.split("\n")) if not _OTHER_TRACK.match(line)]
        named = [line for line in lines if line and not line.startswith("#")]
        if self._variants is not None or len(named) > _MOST_PLAYLISTS:
            self.trouble = BadSource(_TOO_LONG if self._variants is None else _NESTED)
            raise self.trouble
        self._variants = frozenset(urljoin(url, uri) for uri in named)
        return "\n".join(lines) + "\n"

    def _hold_back(self, url: str) -> None:
        """Wait before a playlist is read anew: one of segments of no length would be asked for at once."""
        if (loaded := self._loaded.get(url)) is not None:
            self._sleep(max(0.0, loaded + _SHORTEST_WAIT - self._clock()))

    def _is_passed_over(self, url: str, start: int, status: int) -> bool:
        """Say whether to go on behind a segment that is not there, rather than to begin anew there."""
        known = status in _GONE and self._opened(url, start, missing=1)
        self._missing_in_a_row += known
        return known and self._missing_in_a_row < _MOST_MISSING

    def _opened(self, url: str, start: int, *, missing: int = 0) -> bool:
        """Note how far it was read; False if this is no segment."""
        for base, playlist in self._playlists.items():
            for number, (uri, at) in enumerate(playlist.segments, playlist.first):
                if at == start and (urljoin(base, uri) == url):
                    self._missing += missing
                    self.place = Place(segment=number, name=_name(uri), missing=self._missing)
                    self.read_from = base
                    return True
        return False


def _read(file: "NamedFile") -> str:
    with_end = bytearray()
    while data := file.read(64 * 1024):
        with_end += data
        if len(with_end) > LONGEST_PLAYLIST:
            file.close()
            raise BadSource(_TOO_LONG)
    file.close()
    if with_end.count(b"\n") > _MOST_LINES:
        raise BadSource(_TOO_LONG)
    refuse_list(text := with_end.decode("utf-8-sig", "replace").lstrip())
    return text


def _name(uri: str) -> str:
    return PurePosixPath(urlsplit(uri).path).name
