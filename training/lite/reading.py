"""Stage `reading`: teach the language model to read what the eyes of `lite` say.

Projector and adapters are trained through the language model on made-up streams
(`training/lite/made_up.py`), with the dropout that is used when serving. Long streams and short ones take
turns, so that a question about the middle of an hour is as familiar as one about now. On a graphics card
the whole stage takes minutes; on a processor the same steps take days.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from model.language.decoder import Decoder
from model.language.tokenizer import HubTokenizer
from model.vision.word_projector import WordProjector
from model.zoo.lite import DROPOUT, LOOK, TRAINED, VISUAL_STEP
from model.zoo.lite_base import LITE_LANGUAGE, apply_adapters
from training.adapters import adapt
from training.lite.forms import FORM, Form
from training.lite.loop import StagePlan, run
from training.lite.made_up import COURSES, Batch, Course, Maker, batches
from training.packing import Dropping, answer_logits

_WHOLE_RATE = 0.05
"""Learning rate of a language model that is trained whole, against that of adapters."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """How the stage is trained.

    Attributes:
        steps: Steps in all.
        streams: Streams of one step.
        rate: Highest learning rate of the adapters.
        rank: Of the adapters; 0 trains every layer of the language model whole, in float32.
        seed: Decides every random choice.
        deep: Share of streams in which the deep, text-guided stage drops as well.
        room: Tokens that go through the network at once; None is as many as a card of 80 GB has room
            for, or what a processor's caches like.
        workers: Processes that make examples.
        device: Where it is trained.
        courses: What the streams are.
        judged: Streams kept aside to measure by.
        every: Steps between two measurements.
        form: What is read of a clip.
    """

    steps: int
    streams: int = 64
    rate: float = 1e-3
    rank: int = 32
    seed: int = 1
    deep: float = 0.3
    room: int | None = None
    workers: int = 2
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    courses: tuple[Course, ...] = COURSES
    judged: int = 100
    every: int = 50
    form: Form = FORM

    @property
    def tokens_at_once(self) -> int:
        """How many tokens go through the network at once."""
        return self.room or (65_536 if self.device.type == "cuda" else 4096)


class Student(nn.Module):
    """Projector and adapted language model."""

    def __init__(self, projector: WordProjector, decoder: Decoder, form: Form = FORM) -> None:
        super().__init__()
        self.projector, self.decoder, self._form = projector, decoder, form

    def answers(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the logits wherever something is to be said in `batch`, and what."""
        looks = torch.zeros(*batch.seen.shape[:-1], LOOK, device=batch.seen.device)
        rows = torch.cat([looks, batch.seen], dim=-1)  # made-up streams have no look
        visual = self.projector.tokens(batch.captions, rows).flatten(0, 1)
        dropping = Dropping(self._form.early, DROPOUT.stages[1].layer, batch.ratios)
        tokens = self._form.tokens
        return answer_logits(self.decoder, batch.shows, visual, dropping, tokens, VISUAL_STEP)

    def loss(self, batch: Batch) -> Tensor:
        """Return the sum of what each stream of `batch` costs, a mean over what is said of it."""
        logits, target = self.answers(batch)
        said = (batch.shows.target >= 0).sum(dim=1)
        weights = (1.0 / said).repeat_interleave(said)
        return (nn.functional.cross_entropy(logits, target, reduction="none") * weights).sum()


def student(base: Path, rank: int, form: Form = FORM) -> Student:
    """Return the untrained projector and adapters on the published language model.

    Args:
        base: Folder of the converted base weights.
        rank: Of the adapters; 0 for none, and a language model whose layers are trained.
        form: What is read of a clip.
    """
    language = load_file(base / "language.safetensors")
    decoder = _decoder(language, torch.bfloat16 if rank else torch.float32)
    if rank:
        adapt(decoder, rank)
    decoder.model.embed_tokens.requires_grad_(False)
    return _reader(base, decoder, form)


def shipped(base: Path, form: Form = FORM) -> Student:
    """Return projector and adapted language model as they are shipped, reading in `form`.

    Args:
        base: Folder of the converted base weights.
        form: What is read of a clip; anchored, as what is shipped is.
    """
    ours = load_file(TRAINED)
    language = apply_adapters(load_file(base / "language.safetensors"), ours)
    pupil = _reader(base, _decoder(language, torch.bfloat16), form)
    parts = {name.removeprefix("projector."): value for name, value in ours.items()}
    pupil.projector.load_state_dict({name: parts[name] for name in pupil.projector.state_dict()})
    return pupil.requires_grad_(False)


def _decoder(weights: Mapping[str, Tensor], dtype: torch.dtype) -> Decoder:
    decoder = Decoder(LITE_LANGUAGE)
    tied = {"lm_head.weight": weights["model.embed_tokens.weight"]}
    decoder.load_state_dict({**weights, **tied})
    decoder.lm_head.weight = decoder.model.embed_tokens.weight
    return decoder.to(dtype)


def _reader(base: Path, decoder: Decoder, form: Form) -> Student:
    plain = HubTokenizer(base / "tokenizer.json").plain
    projector = form.projector(decoder.model.embed_tokens.weight.detach(), plain)
    for module in (projector.up, projector.down):  # made-up streams have no look
        module.requires_grad_(False)
    return Student(projector, decoder, form)


def trained_part(pupil: Student) -> dict[str, nn.Parameter]:
    """Return what the stage trains, by name."""
    return {name: p for name, p in pupil.named_parameters() if p.requires_grad}


class _Steps(Dataset[list[Batch]]):
    """What every step learns from: it follows from the seed and the number of the step."""

    def __init__(self, maker: Maker, lesson: Lesson) -> None:
        self._maker, self._lesson = maker, lesson

    def __getitem__(self, step: int) -> list[Batch]:
        lesson = self._lesson
        randoms = (np.random.default_rng([lesson.seed, step, n]) for n in range(lesson.streams))
        return list(
            batches([self._maker.example(random) for random in randoms], lesson.tokens_at_once)
        )


def _ahead(steps: _Steps, first: int, last: int, workers: int) -> Iterator[list[Batch]]:
    """Yield what the steps learn from, made by processes of their own some steps ahead."""
    more: dict[str, Any] = {"prefetch_factor": 3, "multiprocessing_context": "fork"}
    loader = DataLoader(
        steps,
        batch_size=None,
        sampler=range(first, last),
        num_workers=workers,
        **(more if workers else {}),
    )
    yield from loader


def learn_to_read(
    base: Path, folder: Path, lesson: Lesson, report: Callable[[str], None]
) -> Student:
    """Train projector and adapters; return them trained."""
    torch.manual_seed(lesson.seed)
    # cuDNN makes a plan for every new shape, and here no two batches have the same.
    torch.backends.cuda.enable_cudnn_sdp(False)
    # Many small tensors go from process to process: more than there may be open files.
    torch.multiprocessing.set_sharing_strategy("file_system")  # type: ignore[no-untyped-call]
    pupil = student(base, lesson.rank, lesson.form).to(lesson.device)
    maker = Maker(base, lesson.courses, lesson.deep, lesson.form)
    judged = [
        maker.example(np.random.default_rng([0, n]), lesson.courses[n % len(lesson.courses)])
        for n in range(lesson.judged)
    ]
    to_judge = [batch.to(lesson.device) for batch in batches(judged, lesson.tokens_at_once)]
    ahead: Iterator[list[Batch]] | None = None

    def learn(step: int) -> float:
        nonlocal ahead
        if ahead is None:
            ahead = _ahead(_Steps(maker, lesson), step, lesson.steps, lesson.workers)
        total = torch.zeros((), device=lesson.device)
        for batch in next(ahead):
            loss = pupil.loss(batch.to(lesson.device)) / lesson.streams
            loss.backward()  # type: ignore[no-untyped-call]
            total += loss.detach()
        return float(total)

    plan = StagePlan(
        lesson.steps,
        lesson.rate,
        lesson.seed,
        folder / "reading.pt",
        warm_up=min(60, max(lesson.steps // 10, 1)),
        every=lesson.every,
    )
    rates = {"projector": 2.0, "decoder": 1.0 if lesson.rank else _WHOLE_RATE}
    run(plan, pupil, learn, lambda: right_by_kind(pupil, to_judge), report, rates)
    return pupil


@dataclass(frozen=True, slots=True)
class Told:
    """An answer, compared word for word with the right one.

    Attributes:
        kind: Of the question.
        right: Whether every token of it would be said, the ones before it given: what greedy decoding
            says is right in the same cases.
        cost: What its tokens cost, in nats, as a mean.
    """

    kind: str
    right: bool
    cost: float


@torch.no_grad()
def told_of(pupil: Student, batch: Batch, pointer: float = 0.0) -> list[list[Told]]:
    """Return the answers to the questions about each stream of `batch`, in order.

    Args:
        pupil: Who answers.
        batch: The streams.
        pointer: Added to the logits of whatever the captions of a stream's clips spell out.
    """
    logits, target = pupil.answers(batch)
    said = batch.shows.target >= 0
    lengths = said.sum(dim=1).tolist()
    rows, goals = (torch.split_with_sizes(of_all, lengths) for of_all in (logits, target))
    clips = (batch.shows.clip.amax(dim=1) + 1).tolist()
    found = []
    for show, captions in enumerate(torch.split_with_sizes(batch.captions, clips)):
        spelled = torch.zeros(rows[show].shape[1], device=logits.device)
        spelled[captions[captions >= 0]] = pointer
        rows[show].add_(spelled)
        hits = rows[show].argmax(dim=-1) == goals[show]
        costs = nn.functional.cross_entropy(rows[show], goals[show], reduction="none")
        branch = batch.shows.branch[show][said[show]]
        own = (branch == number for number in range(1, len(batch.kinds[show]) + 1))
        about = zip(batch.kinds[show], own, strict=True)
        found.append([Told(k, bool(hits[o].all()), float(costs[o].mean())) for k, o in about])
    return found


def right_by_kind(pupil: Student, judged: list[Batch]) -> Mapping[str, float]:
    """Return the share of answers that would be said word for word, by kind of question."""
    right: dict[str, list[bool]] = defaultdict(list)
    for told in (told for batch in judged for show in told_of(pupil, batch) for told in show):
        right[told.kind].append(told.right)
    shares = {kind: sum(found) / len(found) for kind, found in sorted(right.items())}
    every = [one for found in right.values() for one in found]
    return {"right": sum(every) / len(every), **shares}
