"""What comes over HTTP and becomes, in its middle, video that is not read on (MPEG-TS, Flash Video).

FFmpeg follows no other codec under the same number of a track, and shows nothing of it, without a word.
So what is read ends there: a live stream is opened again at once, of a film it is said what is left out.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from stream.file.pieces.flv import FLV, Tags
from stream.file.pieces.programme import BroadcastTables, may_be_broadcast
from stream.pull.io.http.file import HttpFile, PartFile
from stream.pull.io.http.opener import IoOpen

if TYPE_CHECKING:
    from stream.pull.io.http.hls import PlaylistGuide


class ChangeSpotter(Protocol):
    """Reads on as it comes what a container says of its video."""

    def ends_in(self, data: bytes) -> int | None:
        """Return how much is read on of `data`, which follows what was given before; None for all of it."""
        ...


def watch_for(head: bytes) -> ChangeSpotter | None:
    """Return what watches a file that begins with `head`; None of what needs no watching."""
    if head.startswith(FLV):
        return Tags()
    return BroadcastTables() if may_be_broadcast(head) else None


class UpToChange:
    """A file object: a file over HTTP, up to where it becomes another.

    Attributes:
        name: Its URL.
    """

    def __init__(self, file: HttpFile, watch: ChangeSpotter) -> None:
        """Take the file, at its beginning."""
        self.name = file.name
        self._file = file
        self._watch = watch
        self._watched = 0
        self._end: int | None = None

    @property
    def unread(self) -> int:
        """Bytes behind the change; 0 if there was none so far."""
        length = self._file.length
        return 0 if self._end is None or length is None else length - self._end

    @property
    def end(self) -> int | None:
        """Where the change is; None if there was none so far."""
        return self._end

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes, as soon as there are some; none at the end, or at the change.

        Raises:
            OSError: If the connection is lost or silent for too long.
        """
        at = self._file.tell()
        data = b"" if self._end is not None and at >= self._end else self._file.read(size)
        if at <= self._watched < at + len(data):
            # FFmpeg looks at the end of a film first: what lies between was not seen then.
            kept = self._watch.ends_in(data[self._watched - at :])
            self._end = None if kept is None else self._watched + kept
            self._watched = at + len(data)
        return data if self._end is None else data[: max(self._end - at, 0)]

    def seekable(self) -> bool:
        """Say whether the server can send from the middle."""
        return self._file.seekable()

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go on from elsewhere.

        Raises:
            OSError: If the server cannot do that.
        """
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the position of the next byte."""
        return self._file.tell()


def watched(opener: IoOpen, guide: "PlaylistGuide") -> IoOpen:
    """Return an `opener` whose segments end where the broadcast that they are becomes another one.

    Then the playlist ends there. Who reads it on begins with the segment that begins with the change,
    or behind one in whose middle it is.
    """
    watches: dict[str, BroadcastTables] = {}

    def open_watched(url: str, flags: int, options: dict[str, str]) -> PartFile:
        before = guide.place
        file = opener(url, flags, options)
        if guide.place is before:  # it is no segment
            return file
        watch = watches.setdefault(guide.read_from or "", BroadcastTables())
        watch.begin_anew()
        opened = guide.place
        return _Segment(file, watch, lambda: guide.end_behind(before if watch.fresh else opened))

    return open_watched


class _Segment:
    """A file object: a segment, up to where the broadcast that it belongs to becomes another one."""

    def __init__(self, file: PartFile, watch: BroadcastTables, changed: Callable[[], None]) -> None:
        self._file = file
        self._watch = watch
        self._changed = changed
        self._over = False

    def close(self) -> None:
        """Let go of the segment."""
        self._file.close()

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes, as soon as there are some; none at the end, or at the change.

        Raises:
            OSError: If the connection is lost or silent for too long.
        """
        if self._over:
            return b""
        data = self._file.read(size)
        kept = self._watch.ends_in(data)
        if kept is None:
            return data
        self._over = True
        self._changed()
        return data[:kept]
