"""`flashback ask`: watch a file or URL, without a server, and answer questions about it.

The same stream, engine and history as in the service, around a memory that lives in this process.
Only the answer goes to standard output; what is being done goes to standard error.
"""

import asyncio
import json
import math
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, replace

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from model.engine.contract import Engine
from model.errors import ModelUnavailable
from model.types import Question
from stream.file.sampling import TOGETHER
from stream.file.whole_file import Sampled
from stream.live import LiveStream
from web.ask import Stopwatch, ask_whole
from web.cli.source.watch import look_at, no_frame, watch
from web.composition.opening import open_stream
from web.errors import Failed, Refusal
from web.pulled_sources import pull_settings
from web.realtime.server_events import TimeUnderstood
from web.reports.time_report import range_in_words, time_report
from web.services import CLOCKS
from web.settings import Settings
from web.time_words.apply import apply, reference_of
from web.time_words.extent import Reference

_STREAM = "asked"

_screen = Console(stderr=True, highlight=False)


@dataclass(frozen=True, slots=True)
class _AskReport:
    """What `--json` prints.

    Attributes:
        question: As it was asked.
        time: What was understood of words of time in it (`words`, `since`, `until`, their clocks of a
            live source, `question`: what was asked of the model); null without any.
        answer: In words.
        evidence: `start`, `end` and `score` of every clip, oldest first.
        frames: Frames that were looked at.
        start: Media second of the first of them.
        end: Media second of the last.
        behind: Seconds of video that came before the question, after `end`, and were not read yet.
        clips: Clips that the answer could draw on.
        tokens_kept: Visual tokens left after the last selection.
        first_token_ms: From the question to the first word; null if there was none.
        total_ms: From the question to the last word.
        model: What answered.
        left_out: What of the source was not looked at, in sentences; empty if all was.
    """

    question: str
    time: dict[str, str | float | None] | None
    answer: str
    evidence: list[dict[str, float]]
    frames: int
    start: float
    end: float
    behind: float
    clips: int
    tokens_kept: int
    first_token_ms: float | None
    total_ms: float
    model: str
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SourcePart:
    """Which part of a source to look at; what is None has no bound.

    Attributes:
        last: Seconds to watch: of a source that has an end the last ones, of a live one the next.
        since: From this media second on.
        until: Up to this media second.
    """

    last: float | None = None
    since: float | None = None
    until: float | None = None

    def check(self) -> None:
        """Refuse what cannot be looked at.

        Raises:
            Failed: If it is empty.
        """
        if self.since is not None and self.until is not None and self.until < self.since:
            raise Failed(f"--until {self.until:g} lies before --since {self.since:g}", 2)


def run_ask(
    settings: Settings,
    source: str,
    questions: Sequence[str],
    *,
    part: SourcePart,
    frames: int,
    as_json: bool,
) -> None:
    """Answer `questions` about `source` on standard output, each as soon as it is answered.

    Args:
        settings: As they were set from outside.
        source: A file, a URL or a device.
        questions: One or more.
        part: What to look at; all is `SourcePart()`.
        frames: Of a whole file to look at, at most.
        as_json: Print an object a line, one for each question, instead of words.

    Raises:
        Failed: If the source is not a video, or holds nothing to answer from, or is live and `last`
            does not say for how long to watch it.
    """
    if not all(question.strip() for question in questions):
        raise Failed("the question is empty", 2)
    if frames < TOGETHER:
        raise Failed(f"--frames takes a number from {TOGETHER}", 2)
    part.check()
    asyncio.run(_ask(settings, source, questions, part, frames, as_json=as_json))


def _say(asked: _AskReport, number: int, count: int, *, as_json: bool) -> None:
    if as_json:
        _print(json.dumps(asdict(asked)))
        return
    if asked.time is not None:
        understood = TimeUnderstood.model_validate(asked.time)
        _note(f"“{understood.words}”: looked at {range_in_words(understood)}")
    if count == 1:
        _print(asked.answer)
    else:
        gap = "\n" if number else ""
        _print(f"{gap}{asked.question}\n{asked.answer}")


def _print(answer: str) -> None:
    try:
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()
    except OSError as error:
        # What is left in the buffer would be tried again, and fail again, at the end of the process.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):  # `| head`: whoever reads has read enough
            raise Failed("standard output was closed before the answer was written") from None
        raise Failed(f"the answer cannot be written: {error.strerror}") from None


async def _ask(
    settings: Settings,
    source: str,
    questions: Sequence[str],
    part: SourcePart,
    frames: int,
    *,
    as_json: bool,
) -> None:
    subject = await look_at(source, part.last, pull_settings(settings))
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[at]}"),
        TimeElapsedColumn(),
        console=_screen,
        transient=True,
        disable=not _screen.is_terminal,
    ) as bars:
        bar = bars.add_task(f"Loading {settings.model}", total=None, at="")

        def progress(at: float, length: float | None, note: str) -> None:
            bars.update(bar, completed=at, total=length, at=note)

        async with _watcher(settings, bars, bar) as (engine, live):
            bars.reset(bar, description=escape(f"Watching {subject.source.shown}"))
            most = frames_at_most(frames, engine)
            left_out = list[str]()
            sampled = await watch(subject, live, progress, most, say=left_out.append)
            await live.settle()
            if sampled is not None:
                left_out += _fewer(sampled, frames, engine)
            left_out += lost_clips(live.status().lost.total)
            for text in left_out:
                _note(text)
            if (end := live.end) is None:
                raise Failed(no_frame(subject), 2)
            length = None if sampled is None else sampled.length
            status = live.status()
            # A film's times are its own; only what is live goes with the clock on the wall.
            reference = (
                reference_of(status, CLOCKS.wall(), None)
                if subject.live
                else Reference(length or end)
            )
            for number, text in enumerate(questions):
                bars.update(bar, description="Answering", total=None, at="")
                question = Question(text, since=part.since, until=part.until, duration=length)
                question, time = apply(question, reference)
                if part.last is not None:
                    since = -math.inf if question.since is None else question.since
                    question = replace(question, since=max(end - part.last, since))
                asked = await _answer(engine, live, question)
                understood = time_report(time, reference)
                told = None if understood is None else understood.model_dump()
                asked = replace(asked, question=text, time=told, left_out=tuple(left_out))
                _say(asked, number, len(questions), as_json=as_json)


def lost_clips(count: int) -> list[str]:
    """Say in a sentence that so many clips never reached memory; nothing if there are none."""
    clips = "1 clip was" if count == 1 else f"{count} clips were"
    return [f"{clips} lost: this machine could not encode or keep them in time."] * bool(count)


def _note(text: str) -> None:
    _screen.print(f"flashback: {text}", soft_wrap=True, markup=False)


def frames_at_most(frames: int, engine: Engine) -> int:
    """Return how many frames to look at, at most: no more than can be answered from."""
    return max(TOGETHER, min(frames, engine.clips_at_most * engine.frames_per_clip))


def _fewer(sampled: Sampled, frames: int, engine: Engine) -> list[str]:
    """Say that fewer frames were looked at than were asked for, if they were."""
    room = engine.clips_at_most * engine.frames_per_clip
    if room >= frames or sampled.frames <= room - TOGETHER:
        return []
    return [
        f"{sampled.frames} frames are looked at, not {frames}: {engine.name} cannot hold more of one "
        "video at once"
    ]


@asynccontextmanager
async def _watcher(
    settings: Settings, bars: Progress, bar: TaskID
) -> AsyncIterator[tuple[Engine, LiveStream]]:
    opened = open_stream(settings, _STREAM, lambda text: bars.update(bar, description=text))
    async with AsyncExitStack() as stack:
        try:
            watcher = await stack.enter_async_context(opened)
        except ModelUnavailable as error:
            raise Failed(str(error)) from None
        except OSError as error:
            raise Failed(
                f"{error.filename or settings.model} cannot be used: {error.strerror}"
            ) from None
        yield watcher


async def _answer(engine: Engine, live: LiveStream, question: Question) -> _AskReport:
    try:
        answered = await ask_whole(live, question, Stopwatch(CLOCKS.monotonic))
    except Refusal as failure:
        raise Failed(str(failure), 2 if failure.status < 500 else 1) from None
    usage = answered.finish.usage
    return _AskReport(
        question=question.text,
        time=None,
        answer=answered.text,
        evidence=[asdict(part) for part in answered.finish.evidence],
        frames=usage.frames,
        start=usage.start,
        end=usage.end,
        behind=round(usage.behind, 3),
        clips=usage.clips,
        tokens_kept=usage.tokens_kept,
        first_token_ms=answered.first_token_ms,
        total_ms=answered.total_ms,
        model=engine.name,
    )
