"""Measure what `lite` still knows of a day: `flashback eval recall`.

A made-up day (`training/streams/day.py`) with events at known ages is remembered and folded as a live stream
is, and asked about as users ask (`training/exams/recall/exam.py`): words of time become a range. Beside it
stand the newest clips, as many as the folded history has blocks (first in, first out at equal bytes of
what the language model holds), the last minute, the last four frames, and nothing.

    fold, second look   ─┐
    first in, first out ─┼─► Recall ─► the engine that serves       each from a store of its own
    … blind             ─┘

Some questions are asked one by one, which says how soon the first word comes; the others several at
once, which costs a third of the time.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from itertools import islice
from pathlib import Path
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
from training.exams.recall.exam import KINDS, Pupil, RecallCase, cases
from training.exams.recall.scores import as_dict, tables, targets
from training.exams.recall.told import Read, RecallTold, save
from training.lite.made_up import world
from training.streams.day import PERIOD, Day
from training.train import commit

AGES = (30.0, 300.0, 3600.0, 4 * 3600.0, 23.8 * 3600.0)
APART = 100.0
"""Seconds between events of one age."""
TIMED = 14
"""Questions of each way that are asked one by one: all kinds, at two ages."""
WAYS = ("fold", "second look", "first in, first out", "last minute", "last 4 frames", "blind")

console = Console(stderr=True)
app = typer.Typer(add_completion=False)


@app.command()
def evaluate(
    hours: Annotated[float, typer.Option(min=0.05, help="How long a day is.")] = 24.0,
    each: Annotated[int, typer.Option(min=1, max=7, help="How many events of every age.")] = 2,
    days: Annotated[int, typer.Option(min=1, help="How many days.")] = 1,
    seed: Annotated[int, typer.Option(help="The first of them; another day for every seed.")] = 0,
    kinds: Annotated[str, typer.Option(metavar="KIND,…", help="Only these.")] = ",".join(KINDS),
    ways: Annotated[
        str, typer.Option(metavar="WAY;…", help="Only these, parted by semicolons.")
    ] = ";".join(WAYS),
    together: Annotated[int, typer.Option(min=1, max=8, help="Questions asked at once.")] = 8,
    output: Annotated[
        Path | None, typer.Option(help="Folder for answers, tables and plot; goes on there.")
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Tell every answer as it comes.")] = False,
    only_json: Annotated[
        bool, typer.Option("--json", help="Print the line of JSON alone.")
    ] = False,
) -> None:
    """Ask about events of made-up days: tables, then one line of JSON."""  # noqa: DOC501 - it is shown
    wanted = [way.strip() for way in ways.split(";")]
    if unknown := {*wanted} - {*WAYS} | {*kinds.split(",")} - {*KINDS}:
        raise typer.BadParameter(f"no such way or kind: {', '.join(sorted(unknown))}")
    ages = [age for age in AGES if age + each * APART + 90 < hours * 3600]
    planted = [age + APART * n for age in ages for n in range(each)]
    told = RecallTold(output, console.print if show else None)
    for number in range(seed, seed + days):
        day = Day(world(base_folder()), hours * 3600, planted, number)
        asyncio.run(_examine(day, kinds.split(","), wanted, told, together))
    sittings = told.sittings(wanted)
    found = {
        "eval": "recall",
        "commit": commit(),
        "hours": hours,
        "events": len(planted) * days,
        "days": days,
        "seed": seed,
        "bytes_an_hour": round(told.bytes_an_hour),
        "targets": targets(sittings, ages),
        "ways": {s.way: as_dict(s, ages) for s in sittings},
    }
    text = f"{tables(sittings, ages)}\n\n{told.bytes_an_hour / 1e6:.1f} MB an hour in memory, without pictures; {commit()}\n"
    if output is not None:
        save(output, text, found, sittings, ages)
    out = Console(soft_wrap=True, highlight=False)
    if not only_json:
        out.print(text, markup=False)
    out.print(json.dumps(found), markup=False)


async def _examine(
    day: Day, kinds: Sequence[str], ways: Sequence[str], told: RecallTold, together: int
) -> None:
    """Ask about one day whatever is not told yet."""
    asked = [case for case in cases(day) if case.kind in kinds]
    ways = [way for way in ways if not told.knows(day.seed, way, asked)]
    if not ways:
        return
    engine = await asyncio.to_thread(load_engine, "lite")
    try:
        store = LocalStore(engine.encoder, exact=engine.exact_columns)
        kept = await _remember(store, WAYS[0], track(day.clips(), "a day", day.count, console=console, transient=True))  # fmt: skip
        record = await store.find(WAYS[0])
        assert record is not None
        told.bytes_an_hour = record.bytes / (day.count * PERIOD / 3600)
        blocks = await _blocks(engine, store, WAYS[0])
        shown: Mapping[str, Sequence[ClipTokens]] = {
            "first in, first out": kept[-len(blocks) :],
            "last minute": kept[-round(60 / PERIOD) :],
            "last 4 frames": kept[-1:],
            "blind": [_nothing(kept)],
        }
        for way in ways:
            held = shown.get(way)
            if held is not None:
                await _remember(store, way, held)
            stream = WAYS[0] if held is None else way
            recall = Recall(_name(stream), engine, store, looks_again=way == "second look")
            read = blocks if held is None else held
            sat = Read(day.seed, way, len(read), kept[-1].end - read[0].start)
            await _sit(
                Pupil(recall, kept[-1].end, times=way != "blind"), sat, asked, told, together
            )
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
    pupil: Pupil, sat: Read, asked: Sequence[RecallCase], told: RecallTold, together: int
) -> None:
    """Ask one of them everything."""
    first = replace(asked[0], text="What do you see?")
    await pupil.answer(first)  # what is to be read is, before the clock runs
    sizes = [*[1] * min(TIMED, len(asked)), *[together] * len(asked)]
    left = iter(asked)
    groups = [group for size in sizes if (group := list(islice(left, size)))]
    for group in track(groups, sat.way, console=console, transient=True):
        outcomes = await asyncio.gather(*(pupil.answer(case) for case in group))
        for o in outcomes:
            told.tell(sat, o if len(group) == 1 else replace(o, first=None))


def _nothing(day: Sequence[ClipTokens]) -> ClipTokens:
    """Return one clip as long as the day, that shows nothing."""
    values = torch.zeros_like(day[0].values)
    values[:, LOOK:] = NONE
    return ClipTokens(values, day[0].start, day[-1].end, 4)


def _name(way: str) -> str:
    return way.replace(" ", "-").replace(",", "")


if __name__ == "__main__":
    run_command(app, "flashback eval recall", (ModelUnavailable,))
