"""The commands `flashback eval niah` (one needle) and `flashback eval mhniah` (chains of them)."""

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.progress import Progress

from model.engine.contract import Engine
from model.engine.local import LocalEngine
from model.errors import HistoryFull, ModelUnavailable
from model.video_chat import VideoChat
from model.zoo.presets import load_parts
from training.command import run_command
from training.drawn.drawings import HELD_OUT_SET, Sprites, load_sprites
from training.errors import BadData, Missing
from training.evaluations.command import machine
from training.needles.asking import Memory
from training.needles.chains import chain
from training.needles.dropping import ABLATIONS, with_dropout
from training.needles.haystack import Haystack, drawn_frames, recorded_frames
from training.needles.report import by, heat_map, lost, shares, table
from training.needles.trials import TrialResult, single

console = Console(stderr=True)
Number = TypeVar("Number", int, float)
LACKING = (Missing, ModelUnavailable, BadData, HistoryFull)


@dataclass(frozen=True, slots=True)
class NeedlePlan:
    """What is hidden, where, and how often.

    Attributes:
        lengths: Frames of the films.
        depths: Where a single needle is, from 0 to 1; empty hides none.
        chains: Lengths of chains; empty hides none.
        trials: Of each cell.
        distractors: Pairs that lead nowhere.
        films: To hide in; empty draws patterns.
        side: Of a frame, in pixels.
        seed: Decides every choice.
        known: Whether only what the eyes name is hidden.
    """

    lengths: tuple[int, ...]
    depths: tuple[float, ...]
    chains: tuple[int, ...]
    trials: int
    distractors: int
    films: tuple[Path, ...]
    side: int
    seed: int
    known: bool

    def runs(
        self, film: Haystack, sprites: Sprites, blind: Memory
    ) -> list[Callable[[], TrialResult]]:
        """Return every trial on one film, to be run."""
        seeds = [self.seed + 1000 * number for number in range(self.trials)]
        singles = [
            partial(single, film, sprites, depth, seed, blind, known=self.known)
            for depth in self.depths
            for seed in seeds
        ]
        chains = [
            partial(chain, film, sprites, hops, self.distractors, seed, blind, known=self.known)
            for hops in self.chains
            for seed in seeds
        ]
        return [*singles, *chains]


def run_needles(name: str, chains: str = "") -> None:
    """Run the command called `name` and end; `chains` are the lengths it follows by default."""
    run_command(command(name, chains), f"flashback eval {name}", LACKING)


def command(name: str, chains: str = "") -> typer.Typer:
    """Return the command called `name`; without `chains` it hides single pictures."""
    app = typer.Typer(add_completion=False)
    what = "chains of pictures" if chains else "one picture, with --hops chains as well,"

    @app.command(help=f"Hide {what} in long films, ask for them, and draw where they are found.")
    def evaluate(
        model: Annotated[
            str, typer.Option(help="lite, tiny, flash-2b, a folder, a hub id.")
        ] = "lite",
        lengths: Annotated[str, typer.Option(metavar="N,…", help="Frames.")] = "100,400",
        depths: Annotated[str, typer.Option(metavar="D,…", help="0 to 1.")] = "0,0.25,0.5,0.75,1",
        hops: Annotated[str, typer.Option(metavar="N,…", help="Lengths of chains.")] = chains,
        trials: Annotated[int, typer.Option(min=1, help="Of each cell.")] = 4,
        distractors: Annotated[int, typer.Option(min=0, help="Pairs that lead nowhere.")] = 3,
        ablations: Annotated[
            str, typer.Option(metavar="NAME,…", help=f"Dropout: {', '.join(ABLATIONS)}.")
        ] = "paper",
        haystack: Annotated[
            list[Path] | None, typer.Option(metavar="FILM", help="To hide in; else drawn.")
        ] = None,
        shapes: Annotated[bool, typer.Option("--shapes", help="Hide shapes, no drawings.")] = False,
        side: Annotated[int, typer.Option(min=16, help="Of a frame, in pixels.")] = 224,
        live: Annotated[
            bool,
            typer.Option("--live", help="Through the engine that serves: old clips are folded."),
        ] = False,
        known: Annotated[
            bool,
            typer.Option("--known", help="Hide only what the eyes name when it is shown alone."),
        ] = False,
        seed: Annotated[int, typer.Option(help="Decides every choice.")] = 1,
        output: Annotated[Path | None, typer.Option(help="Folder of JSON and heat map.")] = None,
        only_json: Annotated[bool, typer.Option("--json", help="The line of JSON alone.")] = False,
    ) -> None:
        plan = NeedlePlan(
            _numbers(lengths, int), () if chains else _numbers(depths, float), _numbers(hops, int) if hops else (),
            trials, distractors, tuple(haystack or ()), side, seed, known,
        )  # fmt: skip
        wanted = ablations.split(",")
        if unknown := [one for one in wanted if one not in ABLATIONS]:
            raise typer.BadParameter(f"{unknown[0]} is not one of {', '.join(ABLATIONS)}")
        sprites = {} if shapes else load_sprites((HELD_OUT_SET,), progress=console.print)
        parts = load_parts(model, progress=console.print)
        found = {}
        for one in wanted:
            chat = with_dropout(parts, one)
            engine = LocalEngine(chat) if live else None
            found[one] = list(_kept(_run(chat, plan, sprites, engine), output, f"{name}-{one}"))
            if engine is not None:
                asyncio.run(engine.close())
        about = {"eval": name, "model": model, "seed": seed, "haystack": "films" if haystack else "drawn", "live": live, "known": known}  # fmt: skip
        _show(found, about, output, only_json=only_json)

    return app


def _numbers(text: str, kind: Callable[[str], Number]) -> tuple[Number, ...]:
    """Return a list of numbers as it was typed.

    Raises:
        BadParameter: If one is none.
    """
    try:
        return tuple(kind(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"{text} is not a list of numbers, separated by commas") from None


def _run(
    chat: VideoChat, plan: NeedlePlan, sprites: Sprites, engine: Engine | None
) -> Iterator[TrialResult]:
    wide, longest = chat.parts.config.vision.frames_per_clip, max(plan.lengths)
    frames = (
        recorded_frames(plan.films, longest + wide, plan.side)
        if plan.films
        else drawn_frames(plan.seed, plan.side)
    )
    with Progress(console=console, transient=True) as bars:
        looking = bars.add_task(f"looking at {longest} frames", total=-(-longest // wide))
        whole = Haystack.look_at(chat, frames, longest, partial(bars.advance, looking), engine)
        for length in plan.lengths:
            film = whole.first(length)
            runs = plan.runs(film, sprites, film.remember(film.grey()))
            asking = bars.add_task(f"asking about {length} frames", total=len(runs))
            for run in runs:
                yield run()
                bars.advance(asking)


def _kept(trials: Iterator[TrialResult], output: Path | None, name: str) -> Iterator[TrialResult]:
    """Yield `trials`, each of which is written as it comes: a long run may be cut short."""
    if output is None:
        yield from trials
        return
    output.mkdir(parents=True, exist_ok=True)
    with (output / f"{name}.jsonl").open("w", encoding="utf-8") as file:
        for one in trials:
            file.write(json.dumps(asdict(one)) + "\n")
            file.flush()
            yield one


def _show(
    found: dict[str, list[TrialResult]],
    about: dict[str, object],
    output: Path | None,
    *,
    only_json: bool,
) -> None:
    rows = {
        f"{ablation}, {length} frames" + (f", {hops} hop{'s' if hops > 1 else ''}" if chained else ""): cell
        for ablation, trials in found.items()
        for (chained, length, hops), cell in by(trials, lambda one: (one.chained, one.length, one.hops)).items()
    }  # fmt: skip
    result = about | machine() | {
        "shares": {name: shares(cell) for name, cell in rows.items()},
        "lost": {name: lost(cell) for name, cell in rows.items()},
    }  # fmt: skip
    if output is not None:
        name = str(about["eval"])
        whole = result | {"trials": {one: [asdict(t) for t in some] for one, some in found.items()}}
        (output / f"{name}.json").write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
        for ablation, trials in found.items():
            if singles := [one for one in trials if not one.chained]:
                title = f"{about['model']}, dropout: {ablation}"
                heat_map(singles, output / f"{name}-{ablation}.png", title)
    out = Console(soft_wrap=True, highlight=False)
    if not only_json:
        out.print(table(rows), markup=False)
    out.print(json.dumps(result), markup=False)
