"""`flashback caption`: what a film or stream shows, span after span, with the times.

Every span is asked about by itself, as a question about a range is; neighbours that are said to show
the same become one.
"""

import asyncio
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace

from rich.console import Console

from model.errors import ModelUnavailable
from model.types import Question
from stream.file.sampling import MOST, TOGETHER
from stream.live import LiveStream
from web.ask import Stopwatch, ask_whole
from web.cli.source.ask import frames_at_most
from web.cli.source.watch import look_at, no_frame, watch
from web.composition.opening import open_stream
from web.errors import Failed, Refusal
from web.pulled_sources import pull_settings
from web.services import CLOCKS
from web.settings import Settings

_screen = Console(stderr=True, highlight=False)


@dataclass(frozen=True, slots=True)
class Caption:
    """What a span shows.

    Attributes:
        start: Media second at which it begins.
        end: At which it ends.
        text: In words.
    """

    start: float
    end: float
    text: str


def run_caption(
    settings: Settings,
    source: str,
    *,
    every: float,
    last: float | None,
    question: str,
    as_json: bool,
) -> None:
    """Print a caption for every span of `source`, oldest first.

    Args:
        settings: As they were set from outside.
        source: A file, a URL or a device.
        every: Seconds of a span.
        last: Seconds to watch; None is all of what has an end.
        question: What is asked of every span.
        as_json: Print an object a line instead of words.

    Raises:
        Failed: If the source cannot be watched, or a span not be described.
    """
    if every <= 0:
        raise Failed("--every takes a number of seconds above 0", 2)
    for caption in asyncio.run(_captions(settings, source, every, last, question)):
        line = json.dumps(asdict(caption)) if as_json else _line(caption)
        sys.stdout.write(f"{line}\n")


async def _captions(
    settings: Settings, source: str, every: float, last: float | None, question: str
) -> Sequence[Caption]:
    subject = await look_at(source, last, pull_settings(settings))
    opened = open_stream(settings, "captioned", lambda text: _screen.print(text, markup=False))
    try:
        async with opened as (engine, live):
            # As densely as it is described: a frame a second would leave short spans with none.
            most = max(TOGETHER, min(MOST, frames_at_most(MOST, engine)))
            await watch(subject, live, lambda *_: None, most, say=_note)
            await live.settle()
            if (end := live.end) is None:
                raise Failed(no_frame(subject), 2)
            begin = max(0.0, end - last) if last is not None else 0.0
            said = [
                caption
                for start, stop in spans(begin, end, every)
                if (caption := await _caption(live, start, stop, question)) is not None
            ]
            return merged(said)
    except ModelUnavailable as error:
        raise Failed(str(error)) from None


def _note(text: str) -> None:
    _screen.print(f"flashback: {text}", soft_wrap=True, markup=False)


async def _caption(live: LiveStream, start: float, stop: float, question: str) -> Caption | None:
    """Return what a span shows; None if nothing was seen in it.

    Raises:
        Failed: If the network fails.
    """
    asked = Question(question, since=start, until=stop)
    try:
        answered = await ask_whole(live, asked, Stopwatch(CLOCKS.monotonic))
    except Refusal as failure:
        if failure.code == "nothing_seen":
            return None
        raise Failed(str(failure)) from None
    return Caption(start, stop, answered.text)


def spans(begin: float, end: float, every: float) -> Iterator[tuple[float, float]]:
    """Yield spans of `every` seconds from `begin` to `end`; the last may be shorter."""
    start = begin
    while start < end:
        yield round(start, 3), round(min(start + every, end), 3)
        start += every


def merged(captions: Sequence[Caption]) -> list[Caption]:
    """Return the captions, neighbours that say the same as one."""
    found: list[Caption] = []
    for caption in captions:
        before = found[-1] if found else None
        if before is not None and (before.text, before.end) == (caption.text, caption.start):
            found[-1] = replace(before, end=caption.end)
        else:
            found.append(caption)
    return found


def _line(caption: Caption) -> str:
    return f"{_clock(caption.start)} - {_clock(caption.end)}  {caption.text}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}:{rest:04.1f}"
