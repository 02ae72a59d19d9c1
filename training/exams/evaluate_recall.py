"""Measure what `lite` still knows of a day: `flashback eval recall`.

A made-up day (`training/streams/day.py`) with events at known ages is remembered and folded as a live stream
is, and asked about as users ask (`training/exams/recall_exam.py`): words of time become a range. Beside it
stand the newest clips, as many as the folded history has blocks (first in, first out at equal bytes of
what the language model holds), the last minute, the last four frames, and nothing.

    fold, second look   ─┐
    first in, first out ─┼─► Recall ─► the engine that serves       each from a store of its own
    … blind             ─┘
"""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.progress import track

from memory.local_store import LocalStore
from model.engine.contract import Past
from model.engine.local import LocalEngine
from model.errors import ModelUnavailable
from model.types import ClipTokens, Question
from model.vision.things import NONE
from model.zoo.lite import LOOK
from model.zoo.lite_base import base_folder
from model.zoo.presets import load_engine
from stream.past.recall import Recall
from training.command import run_command
from training.exams.recall_exam import KINDS, Case, Pupil, cases
from training.exams.recall_scores import Sitting, as_dict, tables, targets
from training.lite.made_up import world
from training.streams.day import PERIOD, Day
from training.train import commit

AGES = (30.0, 300.0, 3600.0, 4 * 3600.0, 23.8 * 3600.0)
APART = 100.0
"""Seconds between events of one age."""
WAYS = ("fold", "second look", "first in, first out", "last minute", "last 4 frames", "blind")

console = Console(stderr=True)
app = typer.Typer(add_completion=False)


@app.command()
def evaluate(
    hours: Annotated[float, typer.Option(min=0.05, help="How long the day is.")] = 24.0,
    each: Annotated[int, typer.Option(min=1, max=7, help="How many events of every age.")] = 2,
    seed: Annotated[int, typer.Option(help="Another day.")] = 0,
    kinds: Annotated[str, typer.Option(metavar="KIND,…", help="Only these.")] = ",".join(KINDS),
    ways: Annotated[
        str, typer.Option(metavar="WAY;…", help="Only these, parted by semicolons.")
    ] = ";".join(WAYS),
    show: Annotated[bool, typer.Option("--show", help="Tell every answer as it comes.")] = False,
    only_json: Annotated[
        bool, typer.Option("--json", help="Print the line of JSON alone.")
    ] = False,
) -> None:
    """Ask about events of a made-up day: tables, then one line of JSON."""  # noqa: DOC501 - it is shown
    wanted = [way.strip() for way in ways.split(";")]
    if unknown := {*wanted} - {*WAYS} | {*kinds.split(",")} - {*KINDS}:
        raise typer.BadParameter(f"no such way or kind: {', '.join(sorted(unknown))}")
    ages = [age for age in AGES if age + each * APART + 90 < hours * 3600]
    planted = [age + APART * n for age in ages for n in range(each)]
    day = Day(world(base_folder()), hours * 3600, planted, seed)
    sittings, hourly = asyncio.run(_examine(day, hours, kinds.split(","), wanted, show=show))
    out = Console(soft_wrap=True, highlight=False)
    if not only_json:
        out.print(tables(sittings, ages), markup=False)
        out.print(f"\n{hourly / 1e6:.1f} MB an hour in memory, without pictures; {commit()}\n")
    found = {
        "eval": "recall",
        "commit": commit(),
        "hours": hours,
        "events": len(planted),
        "seed": seed,
        "bytes_an_hour": round(hourly),
        "targets": targets(sittings, ages),
        "ways": {s.way: as_dict(s, ages) for s in sittings},
    }
    out.print(json.dumps(found), markup=False)


async def _examine(
    day: Day, hours: float, kinds: Sequence[str], ways: Sequence[str], *, show: bool
) -> tuple[list[Sitting], float]:
    """Return the sittings, and the bytes that an hour takes in memory."""
    engine = await asyncio.to_thread(load_engine, "lite")
    try:
        store = LocalStore(engine.encoder, exact=engine.exact_columns)
        kept = await _remember(store, WAYS[0], track(day.clips(), "a day", day.count, console=console, transient=True))  # fmt: skip
        record = await store.find(WAYS[0])
        assert record is not None
        blocks = await _blocks(engine, store, WAYS[0])
        shown: Mapping[str, Sequence[ClipTokens]] = {
            "first in, first out": kept[-len(blocks) :],
            "last minute": kept[-round(60 / PERIOD) :],
            "last 4 frames": kept[-1:],
            "blind": [_nothing(kept)],
        }
        asked = [case for case in cases(day) if case.kind in kinds]
        sittings = []
        for way in ways:
            held = shown.get(way)
            if held is not None:
                await _remember(store, way, held)
            stream = WAYS[0] if held is None else way
            recall = Recall(_name(stream), engine, store, looks_again=way == "second look")
            read = blocks if held is None else held
            sittings.append(await _sit(way, recall, asked, read, kept[-1].end, show=show))
        return sittings, record.bytes / hours
    finally:
        await engine.close()


async def _remember(store: LocalStore, way: str, clips: Iterable[ClipTokens]) -> list[ClipTokens]:
    """Remember clips as a service would; return them as they are kept."""
    await store.begin(_name(way), 0.0)
    return [await store.append(_name(way), clip, b"") for clip in clips]


async def _blocks(engine: LocalEngine, store: LocalStore, way: str) -> Sequence[ClipTokens]:
    """Have the history of a day made; return what it is made of."""
    past = Past(_name(way), store)
    async with aclosing(engine.answer(past, Question("", tokens=0))) as pieces:
        async for _ in pieces:  # which waits for all clips
            pass
    return await engine.blocks(past)


async def _sit(
    way: str,
    recall: Recall,
    asked: Sequence[Case],
    read: Sequence[ClipTokens],
    end: float,
    *,
    show: bool,
) -> Sitting:
    """Ask one of them everything."""
    pupil, outcomes = Pupil(recall, end, times=way != "blind"), []
    await pupil.answer(
        replace(asked[0], text="What do you see?")
    )  # what is to be read is, before the clock runs
    for case in track(asked, way, console=console, transient=True):
        outcomes.append(await pupil.answer(case))
        if show:
            o = outcomes[-1]
            console.print(f"{way} | {case.kind} | {case.age:.0f} s | {case.text} | {o.answer} | {o.right} | {o.found}", markup=False)  # fmt: skip
    return Sitting(way, tuple(outcomes), len(read), end - read[0].start)


def _nothing(day: Sequence[ClipTokens]) -> ClipTokens:
    """Return one clip as long as the day, that shows nothing."""
    values = torch.zeros_like(day[0].values)
    values[:, LOOK:] = NONE
    return ClipTokens(values, day[0].start, day[-1].end, 4)


def _name(way: str) -> str:
    return way.replace(" ", "-").replace(",", "")


if __name__ == "__main__":
    run_command(app, "flashback eval recall", (ModelUnavailable,))
