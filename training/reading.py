"""Stage `reading`: teach the language model to read what the eyes of `lite` say.

Projector and adapters are trained through the language model on made-up streams
(`training/world.py`), with the dropout that is used when serving. Long streams and short ones take
turns, so that a question about the middle of an hour is as familiar as one about now.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from model.language.decoder import Decoder
from model.language.prompt import LITE, Prompt, VisibleSpan
from model.language.tokenizer import HubTokenizer
from model.vision.things import CODE, Thing
from model.vision.things import pack as pack_things
from model.vision.vocabulary import word_table
from model.vision.word_projector import BELIEFS, WordProjector
from model.zoo.lite import CAPTION, DROPOUT, LOOK, SEEN, THINGS, VISUAL_STEP
from model.zoo.lite_base import LITE_LANGUAGE
from training.adapters import adapt
from training.dialogue.asker import Asker
from training.loop import Plan, kept, load_weights, run
from training.packing import Dropping, answer_logits, pack
from training.told import notes
from training.workers import Workers
from training.world import Mix, Stream, World

TOKENS = CAPTION + SEEN


@dataclass(frozen=True, slots=True)
class Course:
    """One kind of streams to learn from.

    Attributes:
        share: How often it is drawn.
        mix: How its streams are made.
        questions: Asked about each.
        past: How many times as often as else questions about order and time are asked.
        when: The weight of those that ask when something was.
    """

    share: float
    mix: Mix
    questions: int
    past: float = 1.0
    when: float = 1.2


COURSES = (
    Course(0.60, Mix(longest=10, single=0.4, scenes=4), 9),
    Course(0.34, Mix(longest=24, single=0.05, scenes=8), 12),
    Course(0.055, Mix(longest=60, single=0.0, scenes=16), 16),
    Course(0.005, Mix(longest=200, single=0.0, scenes=40), 24),
)


ORDER = (
    Course(0.60, Mix(longest=14, single=0.0, scenes=5), 14, past=4.0),
    Course(0.28, Mix(longest=30, single=0.05, scenes=10), 14, past=1.5),
    Course(0.12, Mix(longest=10, single=0.5, scenes=4), 9),
)
"""The second half of the stage: what came when, which is learned last."""

TIMES = (
    Course(0.60, Mix(longest=20, single=0.0, scenes=5, cuts=True), 14, past=4.0, when=2.4),
    Course(0.25, Mix(longest=36, single=0.05, scenes=10, cuts=True), 14, past=2.0, when=2.4),
    Course(0.15, Mix(longest=10, single=0.5, scenes=4), 9),
)
"""Then: when, where clips end with their scenes, as those of the encoder do."""

CHANGES = (
    Course(0.45, Mix(longest=20, single=0.05, scenes=8, cuts=True), 16, past=3.0, when=2.0),
    Course(0.25, Mix(longest=40, single=0.0, scenes=16, cuts=True), 18, past=3.0, when=2.0),
    Course(0.30, Mix(longest=10, single=0.5, scenes=4), 9),
)
"""At the end: all of it in long streams, with what is new told before the clips."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """How the stage is trained.

    Attributes:
        steps: Steps in all.
        streams: Streams of one step.
        rate: Highest learning rate of the adapters.
        rank: Of the adapters.
        seed: Decides every random choice.
        deep: Share of streams in which the deep, text-guided stage drops as well.
        workers: Processes that work side by side.
        courses: What they are.
        name: Of the checkpoint.
        after: Name of the checkpoint that it begins from; None begins anew.
    """

    steps: int
    streams: int = 6
    rate: float = 1e-3
    rank: int = 16
    seed: int = 1
    deep: float = 0.4
    workers: int = 2
    courses: tuple[Course, ...] = field(default=COURSES)
    name: str = "reading"
    after: str | None = None


class Student(nn.Module):
    """Projector and adapted language model."""

    def __init__(self, projector: WordProjector, decoder: Decoder) -> None:
        super().__init__()
        self.projector, self.decoder = projector, decoder


def student(base: Path, rank: int) -> Student:
    """Return the untrained projector and adapters on the published language model."""
    weights = load_file(base / "language.safetensors")
    decoder = Decoder(LITE_LANGUAGE)
    decoder.load_state_dict(weights | {"lm_head.weight": weights["model.embed_tokens.weight"]})
    decoder.lm_head.weight = decoder.model.embed_tokens.weight
    decoder.to(torch.bfloat16)
    adapt(decoder, rank)
    plain = HubTokenizer(base / "tokenizer.json").plain
    embedding = decoder.model.embed_tokens.weight.detach()
    projector = WordProjector(embedding, plain, word_table(), THINGS, LOOK, CAPTION, SEEN)
    for module in (projector.up, projector.down):  # made-up streams have no look
        module.requires_grad_(False)
    return Student(projector, decoder)


def trained_part(pupil: Student) -> dict[str, nn.Parameter]:
    """Return what the stage trains, by name."""
    return {name: p for name, p in pupil.named_parameters() if p.requires_grad}


def world(base: Path) -> World:
    """Return the world, in which words are mistaken as the image network mistakes them."""
    table = word_table()
    classes = load_file(base / "trunk.safetensors")["classifier.weight"].float()
    unit = nn.functional.normalize(classes, dim=1)
    nearest = (unit @ unit.T).topk(13, dim=1).indices.tolist()
    likeness: list[list[int]] = [[] for _ in table.words]
    for one, others in enumerate(nearest):
        mine = table.of_imagenet[one]
        likeness[mine] += [w for n in others if (w := table.of_imagenet[n]) != mine]
    return World(table, likeness)


def rows_of(things: tuple[Thing, ...], made: World, random: np.random.Generator) -> Tensor:
    """Return a clip's rows as the encoder would leave them: things, then visual tokens."""
    rows = torch.zeros(THINGS + SEEN, LOOK + CODE)
    rows[:THINGS, LOOK:] = pack_things(things, THINGS)
    for row in rows[THINGS:]:
        code = row[LOOK:]
        words = [made.word(random) for _ in range(BELIEFS)]
        weights = random.dirichlet(np.full(BELIEFS, 0.5)) * random.uniform(0.1, 0.7)
        x, y = random.random(2)
        if things and random.random() < 0.6:
            thing = things[int(random.integers(len(things)))]
            words[0], weights[0] = thing.word, random.uniform(0.2, 0.9) * max(thing.sure, 0.4)
            x, y = thing.x, thing.y
        code[:BELIEFS] = torch.tensor(words, dtype=torch.float32)
        code[BELIEFS : 2 * BELIEFS] = torch.from_numpy(weights).float()
        code[2 * BELIEFS :] = torch.tensor([x, y, random.uniform(0.02, 0.4), random.random()])
    return rows


def learn_to_read(
    base: Path, folder: Path, lesson: Lesson, report: Callable[[str], None]
) -> Student:
    """Train projector and adapters; return them trained."""
    torch.manual_seed(lesson.seed)
    pupil, made = student(base, lesson.rank), world(base)
    prompt = Prompt(HubTokenizer(base / "tokenizer.json"), LITE)
    shares = np.array([course.share for course in lesson.courses])
    weights = [p for p in pupil.parameters() if p.requires_grad]
    if lesson.after is not None:
        load_weights(trained_part(pupil), kept(folder / f"{lesson.after}.pt", "reading")["weights"])

    def loss_of(random: np.random.Generator, course: Course, *, deep: bool) -> Tensor:
        stream = made.stream(random, course.mix)
        asked = Asker(made, stream, random).ask(course.questions, course.past, course.when)
        rows = torch.stack([rows_of(things, made, random) for things in stream.seen])
        visual = pupil.projector(rows).flatten(0, 1)
        duration = stream.ends[-1] if stream.finished else None
        told_of = notes(stream, made.table)
        packed = pack(stream.starts, seen_of(stream), duration, asked, prompt, TOKENS, told_of)
        early, late = DROPOUT.stages
        share = min(late.ratio, (late.budget or TOKENS) / (len(rows) * TOKENS)) if deep else 1.0
        dropping = Dropping(early, late.layer, share)
        logits, target = answer_logits(pupil.decoder, packed, visual, dropping, TOKENS, VISUAL_STEP)
        return nn.functional.cross_entropy(logits.float(), target)

    def gradients(step: int, number: int) -> tuple[float, tuple[Tensor, ...]]:
        random = np.random.default_rng([lesson.seed, step, number])
        course = lesson.courses[random.choice(len(shares), p=shares / shares.sum())]
        loss = loss_of(random, course, deep=bool(random.random() < lesson.deep)) / lesson.streams
        return loss.item(), torch.autograd.grad(loss, weights)

    @torch.no_grad()
    def measure() -> Mapping[str, float]:
        losses = {}
        for number, course in enumerate(lesson.courses[:2]):
            some = [np.random.default_rng([0, number, n]) for n in range(4)]
            found = [float(loss_of(random, course, deep=True)) for random in some]
            losses[f"held {number}"] = sum(found) / len(found)
        return losses

    plan = Plan(
        lesson.steps,
        lesson.rate,
        lesson.seed,
        folder / f"{lesson.name}.pt",
        warm_up=min(30, lesson.steps // 10),
        every=20,
    )
    # A stream to a core: the layers are too small to be shared between cores.
    with Workers(lesson.workers, weights, gradients) as workers:

        def learn(step: int) -> float:
            return workers.add_gradients(step, lesson.streams)

        run(plan, pupil, learn, measure, report, slower={"projector": 2.0})
    return pupil


def seen_of(stream: Stream) -> VisibleSpan:
    """Return what a question about all of `stream` may look at."""
    return VisibleSpan(stream.starts[0], stream.ends[-1], 4 * len(stream.starts))
