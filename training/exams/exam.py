"""Measure `lite` on drawings and backgrounds that nothing was trained on, the way it is served.

Pictures go through the whole path: encoder, merging, the streaming history with its markers,
progressive dropout, greedy words. Beside every figure stand two controls: the same network blind
(the question alone) and the network shown only the last clip.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from model.history import History
from model.language.dropout import Tokens
from model.language.prompt import VisibleSpan
from model.language.sampling import TextStream
from model.reading import Reading
from model.types import Clip, ClipTokens, Question
from model.video_chat import VideoChat
from training.drawn.backgrounds import HELD_OUT_KINDS
from training.drawn.drawings import THINGS, Sprites
from training.drawn.scenes import SHAPES, DrawnScene, draw_scene, plan_scene
from training.drawn.shows import Show, ShowMix, asking, some_show
from training.drawn.takes import Take, see, some_take
from training.questions import Asked, about_now, is_right

NAMES = (*THINGS, *SHAPES)
LONGEST = 24
FIRST_SEED = 1_000_000
"""Scenes from here on are never trained on, whatever the drawings."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured: scenes of each kind."""

    name: int
    direction: int
    others: int
    shows: int


@dataclass(frozen=True, slots=True)
class ExamOutcome:
    """One question and what was answered.

    Attributes:
        asked: The question with its right answer.
        seen: The answer of the network that saw the show.
        last: Of the network that saw the last clip alone.
        blind: Of the network that saw nothing.
    """

    asked: Asked
    seen: str
    last: str
    blind: str


def examine(service: VideoChat, sprites: Sprites, size: Size, progress: Callable[[int], None]) -> list[ExamOutcome]:  # fmt: skip
    """Ask everything and return what was answered.

    Args:
        service: The network.
        sprites: Drawings that it has never seen.
        size: How much.
        progress: Called with the number of questions answered since.
    """
    outcomes = []
    blind: dict[tuple[str, float], str] = {}
    for scenes, show in cases(sprites, size):
        clips = service.encode([_clip(scenes[t.scene], t, sprites, at) for t, at in _timed(show)])
        history, last = _history(service, clips), _history(service, clips[-1:])
        for asked in show.asked:
            key = (asked.question, show.ends[-1])
            if key not in blind:
                blind[key] = _write(service, _blind(service, *key))
            seen = answer(service, history, asked.question)
            alone = answer(service, last, asked.question) if len(clips) > 1 else seen
            outcomes.append(ExamOutcome(asked, seen, alone, blind[key]))
        progress(len(show.asked))
    return outcomes


def cases(sprites: Sprites, size: Size) -> Iterator[tuple[list[DrawnScene], Show]]:
    """Yield shows with their questions; the take's scene numbers count within the list beside it."""
    random = np.random.default_rng(20)
    yield from _single(sprites, random, "name", size.name, {"name"}, _drawings_in_turn())
    yield from _moving(sprites, random, size.direction)
    yield from _single(sprites, random, "where", size.others, {"where", "colour", "count", "what is where", "names", "change"})  # fmt: skip
    seed = FIRST_SEED + 500_000
    for number in range(size.shows):
        scenes = [plan_scene(seed + 8 * number + n, sprites, HELD_OUT_KINDS) for n in range(8)]
        show = some_show(scenes, NAMES, random, ShowMix(single=0.0, questions=12))
        past = {"first", "last", "after", "before", "at time", "when", "list", "direction before", "colour before"}  # fmt: skip
        one_each = {asked.kind: asked for asked in show.asked if asked.kind in past}
        yield scenes, asking(show, *one_each.values())


def _drawings_in_turn() -> Iterator[str]:
    while True:
        yield from THINGS


def _single(
    sprites: Sprites,
    random: np.random.Generator,
    label: str,
    count: int,
    kinds: set[str],
    wanted: Iterator[str] | None = None,
) -> Iterator[tuple[list[DrawnScene], Show]]:
    """Yield shows of one clip that `kinds` of question fit; each thing of `wanted` in turn."""
    seed = FIRST_SEED + len(label) * 100_000
    want, done = next(wanted) if wanted else None, 0
    while done < count:
        seed += 1
        scene = plan_scene(seed, sprites, HELD_OUT_KINDS)
        take = some_take(random, 0, scene)
        seen = see(scene, take)
        if want is not None and [s.thing.name for s in seen] != [want]:
            continue
        asked = [a for a in about_now(random, seen, NAMES) if a.kind in kinds]
        if asked:
            done += 1
            want = next(wanted) if wanted else None
            yield [scene], Show((take,), (0.0,), (3.0,), tuple(asked))


def _moving(
    sprites: Sprites, random: np.random.Generator, count: int
) -> Iterator[tuple[list[DrawnScene], Show]]:
    """Yield single things that move left, right, up, down or not at all, each equally often."""
    left = Counter(dict.fromkeys(("left", "right", "up", "down", "still"), -(-count // 5)))
    seed = FIRST_SEED + 900_000
    while left.total() > 0:
        seed += 1
        scene = plan_scene(seed, sprites, HELD_OUT_KINDS, kind="path")
        take = some_take(random, 0, scene)
        seen = see(scene, take)
        if len(seen) == 1 and left[seen[0].movement or ""] > 0:
            asked = [a for a in about_now(random, seen, NAMES) if a.kind == "direction"]
            left[seen[0].movement or ""] -= 1
            yield [scene], Show((take,), (0.0,), (3.0,), tuple(asked))


def answer(service: VideoChat, history: History, question: str) -> str:
    """Return the greedy answer to `question` from a history."""
    asked = service.ask(history, Question(question))
    assert asked is not None
    return _write(service, asked.reading)


def _timed(show: Show) -> list[tuple[Take, tuple[float, float]]]:
    return list(zip(show.takes, zip(show.starts, show.ends, strict=True), strict=True))


def _clip(scene: DrawnScene, take: Take, sprites: Sprites, at: tuple[float, float]) -> Clip:
    drawn = draw_scene(scene, sprites)
    pixels = torch.from_numpy(np.stack([drawn[n] for n in take.pictures]))
    return Clip(pixels, *at)


def _history(service: VideoChat, clips: Sequence[ClipTokens]) -> History:
    history = service.open()
    service.extend(history, clips)
    return history


def _blind(service: VideoChat, question: str, end: float) -> Reading:
    """Read the question with nothing before it that was seen."""
    prompt, embed = service.prompt, service.parts.decoder.embed
    ids = [*prompt.prefix(), *prompt.suffix(Question(question), VisibleSpan(0.0, end, 4))]
    with torch.inference_mode():
        return service.reader.read(Tokens.of_text(embed(torch.tensor(ids))))


def _write(service: VideoChat, reading: Reading) -> str:
    text, words = TextStream(service.prompt.tokenizer), ""
    for _ in range(LONGEST):
        token = int(reading.logits.argmax())
        if token == service.prompt.end:
            break
        words += text.add(token)
        service.reader.step([reading], [token])
    return words


@dataclass(frozen=True, slots=True)
class ExamScore:
    """How often answers were right, of how many; with the two controls."""

    asked: int
    right: float
    last: float
    blind: float


def scores(outcomes: Iterable[ExamOutcome]) -> dict[str, ExamScore]:
    """Return the share of right answers by kind of question, in the order they came."""
    kinds: defaultdict[str, list[ExamOutcome]] = defaultdict(list)
    for outcome in outcomes:
        kinds[outcome.asked.kind].append(outcome)

    def share(some: Sequence[ExamOutcome], which: Callable[[ExamOutcome], str]) -> float:
        return sum(is_right(o.asked, which(o)) for o in some) / len(some)

    return {
        kind: ExamScore(
            len(some),
            share(some, lambda o: o.seen),
            share(some, lambda o: o.last),
            share(some, lambda o: o.blind),
        )
        for kind, some in kinds.items()
    }


def table(found: dict[str, ExamScore]) -> str:
    """Return the scores as a Markdown table."""
    lines = ["| question | asked | right | last clip only | blind |", "|---|---:|---:|---:|---:|"]
    lines += [
        f"| {kind} | {s.asked} | {s.right:.1%} | {s.last:.1%} | {s.blind:.1%} |"
        for kind, s in found.items()
    ]
    return "\n".join(lines)


def as_json(found: dict[str, ExamScore], about: dict[str, str]) -> str:
    """Return one line with the scores and what they belong to."""
    rows = {k: {"asked": s.asked, "right": round(s.right, 4), "last_clip": round(s.last, 4), "blind": round(s.blind, 4)} for k, s in found.items()}  # fmt: skip
    return json.dumps({"eval": "scenes", **about, "scores": rows})
