"""Measure watches: `flashback eval watches`, with `--data DIR` on films of the real world as well.

Events are planted in long quiet streams. Counted are those that were told, how many clips later, and
how often a watch fired in quiet, with exact bounds that hold at 90 % confidence.
"""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from model.errors import ModelUnavailable
from model.vision.vocabulary import WordTable, word_table
from stream.watches.words.lexicon import Lexicon
from training.command import run_command
from training.errors import BadData
from training.streams.world import World
from training.train import commit
from training.watches.films import FilmTrial
from training.watches.footage import read_footage, rooms
from training.watches.quiet import KINDS
from training.watches.scores import CONFIDENCE, Tally
from training.watches.trial import event, quiet
from web.composition.opening import load_model
from web.errors import BadValue, Failed
from web.settings import read_settings

HIT_RATE, DELAY_CLIPS, ALARMS_AN_HOUR = 0.9, 2, 0.5
HOURS_AT_ONCE = 1.0

console = Console(stderr=True)
app = typer.Typer(add_completion=False)


@app.command()
def evaluate(
    hours: Annotated[float, typer.Option(min=0, help="Made-up quiet hours of each kind.")] = 50,
    events: Annotated[int, typer.Option(min=0, help="Made-up events of each kind.")] = 300,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder with footage.json or cases.json: its films are shown to the model.",
        ),
    ] = None,
    film_hours: Annotated[
        float, typer.Option(min=0.1, help="Quiet hours of films, and of rooms drawn here.")
    ] = 10,
    film_events: Annotated[int, typer.Option(min=0, help="Events planted in them.")] = 120,
    drawn: Annotated[int, typer.Option(min=0, help="Rooms that are drawn.")] = 3,
    keep: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Keep what was seen there: a run cut short goes on."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Where chance begins.")] = 0,
    only_json: Annotated[
        bool, typer.Option("--json", help="Print the line of JSON alone.")
    ] = False,
) -> None:
    """Plant events in quiet streams; a table, then one line of JSON."""
    tallies = made_up(hours, events, seed)
    if data is not None:
        tallies |= films(data, Films(film_hours, film_events, drawn, keep, seed))
    if not only_json:
        _show(tallies)
    numbers = {name: tally.numbers() for name, tally in tallies.items()}
    about = {"confidence": CONFIDENCE, "seed": seed, "commit": commit(), "targets": _targets()}
    typer.echo(json.dumps({"name": "watches", **about, "kinds": numbers}, allow_nan=False))


def made_up(hours: float, events: int, seed: int) -> dict[str, Tally]:
    """Return what became of watches on made-up streams, by kind."""
    table = word_table()
    world, tallies = World(table, likeness(table)), dict[str, Tally]()
    for number, kind in enumerate(KINDS):
        random = np.random.default_rng([seed, number])
        tally = tallies[kind] = Tally()
        for _ in range(round(hours / HOURS_AT_ONCE)):
            tally.add(quiet(world, random, kind, HOURS_AT_ONCE))
        for _ in range(events):
            tally.add(event(world, random, kind))
    return tallies


def likeness(table: WordTable) -> list[list[int]]:
    """Return for every word those that share a broader one with it."""
    kinds = [set(word.broader) for word in table.words]
    return [
        [n for n, other in enumerate(kinds) if n != mine and other & kinds[mine]]
        for mine in range(len(table))
    ]


@dataclass(frozen=True, slots=True)
class Films:
    """How watches are measured on pixels.

    Attributes:
        hours: Quiet hours.
        events: Events planted in them.
        drawn: Rooms that are drawn.
        keep: Folder for what was seen.
        seed: Where chance begins.
    """

    hours: float
    events: int
    drawn: int
    keep: Path | None
    seed: int


def films(data: Path, wanted: Films) -> dict[str, Tally]:
    """Return what became of watches on films that the model really looked at.

    Raises:
        Failed: If the model or the films cannot be used.
    """
    settings = read_settings()
    table = word_table()
    try:
        footage = [*read_footage(data.absolute(), Lexicon(table)), *rooms(wanted.drawn)]
    except BadData as error:
        raise Failed(str(error)) from None

    async def run() -> dict[str, Tally]:
        try:
            engine = await asyncio.to_thread(load_model, settings, console.print)
        except ModelUnavailable as error:
            raise Failed(str(error)) from None
        try:
            trial = FilmTrial(engine, table, wanted.keep, wanted.seed)
            return await trial.run(footage, wanted.hours, wanted.events, console.print)
        finally:
            await engine.close()

    return asyncio.run(run())


def _targets() -> dict[str, float]:
    return {
        "hit_rate": HIT_RATE,
        "delay_clips": DELAY_CLIPS,
        "false_alarms_an_hour": ALARMS_AN_HOUR,
    }


def _show(tallies: dict[str, Tally]) -> None:
    shown = Table(title="Watches", title_justify="left")
    for column in ("kind", "told", "at least", "clips later, p50 / p95", "quiet hours", "false alarms", "an hour, at most"):  # fmt: skip
        shown.add_column(column, justify="left" if column == "kind" else "right")
    for name, tally in tallies.items():
        n = tally.numbers()
        told, sure = n["hit_rate"], n["hit_rate_at_least"]
        most = n["false_alarms_an_hour_at_most"]
        shown.add_row(
            name,
            "" if told is None else f"{told:.1%} of {tally.events}",
            "" if sure is None else f"{sure:.1%}",
            f"{n['delay_clips_p50']} / {n['delay_clips_p95']}",
            f"{tally.hours:.1f}",
            str(tally.alarms),
            "" if most is None else f"{most:.2f}",
        )
    Console(soft_wrap=True, highlight=False).print(shown)


if __name__ == "__main__":
    run_command(app, "flashback eval watches", (BadValue, Failed))
