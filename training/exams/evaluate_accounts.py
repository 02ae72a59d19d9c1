"""Measure how `lite` tells a long past: `flashback eval accounts --scenes 6,12,24,40`.

Streams are made up as those of `flashback eval streams` are, of seeds that training never draws, and
asked for an account: all that was shown, in order. Beside what the service says (which tells many scenes
in parts, `stream/past/account.py`) stands what the language model says at once.

    named      share of the scenes that are named in the right order (longest common subsequence)
    true       share of what is named that this leaves: what is told twice, or was never there, is not
"""

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from memory.local_store import LocalStore
from model.engine.contract import Past
from model.engine.local import LocalEngine
from model.errors import ModelUnavailable
from model.types import Question
from model.vision.changes import phrase
from model.vision.vocabulary import with_article
from model.zoo.lite_base import convert
from model.zoo.presets import load_engine
from stream.past.account_words import TOLD_AS
from stream.past.recall import Recall
from training.command import run_command
from training.exams.evaluate_streams import _KEPT_ASIDE, _clips
from training.exams.film_exam import text_of
from training.lite.made_up import world
from training.streams.told import told
from training.streams.world import Mix, World, WorldStream
from training.train import commit

_TOKENS = 400
_BETWEEN = re.compile(r"(?:from [\d:]+ to [\d:]+:|\. |, then |\bfirst |\bthose are .*|…)")

console = Console(stderr=True)
app = typer.Typer(add_completion=False)


@dataclass(frozen=True, slots=True)
class AccountTold:
    """One account.

    Attributes:
        way: How it was told.
        wanted: What was reported of every scene, in order.
        named: What it names, in order.
        text: In words.
    """

    way: str
    wanted: tuple[str, ...]
    named: tuple[str, ...]
    text: str

    @property
    def right(self) -> int:
        """How many scenes are named in the right order."""
        return common(self.wanted, self.named)


@app.command()
def evaluate(
    scenes: Annotated[
        str, typer.Option(metavar="N,…", help="Scenes of the streams.")
    ] = "6,12,24,40",
    streams: Annotated[int, typer.Option(min=1, help="How many of each.")] = 6,
    ways: Annotated[str, typer.Option(metavar="WAY,…", help="Only these.")] = "at once,served",
    question: Annotated[
        str, typer.Option(help="How the service is asked.")
    ] = "List everything in order.",
    again: Annotated[float, typer.Option(help="Share of scenes that come again.")] = 0.15,
    glimpses: Annotated[
        float, typer.Option(help="Share of clips whose main thing is half seen as something else.")
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="Decides what is shown.")] = 1,
    show: Annotated[bool, typer.Option("--show", help="Show every account.")] = False,
) -> None:
    """Ask `lite` for accounts of made-up streams; a table and a line of JSON."""  # fmt: skip
    out = Console(soft_wrap=True, highlight=False)
    counts = [int(part) for part in scenes.split(",")]
    found = asyncio.run(_run(counts, streams, ways.split(","), question, again, glimpses, seed))
    table = Table("scenes", "way", "accounts", "named", "true")
    figures = []
    for count, accounts in found.items():
        for told_ in accounts if show else ():
            out.print(f"{told_.way} | {told_.right} of {len(told_.wanted)} | {told_.text}\n    {', '.join(told_.wanted)}", markup=False)  # fmt: skip
        for way in ways.split(","):
            own = [one for one in accounts if one.way == way]
            right = sum(one.right for one in own)
            named = right / sum(len(one.wanted) for one in own)
            true = right / max(1, sum(len(one.named) for one in own))
            table.add_row(str(count), way, str(len(own)), f"{named:.0%}", f"{true:.0%}")
            figures.append({"scenes": count, "way": way, "named": round(named, 4), "true": round(true, 4)})  # fmt: skip
    out.print(table)
    about = {
        "eval": "accounts",
        "model": "lite",
        "commit": commit(),
        "streams": streams,
        "seed": seed,
        "glimpses": glimpses,
    }
    out.print(json.dumps(about | {"scores": figures}), markup=False)


async def _run(
    counts: Sequence[int],
    streams: int,
    ways: Sequence[str],
    question: str,
    again: float,
    glimpses: float,
    seed: int,
) -> dict[int, list[AccountTold]]:
    engine = await asyncio.to_thread(load_engine, "lite")
    made, found = world(convert()), dict[int, list[AccountTold]]()
    try:
        for count in counts:
            found[count] = []
            for number in range(streams):
                random = np.random.default_rng([_KEPT_ASIDE, seed, count, number])
                stream = stream_of(made, random, count, again)
                seen = glimpsed(stream, made, random, glimpses)
                for way in ways:
                    text = await _tell(engine, made, seen, way, question, number)
                    one = AccountTold(way, wanted_of(stream, made), named_in(text), text)
                    console.print(
                        f"{count} scenes, {way}: {one.right} right of {len(one.wanted)}, "
                        f"{len(one.named)} named"
                    )
                    found[count].append(one)
    finally:
        await engine.close()
    return found


async def _tell(
    engine: LocalEngine, made: World, stream: WorldStream, way: str, question: str, number: int
) -> str:
    store = LocalStore(engine.encoder, exact=engine.exact_columns)
    name = f"{len(stream.scenes)}-{number}"
    await store.begin(name, 0.0)
    for clip in _clips(stream, made, np.random.default_rng(number)):
        await store.append(name, clip, b"")
    if way == "at once":
        pieces = engine.answer(Past(name, store), Question(TOLD_AS, tokens=_TOKENS))
    else:
        pieces = Recall(name, engine, store).ask(Question(question, tokens=_TOKENS))
    text, _ = await text_of(pieces)
    await engine.forget(name)
    return text


def stream_of(made: World, random: np.random.Generator, scenes: int, again: float) -> WorldStream:
    """Return a stream of so many scenes, three clips each on average."""
    mix = Mix(longest=3 * scenes, single=0.0, scenes=scenes, cuts=True, again=again)
    while True:
        stream = made.stream(random, mix)
        if len(stream.scenes) == scenes:
            return stream


def glimpsed(
    stream: WorldStream, made: World, random: np.random.Generator, share: float
) -> WorldStream:
    """Return `stream` with the main thing of a share of its clips half seen as what it is like."""
    seen = []
    for things in stream.seen:
        if things and random.random() < share:
            main = replace(
                things[0],
                word=made.like(random, things[0].word),
                sure=float(random.uniform(0.5, 0.75)),
                kind=None,
            )
            things = (main, *things[1:])
        seen.append(things)
    return replace(stream, seen=tuple(seen))


def wanted_of(stream: WorldStream, made: World) -> tuple[str, ...]:
    """Return what was reported of every scene that something is sure of, by its main thing."""
    main = (scene.sure[0] for scene in told(stream) if scene.sure)
    said = ((phrase(thing, made.table), thing.count) for thing in main)
    names = (name if count > 1 else with_article(name) for name, count in said)
    return tuple(name for name, _ in groupby(names))


def named_in(text: str) -> tuple[str, ...]:
    """Return what an account names, in order."""
    parts = (part.strip(" .") for part in _BETWEEN.split(f"{text.lower()} "))
    return tuple(name for name, _ in groupby(part for part in parts if part))


def common(one: Sequence[str], other: Sequence[str]) -> int:
    """Return the length of the longest row of names that both have in order."""
    best = [0] * (len(other) + 1)
    for name in one:
        row = [0]
        for place, beside in enumerate(other):
            row.append(best[place] + 1 if name == beside else max(best[place + 1], row[-1]))
        best = row
    return best[-1]


if __name__ == "__main__":
    run_command(app, "flashback eval accounts", (ModelUnavailable,))
