"""The contract of a clip store: what any memory backend must do.

Clip tokens in the store are the truth about a stream; the history inside the language model
is a cache of them, rebuilt after a crash.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from model.types import ClipTokens


class StoreUnavailable(Exception):
    """The store cannot be reached; nothing was written or read."""


class StoreFull(Exception):
    """The store has no room for another clip; it is not remembered for good."""


class EncoderMismatch(Exception):
    """These clip tokens were made by another vision encoder and cannot be read by this one."""


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
class StreamRecord:
    """What the store knows of one stream.

    Attributes:
        name: The stream's identifier.
        began: Wall-clock time of media time zero, in Unix seconds; the caller's clock said so.
        clips: How many clips are remembered.
        end: End of the newest clip in media seconds; None without clips.
    """

    name: str
    began: float
    clips: int
    end: float | None


class ClipStore(Protocol):
    """Clip tokens and thumbnails of streams, oldest first.

    Every method raises `StoreUnavailable` if the store cannot be reached.
    """

    async def check(self) -> None:
        """Return if the store answers: what is remembered can be read."""
        ...

    async def begin(self, stream: str, now: float) -> StreamRecord:
        """Return the record of `stream`, made with `began=now` (Unix seconds) if it is new.

        Raises:
            StoreFull: If it is new and there is no room.
        """
        ...

    async def append(self, stream: str, tokens: ClipTokens, thumbnail: bytes) -> None:
        """Remember a clip with its JPEG `thumbnail`, both or neither.

        A clip with the same start replaces the one before it.

        Raises:
            KeyError: If no process ever began the stream, or it was forgotten since, by whomever:
                also if the whole store came back empty. Nothing was written.
            ValueError: If a value or time is nothing that can be stored (not finite, or beyond
                what half precision holds), or the clip or its thumbnail is too large.
            StoreFull: If there is no room.
        """
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

    async def forget(self, stream: str) -> None:
        """Drop everything known of `stream`; an unknown stream is fine.

        Raises:
            StoreFull: If the store can write nothing any more, not even that.
        """
        ...
