"""What an assistant can do with the streams of a service, without any protocol around it.

Times are said and given as clocks (ISO 8601): an assistant knows what time it is, but not when a
stream began. Whatever is refused is refused by the service: the tools have the rights of its token.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from flashback_client import (
    Answer,
    Flashback,
    FlashbackError,
    Stream,
    StreamAnswer,
    Watch,
    WatchEvent,
    local_timezone,
)

_Value = TypeVar("_Value")
_MOST = 2000
"""Moments, the first of which is shown for a time before all of them."""
_MOST_FOUND = 20


@dataclass(frozen=True, slots=True)
class ToldPicture:
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
            lambda: self._service.ask(
                stream, question, since=begin, until=end, timezone=local_timezone()
            )
        )
        return _answered(known, answer)

    async def look(self, stream: str, at: str | None = None) -> ToldPicture:
        """Return the picture of the moment that had begun by a time; of the newest without one.

        Raises:
            FlashbackError: If nothing is remembered.
        """
        known = await self._call(lambda: self._service.stream(stream))
        media = _media(known, at)
        begun = await self._call(lambda: self._service.moments(stream, limit=1, until=media))
        moments = begun or await self._call(lambda: self._service.moments(stream, limit=_MOST))
        if not moments:
            raise FlashbackError(f"Nothing of {stream} is remembered yet.")
        found = begun[-1] if begun else moments[0]
        jpeg = await self._call(lambda: self._service.picture(stream, found))
        return ToldPicture(f"{stream} at {_clock(known, found.start)}", jpeg)

    async def ask_all(self, question: str) -> str:
        """Return what all cameras answer, the one that counts most first."""
        found = await self._call(lambda: self._service.ask_all(question, timezone=local_timezone()))
        said = [f"{one.stream}{_sure(one)}: {one.text}" for one in found.answers]
        said += [f"{one.stream}: no answer. {one.reason}" for one in found.unanswered]
        return "\n".join([found.text, "", *said])

    async def search(self, words: str, stream: str | None = None) -> str:
        """Return the moments that show what is named, a line each."""
        where = () if stream is None else (stream,)
        found = await self._call(lambda: self._service.search(words, where, limit=_MOST_FOUND))
        lines = [
            f"{one.stream}: {one.clock}, {one.end - one.start:.0f} s ({one.score:.0%} sure)"
            for one in found.found
        ]
        head = f"Looked for {found.understood}; {found.total} found."
        unmatched = [f"Moments cannot be matched on: {', '.join(found.unmatched)}."]
        return "\n".join([head, *(unmatched if found.unmatched else ()), *lines])

    async def summarize(
        self, stream: str, since: str | None = None, until: str | None = None
    ) -> str:
        """Return what happened on a stream, scene after scene."""
        known = await self._call(lambda: self._service.stream(stream))
        begin, end = _media(known, since), _media(known, until)
        found = await self._call(lambda: self._service.summary(stream, since=begin, until=end))
        scenes = [f"{one.start_clock} to {one.end_clock}: {one.text}" for one in found.scenes]
        return "\n".join(scenes) or "Nothing of that time is remembered."

    async def watch(self, question: str, stream: str | None = None) -> str:
        """Make a watch; return what was understood."""
        where = () if stream is None else (stream,)
        made = await self._call(lambda: self._service.watch(question, where))
        return _watched(made)

    async def list_watches(self) -> str:
        """Return a line for each watch."""
        found = await self._call(self._service.watches)
        return "\n".join(map(_watched, found)) or "There are no watches."

    async def stop_watching(self, watch: str) -> str:
        """End a watch."""
        await self._call(lambda: self._service.stop_watching(watch))
        return f"{watch} is ended."

    async def list_events(self, watch: str | None = None) -> str:
        """Return what watches saw, the newest first."""
        found = await self._call(lambda: self._service.events(watch=watch, limit=_MOST_FOUND))
        return "\n".join(map(_event, found)) or "No watch has seen anything yet."

    async def forget(self, stream: str) -> str:
        """End a stream and forget what it has shown."""
        await self._call(lambda: self._service.forget(stream))
        return f"{stream} and everything that it has shown is forgotten."

    async def _call(self, call: Callable[[], _Value]) -> _Value:
        return await asyncio.to_thread(call)


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
        message = f"{clock} is not a time: write it in ISO 8601, such as 2026-11-27T14:05:10+01:00."
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
    rested = f"; it rests most on {rests}" if rests else ""
    return f"{answer.text}\n\nLooked at {looked}{rested}."


def _sure(one: StreamAnswer) -> str:
    if one.sureness is None:
        return ""
    seen = "" if one.seen_last_clock is None else f", seen last {one.seen_last_clock}"
    return f" ({one.sureness:.0%} sure{seen})"


def _watched(watch: Watch) -> str:
    where = ", ".join(watch.streams) or "every stream"
    missed = f"; not matched: {', '.join(watch.unmatched)}" if watch.unmatched else ""
    return f"{watch.id} ({watch.state}) on {where}: {watch.understood}{missed}"


def _event(event: WatchEvent) -> str:
    at = datetime.fromtimestamp(event.at).astimezone().isoformat(timespec="seconds")
    lasted = "goes on" if event.open else f"{event.end - event.start:.0f} s"
    verdict = "" if event.verdict == "unverified" else f", {event.verdict}"
    doubt = f" {event.why}" if event.verdict == "unverified" and event.why else ""
    return f"{at} {event.stream}: {event.question} ({lasted}{verdict}; {event.watch}){doubt}"
