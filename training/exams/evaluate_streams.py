"""Measure how `lite` reads long streams: `flashback eval streams --clips 35,200`.

Streams are made up (`training/lite/made_up.py`), of seeds that training never draws; what an imperfect eye
says of them is given, so this measures reading alone: memory, order, counting, and saying that
something was never there. Everything goes through the engine as a question of a user does, to the last
word. Right is what says word for word what was reported; beside it those who saw less:

    last    the last clip alone
    blind   as many clips at the same times in which nothing was recognised
"""

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from rich.console import Console
from rich.progress import Progress
from torch.nn.functional import pad

from model.engine.contract import Engine, Past
from model.engine.pulling import GivenClips
from model.errors import ModelUnavailable
from model.types import ClipTokens, Question
from model.vision.things import Thing
from model.vision.things import pack as pack_things
from model.zoo.lite import LOOK, THINGS
from model.zoo.lite_base import convert
from training.command import run_command
from training.dialogue.asker import Asker
from training.exams.film_cases import FilmCase
from training.exams.film_exam import FilmAnswer, text_of, whole
from training.exams.film_scores import as_json, scores, table, wilson
from training.exams.resting import clips_about, rests_on
from training.lite.made_up import seen_of, world
from training.streams.world import Mix, World, WorldStream
from training.train import commit
from web.composition.opening import load_model
from web.errors import BadValue, Failed
from web.settings import read_settings

_KEPT_ASIDE = 1_000_003
"""First number of the seeds of what is measured on; training draws from small ones."""
_LONG_ENOUGH = 0.9
"""A stream has at least this share of the clips asked for."""

console = Console(stderr=True)
app = typer.Typer(add_completion=False)


@app.command()
def evaluate(
    clips: Annotated[str, typer.Option(metavar="N,…", help="Clips of the streams.")] = "35,200",
    streams: Annotated[int, typer.Option(min=1, help="How many of each length.")] = 12,
    questions: Annotated[int, typer.Option(min=1, help="About each stream.")] = 16,
    seed: Annotated[int, typer.Option(help="Decides what is shown and asked.")] = 1,
    controls: Annotated[bool, typer.Option(help="Also ask those who saw less.")] = True,
    show: Annotated[bool, typer.Option("--show", help="Show every answer.")] = False,
) -> None:
    """Ask `lite` about long made-up streams; a table and a line of JSON for each length.

    Raises:
        BadParameter: If the lengths cannot be read.
    """
    out = Console(soft_wrap=True, highlight=False)
    try:
        lengths = [int(part) for part in clips.split(",")]
    except ValueError:
        raise typer.BadParameter(f"--clips takes numbers with commas, not {clips!r}") from None
    measured = _measure(lengths, streams, questions, seed, controls=controls)
    for length, answers in measured.items():
        for answered in answers if show else ():
            case, right = answered.case, answered.case.is_right(answered.seen)
            line = ("right" if right else "WRONG", case.kind, case.question, answered.seen)
            out.print(" | ".join((*line, case.accept.pattern)), markup=False)
        out.print(f"\n{streams} streams of about {length} clips\n", markup=False)
        found = scores(answers)
        out.print(table(found), markup=False)
        resting = [answered.rests for answered in answers if answered.rests is not None]
        rest = wilson(sum(resting), len(resting)) if resting else None
        if rest is not None:
            out.print(f"\nThe clip that a right answer rests on shows what it is about: {rest.right} of {len(resting)}")  # fmt: skip
        about: dict[str, object] = {
            "data": f"made up, {length} clips",
            "model": "lite",
            "commit": commit(),
        }
        about["evidence"] = None if rest is None else asdict(rest) | {"asked": len(resting)}
        out.print(as_json(found, about, "streams"), markup=False)


def _measure(
    lengths: Sequence[int], streams: int, questions: int, seed: int, *, controls: bool
) -> dict[int, list[FilmAnswer]]:
    """Load `lite`, ask everything, and show how far it is.

    Raises:
        Failed: If the model cannot be loaded.
    """
    answers: dict[int, list[FilmAnswer]] = {length: [] for length in lengths}
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("streams", total=streams * len(answers))

        async def run() -> None:
            try:
                engine = await asyncio.to_thread(
                    load_model, read_settings(model="lite"), console.print
                )
            except ModelUnavailable as error:
                raise Failed(str(error)) from None
            try:
                made = world(convert())
                for length, number in product(answers, range(streams)):
                    random = np.random.default_rng([_KEPT_ASIDE, seed, length, number])
                    answers[length] += await _about(
                        engine, made, random, length, questions, controls=controls
                    )
                    progress.advance(task)
            finally:
                await engine.close()

        asyncio.run(run())
    return answers


async def _about(
    engine: Engine,
    made: World,
    random: np.random.Generator,
    length: int,
    questions: int,
    *,
    controls: bool,
) -> list[FilmAnswer]:
    stream = _stream(made, random, length)
    asked = Asker(made, stream, random).ask(questions, past=3.0, when=2.0)
    seen = list(_clips(stream, made, random))
    nothing = [_replaced(clip, ()) for clip in seen]
    duration = stream.ends[-1] if stream.finished else None
    name = f"{length}-{stream.starts[0]}-{stream.ends[-1]}"
    answers = []
    for one in asked:
        case = FilmCase(Path(name), one.kind, one.question, re.compile(re.escape(one.answer.lower()) + "$"))  # fmt: skip
        question = Question(one.question, duration=duration)

        said, finish = await whole(engine.answer(Past(name, GivenClips(seen)), question))
        about = clips_about(one, stream, made.table) if case.is_right(said) else None

        async def ask(of: str, clips: Sequence[ClipTokens], put: Question = question) -> str:
            return (await text_of(engine.answer(Past(of, GivenClips(clips)), put)))[0]

        answers.append(
            FilmAnswer(
                case,
                said,
                await ask(f"{name}-last", seen[-1:]) if controls else None,
                await ask(f"{name}-blind", nothing) if controls else None,
                None if about is None else rests_on(finish.evidence, about, stream),
            )
        )
    for of in (name, f"{name}-last", f"{name}-blind"):
        await engine.forget(of)
    return answers


def _stream(made: World, random: np.random.Generator, length: int) -> WorldStream:
    mix = Mix(longest=length, single=0.0, scenes=min(length // 4, 40), cuts=True)
    while True:
        stream = made.stream(random, mix)
        if len(stream.seen) >= _LONG_ENOUGH * length:
            return stream


def _clips(stream: WorldStream, made: World, random: np.random.Generator) -> Iterator[ClipTokens]:
    for things, start, end in zip(stream.seen, stream.starts, stream.ends, strict=True):
        visual = pad(seen_of(things, made, random), (LOOK, 0))
        values = torch.cat([pad(pack_things(things, THINGS), (LOOK, 0)), visual])
        yield ClipTokens(values.to(torch.float16), start, end)


def _replaced(clip: ClipTokens, things: Sequence[Thing]) -> ClipTokens:
    """Return `clip` with other things, and visual tokens in which nothing is believed."""
    values = torch.zeros_like(clip.values)
    values[:THINGS] = pad(pack_things(things, THINGS), (LOOK, 0)).to(values.dtype)
    return ClipTokens(values, clip.start, clip.end, clip.frames)


if __name__ == "__main__":
    run_command(app, "flashback eval streams", (BadValue, Failed))
