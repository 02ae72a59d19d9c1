"""Times in an answer as the clock on the wall showed them: 14:05:10 instead of 10 seconds, or 0:10.

Of whoever has no clock, as people say times of a film: 1:05:11 instead of 3911 seconds.

A model knows the seconds of a stream alone. Words come in pieces of any length, so what may be the
beginning of a time is held back until it is seen to be one, or none.
"""

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing

from model.types import AnswerPiece, Words
from web.time_words.extent import Reference

_SECONDS = r"\d{1,9}"
_MINUTES = r"(?:\d{1,5}:)?\d{1,2}:\d\d"
_TIME = re.compile(
    rf"\b([Aa]t|[Ss]ince) ({_SECONDS}) seconds?\b|\b([Aa]t|[Ss]ince) ({_MINUTES})\b(?!:\d)"
    rf"|\b([Ff]rom) ({_SECONDS}) to ({_SECONDS}) seconds?\b"
    rf"|\b([Ff]rom) ({_MINUTES}) to ({_MINUTES})\b(?!:\d)"
)
_BEGINNING = re.compile(
    r"\b(?:[Aa]t?|[Ss](?:i(?:n(?:ce?)?)?)?|[Ff](?:r(?:om?)?)?"
    r"|(?:[Aa]t|[Ss]ince|[Ff]rom) [\d:]*(?: (?:t|to|to [\d:]*))?(?: s?e?c?o?n?d?s?)?)$"
)


_FEW = 60
"""Seconds of a stream from which on they are said as minutes."""


class SpokenClocks:
    """Rewrites the times in the words of one answer.

    Args:
        reference: What they are measured from, which has a clock; None says minutes of the stream.
    """

    def __init__(self, reference: Reference | None) -> None:
        self._reference = reference
        self._held = ""

    def feed(self, text: str) -> str:
        """Take the next words and return those that can be said by now."""
        self._held += text
        begun = _BEGINNING.search(self._held)
        ready = self._held if begun is None else self._held[: begun.start()]
        self._held = self._held[len(ready) :]
        return self._rewritten(ready)

    def end(self) -> str:
        """Return what is left to say."""
        left, self._held = self._held, ""
        return self._rewritten(left)

    def _rewritten(self, text: str) -> str:
        return _TIME.sub(self._said, text)

    def _said(self, found: re.Match[str]) -> str:
        word, *times = (part for part in found.groups() if part is not None)
        media = [_media(time) for time in times]
        if self._reference is None and max(media) < _FEW:
            return found[0]
        return f"{word} {' to '.join(_said(one, self._reference) for one in media)}"


def _said(media: float, reference: Reference | None) -> str:
    if reference is None:
        return Reference.minutes(media)
    when, now = reference.clock(media), reference.clock(reference.now)
    day = "" if when.date() == now.date() else f" on {when.day} {when:%B}"
    return f"{when:%H:%M:%S}{day}"


def _media(time: str) -> float:
    """Return the media second that 70, 1:10 and 0:01:10 say."""
    total = 0
    for part in time.split(":"):
        total = 60 * total + int(part)
    return float(total)


async def by_the_clock(
    pieces: AsyncGenerator[AnswerPiece, None], reference: Reference | None
) -> AsyncGenerator[AnswerPiece, None]:
    """Yield an answer with its times as a clock showed them, or in minutes; use `aclosing`."""
    spoken = SpokenClocks(reference)
    async with aclosing(pieces):
        async for piece in pieces:
            text = spoken.feed(piece.text) if isinstance(piece, Words) else spoken.end()
            if text:
                yield Words(text)
            if not isinstance(piece, Words):
                yield piece
