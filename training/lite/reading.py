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
from model.vision.vocabulary import word_table
from model.vision.word_projector import WordProjector
from model.zoo.lite import CAPTION, DROPOUT, LOOK, SEEN, THINGS, VISUAL_STEP
from model.zoo.lite_base import LITE_LANGUAGE
from training.adapters import adapt
from training.lite.loop import StagePlan, run
from training.lite.made_up import COURSES, TOKENS, Batch, Course, Maker, batches
from training.packing import Dropping, answer_logits


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
        room: Tokens that go through the network at once; None is as many as a card of 80 GB has room
            for, or what a processor's caches like.
        workers: Processes that make examples.
        device: Where it is trained.
        courses: What the streams are.
        judged: Streams kept aside to measure by.
        every: Steps between two measurements.
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

    @property
    def tokens_at_once(self) -> int:
        """How many tokens go through the network at once."""
        return self.room or (65_536 if self.device.type == "cuda" else 4096)


class Student(nn.Module):
    """Projector and adapted language model."""

    def __init__(self, projector: WordProjector, decoder: Decoder) -> None:
        super().__init__()
        self.projector, self.decoder = projector, decoder

    def answers(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the logits wherever something is to be said in `batch`, and what."""
        looks = torch.zeros(*batch.seen.shape[:-1], LOOK, device=batch.seen.device)
        rows = torch.cat([looks, batch.seen], dim=-1)  # made-up streams have no look
        visual = self.projector.tokens(batch.captions, rows).flatten(0, 1)
        early, late = DROPOUT.stages
        dropping = Dropping(early, late.layer, batch.ratios)
        return answer_logits(self.decoder, batch.shows, visual, dropping, TOKENS, VISUAL_STEP)

    def loss(self, batch: Batch) -> Tensor:
        """Return the sum of what each stream of `batch` costs, a mean over what is said of it."""
        logits, target = self.answers(batch)
        said = (batch.shows.target >= 0).sum(dim=1)
        weights = (1.0 / said).repeat_interleave(said)
        return (nn.functional.cross_entropy(logits, target, reduction="none") * weights).sum()


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
    for module in (projector.up, projector.down):
        module.requires_grad_(False)
    return Student(projector, decoder)


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
    pupil = student(base, lesson.rank).to(lesson.device)
    maker = Maker(base, lesson.courses, lesson.deep)
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
    run(plan, pupil, learn, lambda: right_by_kind(pupil, to_judge), report, {"projector": 2.0})
    return pupil


@torch.no_grad()
def right_by_kind(pupil: Student, judged: list[Batch]) -> Mapping[str, float]:
    """Return the share of answers that would be said word for word, by kind of question."""
    right: dict[str, list[bool]] = defaultdict(list)
    for batch in judged:
        logits, target = pupil.answers(batch)
        hits = (logits.argmax(dim=-1) == target).tolist()
        for kinds, branch, said in zip(
            batch.kinds, batch.shows.branch.tolist(), (batch.shows.target >= 0).tolist(), strict=True
        ):  # fmt: skip
            spoken = [b for b, is_said in zip(branch, said, strict=True) if is_said]
            of_show, hits = hits[: len(spoken)], hits[len(spoken) :]
            for number, kind in enumerate(kinds, start=1):
                own = [hit for hit, b in zip(of_show, spoken, strict=True) if b == number]
                right[kind].append(all(own))
    shares = {kind: sum(found) / len(found) for kind, found in sorted(right.items())}
    every = [one for found in right.values() for one in found]
    return {"right": sum(every) / len(every), **shares}
