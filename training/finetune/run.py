"""One stage of training, from a checkpoint to the next.

What a step learns from depends on the seed and the step's number alone, and everything that changes
is kept in the state: on one processor a run that was stopped and gone on with ends in the same bits.
"""

import json
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from model.config import VisionConfig
from model.language.prompt import FLASH, Prompt
from model.zoo.hub import locate
from model.zoo.pretrained import read_tokenizer
from model.zoo.released import TOWERS
from training.errors import BadData
from training.finetune.data_list import Record, Records, read_data_list
from training.finetune.examples import Example, ExampleMaker
from training.finetune.media import BrokenMedia
from training.finetune.passes import Pass, passes
from training.finetune.processes import Processes
from training.finetune.recipe import Recipe
from training.finetune.released_layout import write_released
from training.finetune.samples import Sample, answer, keep
from training.finetune.state import (
    RECIPE,
    STATE,
    export,
    keep_state,
    network_of,
    open_network,
    read_state,
)
from training.finetune.tuner import Tuner
from web.cli.signals import defer_interrupt

LOG, MODEL, SAMPLES = "log.jsonl", "model", "samples.jsonl"
MAY_CHANGE = {"save_every", "sample_every", "checkpointing", "sharded"}
"""Settings that may differ when a run goes on: they change no number, but by rounding."""


@dataclass(frozen=True, slots=True)
class Step:
    """What is told of a step.

    Attributes:
        step: Its number, from 1.
        steps: Of how many.
        loss: Mean over the step's examples.
        rate: Share of the highest learning rate.
        examples: Learned from.
        broken: That could not be read, in this step.
        frames: Looked at.
        tokens: Read.
        seconds: It took.
    """

    step: int
    steps: int
    loss: float
    rate: float
    examples: int
    broken: int
    frames: int
    tokens: int
    seconds: float


class StageRun:
    """A run of one stage, begun or gone on with.

    Args:
        recipe: How.
        among: The processes that train together.
        towers: Video encoders that a checkpoint may name.

    Raises:
        BadData: If the run's folder holds one of another recipe, or the batch cannot be shared.
    """

    def __init__(
        self, recipe: Recipe, among: Processes, towers: Mapping[str, VisionConfig] = TOWERS
    ) -> None:
        if recipe.batch % among.count:
            raise BadData(f"a batch of {recipe.batch} cannot be shared by {among.count} processes")
        self.recipe, self._among = recipe, among
        self.folder = Path(recipe.output)
        self._check_folder()
        self.base = locate(recipe.model)
        network = open_network(self.base, recipe, towers)
        self.records: Records = read_data_list(Path(recipe.data))
        self.broken: Counter[str] = Counter(self.records.broken)
        self.tuner = Tuner(network, recipe)
        self._towers, self._sharded = towers, recipe.sharded and among.count > 1
        if self._sharded:
            self.tuner.in_step = True
            self._module = among.shard(self.tuner, self.tuner.parts())
        else:
            self._module = among.wrap(self.tuner)
        self._optimizer = torch.optim.AdamW(list(_groups(self.tuner, recipe)), weight_decay=recipe.decay)  # fmt: skip
        self._prompt = Prompt(read_tokenizer(self.base), FLASH)
        self._examples = ExampleMaker(self._prompt, network.config.vision, recipe.fewest_frames, recipe.most_frames, recipe.length)  # fmt: skip
        self.done = self._resume()

    @property
    def steps(self) -> int:
        """Steps in all."""
        whole = math.ceil(len(self.records.usable) / self.recipe.batch) * self.recipe.epochs
        return whole if self.recipe.steps is None else min(whole, self.recipe.steps)

    def train(
        self,
        told: Callable[[Step], None] = lambda _: None,
        shown: Callable[[Sample], None] = lambda _: None,
    ) -> Path:
        """Train to the end and write the checkpoint; return its folder.

        Args:
            told: Told of every step; what it raises stops the run, which can be gone on with.
            shown: Shown what the model answers meanwhile.

        Raises:
            BaseException: Whatever stopped it, after the state is kept; a sharded run cannot keep
                it alone, and goes on from the last that was kept.
        """
        try:
            for step in range(self.done, self.steps):
                report = self._step(step)
                self._log(report)
                self._sample(shown)
                if self.done % self.recipe.save_every == 0 or self.done == self.steps:
                    self.save()
                told(report)
        except BaseException:
            if not self._sharded:
                self.save()
            raise
        self._among.wait()
        target = self.folder / MODEL
        if self._among.first:
            if self._sharded:
                export(self.folder, target, self._towers)
            else:
                write_released(self.base, network_of(self.tuner), self.recipe, target)
        self._among.wait()
        return target

    def save(self) -> None:
        """Keep the state, if this is the first process; of a sharded run all must call this."""
        if not (self._among.first or self._sharded):
            return
        with defer_interrupt():
            keep_state(
                self.folder, self.done, self.broken, self.tuner, self._optimizer, self._among
            )

    def _step(self, step: int) -> Step:
        began, rate = time.monotonic(), rate_at(self.recipe, step, self.steps)
        for group in self._optimizer.param_groups:
            group["lr"] = group["highest"] * rate
        examples, broken = self._load(step)
        self._module.train()
        parts = self._passes(examples)
        # The mean over all examples of the step: processes whose are broken count for less.
        everywhere = float(self._among.total(torch.tensor(float(len(examples)))))
        weight = self._among.count / max(1.0, everywhere)
        losses = torch.zeros(len(parts))
        for number, part in enumerate(parts):
            last = number == len(parts) - 1
            with nullcontext() if last else self._among.without_exchange(self._module):
                loss = self._loss(part) * weight
                loss.backward()  # type: ignore[no-untyped-call]
            losses[number] = loss.detach().cpu()
        nn.utils.clip_grad_norm_(self.tuner.trained().values(), self.recipe.clip)
        # Whatever stops the run must find the step done or not begun: it is kept as that.
        with defer_interrupt():
            self._optimizer.step()
            self.done = step + 1
        self._optimizer.zero_grad()
        frames = sum(len(f) for e in examples for f in e.frames)
        tokens = sum(len(e.ids) for e in examples)
        counts = torch.tensor([float(losses.sum()), len(examples), broken.total(), frames, tokens])
        total, learned, unread, seen, read = self._among.total(counts).tolist()
        if unread:
            self.broken += self._among.counted(broken)
        return Step(step + 1, self.steps, total / self._among.count, rate, int(learned), int(unread), int(seen), int(read), round(time.monotonic() - began, 3))  # fmt: skip

    def _passes(self, examples: Sequence[Example]) -> list[Pass]:
        """Return what goes through the network in a step, of a sharded run as often in every process."""
        recipe = self.recipe
        found = passes(examples, recipe.pack, drops=recipe.dropout, apart=self._sharded)
        wanted = self._among.most(len(found)) if self._sharded else 1
        return found + [Pass()] * (max(1, wanted) - len(found))

    def _sample(self, shown: Callable[[Sample], None]) -> None:
        """Let the model answer a question, if it is time and this process can by itself."""
        every = self.recipe.sample_every
        if not every or self._sharded or not self._among.first:
            return
        if self.done % every and self.done != self.steps:
            return
        record = self.records.usable[self.done // every % len(self.records.usable)]
        try:
            example = self._examples.make(record).to(self._among.device)
        except BrokenMedia:
            return  # it is counted when it is learned from
        (_, question), (_, expected) = record.turns[:2]
        said = answer(self.tuner, example, self._prompt)
        sample = Sample(self.done, question, expected, said)
        keep(sample, self.folder / SAMPLES)
        shown(sample)

    def _loss(self, part: Pass) -> torch.Tensor:
        device = self._among.device
        bfloat16 = self.recipe.precision == "bfloat16"
        with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
            loss: torch.Tensor = self._module(part.to(device))
        return loss

    def _load(self, step: int) -> tuple[list[Example], Counter[str]]:
        """Return this process's examples of a step, and why others of it are broken."""
        found: list[Example] = []
        broken: Counter[str] = Counter()
        for record in self._records_of(step):
            try:
                found.append(self._examples.make(record))
            except BrokenMedia as error:
                broken[str(error)] += 1
        return found, broken

    def _records_of(self, step: int) -> Sequence[Record]:
        usable, batch = self.records.usable, self.recipe.batch
        a_round = math.ceil(len(usable) / batch)
        order = np.random.default_rng([self.recipe.seed, step // a_round]).permutation(len(usable))
        mine = order[step % a_round * batch :][:batch][self._among.rank :: self._among.count]
        return [usable[int(number)] for number in mine]

    def _check_folder(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        told, file = asdict(self.recipe), self.folder / RECIPE
        if file.exists():
            kept = json.loads(file.read_text(encoding="utf-8"))
            differ = [k for k in told if k not in MAY_CHANGE and kept.get(k) != told[k]]
            if differ:
                raise BadData(f"{self.folder} holds a run with another {', '.join(differ)}: go on with the same, or name another output")  # fmt: skip
        if self._among.first:
            partial = file.with_suffix(".partial")  # others may be reading it
            partial.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
            partial.replace(file)

    def _resume(self) -> int:
        if not (self.folder / STATE).exists():
            return 0
        done, broken = read_state(self.folder, self.tuner, self._optimizer)
        self.broken = Counter(broken)
        return done

    def _log(self, step: Step) -> None:
        if not self._among.first:
            return
        file = self.folder / LOG
        lines = file.read_text(encoding="utf-8").splitlines()[: step.step - 1] if file.exists() else []  # fmt: skip
        file.write_text("\n".join([*lines, json.dumps(asdict(step))]) + "\n", encoding="utf-8")


def rate_at(recipe: Recipe, step: int, steps: int) -> float:
    """Return the share of the highest rate: a linear warm-up, then a cosine to 0."""
    warm = math.ceil(recipe.warm_up * steps)
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def _groups(tuner: Tuner, recipe: Recipe) -> Iterator[dict[str, Any]]:
    rates = {"vision": recipe.vision_rate, "projector": recipe.projector_rate, "decoder": recipe.language_rate}  # fmt: skip
    for part, rate in rates.items():
        params = [p for name, p in tuner.trained().items() if name.startswith(f"{part}.")]
        if params:
            yield {"params": params, "lr": rate, "highest": rate}
