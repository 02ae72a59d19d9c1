"""What an assistant can do with the streams of a service, without any protocol around it.

Times are said and given as clocks (ISO 8601): an assistant knows what time it is, but not when a
stream began. Whatever is refused is refused by the service: the tools have the rights of its token.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from flashback_client import Answer, Flashback, FlashbackError, Moment, Stream

Value = TypeVar("Value")
_MOST_MOMENTS = 2000


@dataclass(frozen=True, slots=True)
class Told:
    """A picture and what is to be said of it."""

    text: str
    jpeg: bytes


class Tools:
    """What can be done with a service.

    Args:
        service: The service.
    """

    def __init__(self, service: Flashback) -> None:
        self._service = service

    async def list_streams(self) -> str:
        """Return a line for each stream."""
        streams = await self._call(lambda: list(self._service.streams()))
        return "\n".join(map(_line, streams)) or "There are no streams."

    async def ask(
        self, stream: str, question: str, since: str | None = None, until: str | None = None
    ) -> str:
        """Return the answer to a question, with when what it rests on was shown."""
        known = await self._call(lambda: self._service.stream(stream))
        begin, end = _media(known, since), _media(known, until)
        answer = await self._call(
            lambda: self._service.ask(stream, question, since=begin, until=end)
        )
        return _answered(known, answer)

    async def look(self, stream: str, at: str | None = None) -> Told:
        """Return the picture of the moment nearest to a time; of the newest without one.

        Raises:
            FlashbackError: If nothing is remembered.
        """
        known = await self._call(lambda: self._service.stream(stream))
        media = _media(known, at)
        moments = await self._call(lambda: self._service.moments(stream, limit=_MOST_MOMENTS))
        if not moments:
            raise FlashbackError(f"Nothing of {stream} is remembered yet.")
        found = moments[-1] if media is None else min(moments, key=lambda m: _far(m, media))
        jpeg = await self._call(lambda: self._service.picture(stream, found))
        return Told(f"{stream} at {_clock(known, found.start)}", jpeg)

    async def forget(self, stream: str) -> str:
        """End a stream and forget what it has shown."""
        await self._call(lambda: self._service.forget(stream))
        return f"{stream} and everything that it has shown is forgotten."

    async def _call(self, call: Callable[[], Value]) -> Value:
        return await asyncio.to_thread(call)


def _far(moment: Moment, media: float) -> float:
    return max(moment.start - media, media - moment.end, 0.0)


def _media(stream: Stream, clock: str | None) -> float | None:
    """Return a time that an assistant gave as a media second of `stream`, not before it began.

    Raises:
        FlashbackError: If it is not written as one.
    """
    if clock is None:
        return None
    try:
        return max(0.0, stream.media(datetime.fromisoformat(clock)))
    except (ValueError, OverflowError):
        message = f"{clock} is no time: write it in ISO 8601, such as 2026-11-27T14:05:10+01:00."
        raise FlashbackError(message) from None


def _clock(stream: Stream, media: float) -> str:
    return stream.clock(media).astimezone().isoformat(timespec="seconds")


def _line(stream: Stream) -> str:
    if stream.end is None:
        return f"{stream.name}: {stream.state}, nothing remembered yet"
    span = f"{_clock(stream, 0.0)} to {_clock(stream, stream.end)}"
    return f"{stream.name}: {stream.state}, {stream.clips} moments from {span}"


def _answered(stream: Stream, answer: Answer) -> str:
    best = sorted(answer.evidence, key=lambda part: part.score, reverse=True)[:3]
    rests = ", ".join(f"{_clock(stream, p.start)} ({p.score:.0%})" for p in best)
    looked = f"{_clock(stream, answer.start)} to {_clock(stream, answer.end)}"
    return f"{answer.text}\n\nLooked at {looked}; it rests most on {rests}."
