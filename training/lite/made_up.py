"""Examples of the stage `reading`: a made-up stream with questions, as the service would lay it out.

Nothing here needs the network, so any number of processes can make examples while one learns.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int64
from safetensors.torch import load_file
from torch import Tensor, nn

from model.language.prompt import LITE, Prompt, VisibleSpan
from model.language.tokenizer import HubTokenizer
from model.vision.things import CODE, Thing, caption
from model.vision.vocabulary import word_table
from model.vision.word_projector import BELIEFS
from model.zoo.lite import CAPTION, DROPOUT, SEEN
from training.dialogue.asker import Asker
from training.lite.folded import folded
from training.lite.forms import FORM, Form
from training.packing import Packed, pack, side_by_side
from training.streams.told import notes
from training.streams.world import Mix, World, WorldStream

_DEEP_COST = 2.5
"""What an example costs in which every question chooses its own tokens, against one without."""


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
    Course(0.34, Mix(longest=10, single=0.4, scenes=4, cuts=True), 10),
    Course(0.36, Mix(longest=20, single=0.05, scenes=8, cuts=True), 16, past=3.0, when=2.0),
    Course(0.17, Mix(longest=40, scenes=16, single=0.0, cuts=True, folded=0.3), 18, 3.0, 2.0),
    Course(0.10, Mix(longest=80, scenes=24, single=0.02, cuts=True, folded=0.5), 20, 2.0, 2.0),
    Course(0.03, Mix(longest=200, scenes=40, single=0.0, cuts=True, folded=0.4), 24, 2.0, 2.0),
)


@dataclass(frozen=True, slots=True, eq=False)
class MadeUpStream:
    """A made-up stream with questions.

    Attributes:
        show: Its row of tokens.
        captions: What its clips spell out; -1 where a caption is blank.
        seen: What its clips say of their weightiest visual tokens.
        kinds: Of its questions.
        ratio: The share of its visual tokens that each question keeps in the deep layers.
    """

    show: Packed
    captions: Int64[Tensor, "clips room"]
    seen: Float[Tensor, "clips seen code"]
    kinds: tuple[str, ...]
    ratio: float


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Examples side by side; attributes as those of `MadeUpStream`."""

    shows: Packed
    captions: Int64[Tensor, "clips room"]
    seen: Float[Tensor, "clips seen code"]
    kinds: tuple[tuple[str, ...], ...]
    ratios: tuple[float, ...]

    @staticmethod
    def of(examples: Sequence[MadeUpStream]) -> "Batch":
        """Return a batch of `examples`."""
        return Batch(
            side_by_side([e.show for e in examples]),
            torch.cat([e.captions for e in examples]),
            torch.cat([e.seen for e in examples]),
            tuple(e.kinds for e in examples),
            tuple(e.ratio for e in examples),
        )

    def to(self, device: torch.device) -> "Batch":
        """Return the same on another device."""
        captions, seen = (rows.to(device, non_blocking=True) for rows in (self.captions, self.seen))
        return Batch(self.shows.to(device), captions, seen, self.kinds, self.ratios)


class Maker:
    """Makes examples.

    Args:
        base: Folder of the converted base weights.
        courses: The kinds of streams.
        deep: Share of examples in which the deep, text-guided stage drops as well.
        form: What is read of a clip.
    """

    def __init__(
        self, base: Path, courses: Sequence[Course], deep: float, form: Form = FORM
    ) -> None:
        self._world, self._courses, self._deep, self._form = world(base), courses, deep, form
        self._prompt = Prompt(HubTokenizer(base / "tokenizer.json"), LITE)
        shares = np.array([course.share for course in courses])
        self._shares = shares / shares.sum()

    def example(self, random: np.random.Generator, course: Course | None = None) -> MadeUpStream:
        """Return an example, of `course` or of any."""
        course = course or self._courses[random.choice(len(self._shares), p=self._shares)]
        made = self._world
        stream = made.stream(random, course.mix)
        if random.random() < course.mix.folded:
            stream = folded(stream, random)
        asked = Asker(made, stream, random).ask(course.questions, course.past, course.when)
        tokens, rows = self._form.tokens, self._form.seen
        seen = torch.stack([seen_of(things, made, random, rows) for things in stream.seen])
        duration = stream.ends[-1] if stream.finished else None
        told_of = notes(stream, made.table) if self._form.notes else ()
        show = pack(stream.starts, span_of(stream), duration, asked, self._prompt, tokens, told_of)
        late = DROPOUT.stages[1]
        least = min(late.ratio, (late.budget or tokens) / (len(seen) * tokens))
        ratio = least if random.random() < self._deep else 1.0
        kinds = tuple(one.kind for one in asked)
        return MadeUpStream(show, self._captions(stream), seen, kinds, ratio)

    def _captions(self, stream: WorldStream) -> Tensor:
        ids = torch.full((len(stream.seen), CAPTION), -1)
        plain = self._prompt.tokenizer.plain
        for line, things in zip(ids, stream.seen, strict=True):
            tokens = caption(things, self._world.table, plain, CAPTION)
            line[: len(tokens)] = torch.tensor(tokens)
        return ids


def batches(examples: Sequence[MadeUpStream], room: int) -> Iterator[Batch]:
    """Yield `examples` in batches of about equally long ones.

    Args:
        examples: In any order.
        room: Tokens of a batch, those that fill up included; one example is always let in.
    """
    waiting: list[MadeUpStream] = []
    for example in sorted(examples, key=lambda e: (e.ratio < 1.0, len(e.show.ids))):
        cost = len(example.show.ids) * (_DEEP_COST if example.ratio < 1.0 else 1.0)
        mixed = waiting and (waiting[0].ratio < 1.0) != (example.ratio < 1.0)
        if mixed or (waiting and cost * (len(waiting) + 1) > room):
            yield Batch.of(waiting)
            waiting = []
        waiting.append(example)
    yield Batch.of(waiting)


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


def seen_of(
    things: tuple[Thing, ...], made: World, random: np.random.Generator, count: int = SEEN
) -> Tensor:
    """Return what a clip's `count` weightiest visual tokens say, as the encoder would leave it."""
    rows = np.zeros((count, CODE), dtype=np.float32)
    for row in rows:
        words = [made.word(random) for _ in range(BELIEFS)]
        weights = random.dirichlet(np.full(BELIEFS, 0.5)) * random.uniform(0.1, 0.7)
        x, y = random.random(2)
        if things and random.random() < 0.6:
            thing = things[int(random.integers(len(things)))]
            words[0], weights[0] = thing.word, random.uniform(0.2, 0.9) * max(thing.sure, 0.4)
            x, y = thing.x, thing.y
        row[:BELIEFS], row[BELIEFS : 2 * BELIEFS] = words, weights
        row[2 * BELIEFS :] = x, y, random.uniform(0.02, 0.4), random.random()
    return torch.from_numpy(rows)


def span_of(stream: WorldStream) -> VisibleSpan:
    """Return what a question about all of `stream` may look at."""
    return VisibleSpan(stream.starts[0], stream.ends[-1], 4 * len(stream.starts))
