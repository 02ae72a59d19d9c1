"""The contract of a clip store: what any memory backend must do.

Clip tokens in the store are the truth about a stream; the history inside the language model
is a cache of them, rebuilt after a crash.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from memory.recordings import RecordingStore
from model.types import ClipTokens

Form = Literal["float16", "int8", "int4"]
"""How the values of a clip's tokens are kept; see `memory.quantize`."""
RECORD_VERSION = 2
"""Of a stream's record; a higher one was written by a newer version of this program."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One remembered clip as a person sees it, without its tokens.

    Attributes:
        start: Media time of the first frame, in seconds.
        end: Media time of the last frame, in seconds.
    """

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Kept:
    """What one remembered clip takes in the store.

    Attributes:
        start: Media time of the first frame, in seconds.
        end: Media time of the last frame, in seconds.
        frames: Frames that it stands for.
        form: How its values are kept.
        tokens: Bytes of its tokens.
        thumbnail: Bytes of its JPEG.
    """

    start: float
    end: float
    frames: int
    form: Form
    tokens: int
    thumbnail: int

    @property
    def bytes(self) -> int:
        """Bytes of tokens and JPEG."""
        return self.tokens + self.thumbnail


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """What the store knows of one stream.

    Attributes:
        name: The stream's identifier.
        began: Wall-clock time of media time zero, in Unix seconds; the caller's clock said so.
        clips: How many clips are remembered.
        end: End of the newest clip in media seconds; None without clips.
        version: Of the form in which the record is kept; 1 is that of Flashback 0.1.0.
        generation: Grows with every change of the past: clips replaced, forgotten, or added before
            others. A history made from another generation is out of date.
        bytes: What its tokens and thumbnails take.
        keep: Seconds after which what was seen is forgotten; None leaves it to the service.
        asked: When a person last asked about it, Unix seconds; None is never.
        coarse_until: Media time before which clips are kept with fewer bits; None is not at all.
        folded_until: Media time before which several clips are kept as one; None is not at all.
        forgotten_until: Media time before which clips were forgotten to make room, or because of
            their age; None is not at all.
    """

    name: str
    began: float
    clips: int
    end: float | None
    version: int = RECORD_VERSION
    generation: int = 0
    bytes: int = 0
    keep: float | None = None
    asked: float | None = None
    coarse_until: float | None = None
    folded_until: float | None = None
    forgotten_until: float | None = None


class ClipStore(Protocol):
    """Clip tokens and thumbnails of streams, oldest first.

    Every method raises `StoreUnavailable` if the store cannot be reached.
    """

    async def check(self) -> None:
        """Return if the store answers: what is remembered can be read."""
        ...

    async def begin(self, stream: str, now: float) -> StreamRecord:
        """Return the record of `stream`, made with `began=now` (Unix seconds) if it is new.

        A stream that was deleted is new. Its generation goes on from what it was.

        Raises:
            StoreFull: If it is new and there is no room.
        """
        ...

    async def resume(self, stream: str, began: float) -> StreamRecord:
        """Return the record of a stream that is being fed, begun again if the store lost it.

        Raises:
            StreamForgotten: If somebody deleted it: then it is not begun again.
            StoreFull: If the store lost it and there is no room.
        """
        ...

    async def append(self, stream: str, tokens: ClipTokens, thumbnail: bytes) -> ClipTokens:
        """Remember a clip with its JPEG `thumbnail`, both or neither; return it as it is kept.

        What is read later has exactly the values that are returned. A clip with the same start
        replaces the one before it. The past changes if it is not the newest and was not there yet.

        Raises:
            KeyError: If no process ever began the stream, or the whole store came back empty.
                Nothing was written.
            StreamForgotten: If it was deleted since, by whomever. Nothing was written.
            ValueError: If a value or time is nothing that can be stored (not finite, or beyond
                what half precision holds), or the clip or its thumbnail is too large.
            StoreFull: If there is no room.
        """
        ...

    async def replace(
        self,
        stream: str,
        span: Moment,
        clips: Sequence[ClipTokens],
        *,
        generation: int,
        form: Form | None = None,
    ) -> StreamRecord:
        """Put `clips` in the place of all that start within `span`, both ends included, at once.

        A reader sees all of the old or all of the new. Thumbnails stay where a clip still starts.

        Args:
            stream: Whose past.
            span: Its `end` is the last start that is replaced.
            clips: Must start within it, oldest first.
            generation: Of the record that this was made from.
            form: How to keep them; None is the store's own.

        Raises:
            KeyError: If there is no such stream.
            PastChanged: If the stream's generation is another one. Nothing was written.
            ValueError: If a clip starts outside of `span`, or cannot be stored.
            StoreFull: If there is no room.
        """
        ...

    async def kept(self, stream: str) -> list[Kept]:
        """Return what each clip takes, oldest first."""
        ...

    def clips(
        self, stream: str, after: float = float("-inf"), until: float = float("inf")
    ) -> AsyncIterator[ClipTokens]:
        """Yield clips that start after `after` and not after `until`, read in pages.

        An unknown stream has no clips. A damaged clip is passed over and logged: one bad
        clip must not make hours of others unreadable.

        Raises:
            EncoderMismatch: If the clips were made by another vision encoder.
        """
        ...

    async def moments(
        self,
        stream: str,
        after: float = float("-inf"),
        limit: int = 1000,
        *,
        until: float = float("inf"),
    ) -> list[Moment]:
        """Return the newest `limit` moments that start after `after` and not after `until`.

        The oldest comes first.
        """
        ...

    async def thumbnail(self, stream: str, start: float) -> bytes | None:
        """Return the JPEG of the clip that starts at `start`; None if there is none."""
        ...

    async def find(self, stream: str) -> StreamRecord | None:
        """Return the record of `stream`; None if it is not remembered."""
        ...

    async def streams(self, after: str = "", limit: int | None = None) -> list[StreamRecord]:
        """Return the streams that are remembered, in order of name.

        Args:
            after: Only names behind this one.
            limit: How many at most; None for all.
        """
        ...

    async def set_keep(self, stream: str, keep: float | None) -> StreamRecord:
        """Set how long what was seen is remembered, in seconds; None leaves it to the service.

        Raises:
            KeyError: If there is no such stream.
        """
        ...

    async def note_asked(self, stream: str, at: float) -> None:
        """Remember that a person asked about `stream` at the Unix second `at`; an unknown one is fine.

        Raises:
            StoreFull: If there is no room.
        """
        ...

    async def forget_range(self, stream: str, since: float, until: float) -> int:
        """Drop every clip that shows anything from `since` to `until`; return how many.

        Recordings that show anything of it go, too. With `since` minus infinity the record says until when was forgotten.

        Raises:
            StoreFull: If the store can write nothing any more, not even that.
        """
        ...

    def recordings(self) -> RecordingStore:
        """Return the recordings of the streams; they end with this store."""
        ...

    async def compact(self) -> None:
        """Begin to take what was forgotten off the disk, too, where it may still lie in a log."""
        ...

    async def forget(self, stream: str) -> None:
        """Drop everything known of `stream`; an unknown stream is fine.

        It stays deleted: who still feeds it is told so (see `resume`).

        Raises:
            StoreFull: If the store can write nothing any more, not even that.
        """
        ...
