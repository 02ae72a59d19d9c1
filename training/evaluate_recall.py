"""Measure what `lite` still knows of a day: `flashback eval recall`.

A made-up day (`training/day.py`) with events at known ages is folded as a live stream is, and asked
about (`training/recall_exam.py`). Beside it stand a history of the newest clips, as many as the fold
has blocks (first in, first out at equal bytes), the last minute, the last four frames, and nothing.
"""

import json
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.progress import track

from model.engine.history_cache import HistoryCache
from model.errors import WeightsMissing
from model.folding.fold import Fold, FoldPlan
from model.types import ClipTokens
from model.video_chat import VideoChat
from model.zoo.lite import lite
from model.zoo.lite_base import base_folder
from stream.past.second_look import BLOCKS, Span, calibrated, named
from training.command import run_command
from training.day import PERIOD, Day
from training.made_up import world
from training.recall_exam import KINDS, Case, Outcome, Pupil, cases, found
from training.recall_scores import Sitting, as_dict, table
from training.train import commit

AGES = (30.0, 300.0, 1800.0, 3600.0, 4 * 3600.0, 12 * 3600.0, 23.8 * 3600.0)
WAYS = ("fold", "second look", "first in, first out", "last minute", "last 4 frames", "blind")
HISTORY_BYTES = 2 << 30

console = Console(stderr=True)
app = typer.Typer(add_completion=False)


@app.command()
def evaluate(
    hours: Annotated[float, typer.Option(min=0.05, help="How long the day is.")] = 24.0,
    days: Annotated[int, typer.Option(min=1, help="How many days.")] = 2,
    most: Annotated[
        int | None, typer.Option(min=16, help="Blocks at most; as many as are served if not said.")
    ] = None,
    kinds: Annotated[str, typer.Option(metavar="KIND,…", help="Only these.")] = ",".join(KINDS),
    ways: Annotated[str, typer.Option(metavar="WAY,…", help="Only these.")] = ",".join(
        way.replace(", ", "; ") for way in WAYS
    ),
    show: Annotated[bool, typer.Option("--show", help="Show every answer.")] = False,
    only_json: Annotated[
        bool, typer.Option("--json", help="Print the line of JSON alone.")
    ] = False,
) -> None:
    """Ask about events of a made-up day; a table, then one line of JSON."""
    service = VideoChat(lite(torch.device("cpu"), torch.bfloat16, console.print))
    most = most or HistoryCache(service, HISTORY_BYTES).clips_at_most
    wanted = [way.strip().replace("; ", ", ") for way in ways.split(",")]
    sat = [_sittings(service, hours, seed, most, kinds.split(","), wanted) for seed in range(days)]
    sittings = [_together(same) for same in zip(*sat, strict=True)]
    out = Console(soft_wrap=True, highlight=False)
    for o in (o for s in sittings for o in s.outcomes) if show and not only_json else ():
        c = o.case
        out.print(f"{c.kind} | {c.age:.0f} s | {c.text} | {o.answer} | {o.right} | {o.found}", markup=False)  # fmt: skip
    ages = [age for age in AGES if age < hours * 3600]
    if not only_json:
        out.print(table(sittings, ages), markup=False)
    config = service.parts.config.vision
    a_clip = 2 * config.tokens_per_clip * config.width
    found_ = {
        "eval": "recall",
        "commit": commit(),
        "hours": hours,
        "days": days,
        "most_blocks": most,
        "clip_bytes_an_hour": round(a_clip * 3600 / PERIOD),
        "ways": {s.way: as_dict(s, ages) for s in sittings},
    }
    out.print(json.dumps(found_), markup=False)


def _sittings(
    service: VideoChat,
    hours: float,
    seed: int,
    most: int,
    kinds: Sequence[str],
    ways: Sequence[str],
) -> list[Sitting]:
    ages = [age for age in AGES if age + 90 < hours * 3600]
    day = Day(world(base_folder()), hours * 3600, ages, seed)
    fold, newest = Fold(service.parts.rows, FoldPlan.within(most)), deque[ClipTokens](maxlen=most)
    seen: list[ClipTokens] = []
    for clip in track(day.clips(), "a day", day.count, console=console, transient=True):
        fold.add(clip)
        seen.append(clip)
        newest.append(clip)
    held: dict[str, Iterable[ClipTokens]] = {
        "fold": fold.tokens,
        "first in, first out": list(newest)[-len(fold.blocks) :],
        "last minute": list(newest)[-round(60 / PERIOD) :],
        "last 4 frames": list(newest)[-1:],
        "blind": (),
    }
    held["second look"] = held["fold"]
    asked = [case for case in cases(day) if case.kind in kinds]

    def originals(spans: Sequence[Span]) -> list[ClipTokens]:
        again = Fold(service.parts.rows, FoldPlan.within(BLOCKS))
        for clip in seen:
            if any(start <= clip.start <= end for start, end in spans):
                again.add(clip)
        return again.tokens

    return [
        sit(
            service,
            way,
            list(held[way]),
            asked,
            hours * 3600,
            originals if way == "second look" else None,
        )
        for way in ways
    ]


def sit(
    service: VideoChat,
    way: str,
    clips: Sequence[ClipTokens],
    asked: Sequence[Case],
    end: float,
    originals: Callable[[Sequence[Span]], list[ClipTokens]] | None = None,
) -> Sitting:
    """Ask whoever has read `clips` everything; with `originals`, who then looks again."""
    pupil, outcomes, waited = Pupil(service, clips, end), [], 0.0
    for case in track(asked, way, console=console, transient=True):
        began = time.perf_counter()
        one, (reading, evidence) = pupil, pupil.read(case.text)
        if originals is not None:
            usual = pupil.read("")[1]
            if spans := named(calibrated(evidence, usual), PERIOD):
                one = Pupil(service, originals(spans), end)
                reading, evidence = one.read(case.text)
        waited += time.perf_counter() - began
        answer = one.write(reading)
        outcomes.append(Outcome(case, answer, case.right(answer), found(case, evidence)))
    held = pupil.history.bytes if pupil.history is not None else 0
    return Sitting(way, tuple(outcomes), len(clips), held, 1000 * waited / max(len(asked), 1))


def _together(same: Sequence[Sitting]) -> Sitting:
    """Return the sittings of several days as one."""
    return Sitting(
        same[0].way,
        tuple(outcome for sitting in same for outcome in sitting.outcomes),
        max(sitting.blocks for sitting in same),
        max(sitting.history_bytes for sitting in same),
        sum(sitting.first_word_ms for sitting in same) / len(same),
    )


if __name__ == "__main__":
    run_command(app, "flashback eval recall", (WeightsMissing,))
