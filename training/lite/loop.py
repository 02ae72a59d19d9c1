"""The loop that every stage of training shares: steps, checkpoints, going on where it stopped.

What a step learns from depends on the seed and the step's number alone, so a run that was
interrupted and resumed sees what an uninterrupted one would have seen.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn

from training.errors import Missing
from training.whole_files import whole_file
from web.cli.signals import defer_interrupt

_console = Console(stderr=True)  # what a run is asked for goes to the other output


@dataclass(frozen=True, slots=True)
class StagePlan:
    """How a stage is trained.

    Attributes:
        steps: Steps in all.
        rate: Highest learning rate, reached after the warm-up, then falling along a cosine.
        seed: Decides every random choice.
        checkpoint: File that the state is kept in.
        warm_up: Steps until the highest rate.
        decay: Weight decay.
        every: Steps between two checkpoints, and two measurements.
    """

    steps: int
    rate: float
    seed: int
    checkpoint: Path
    warm_up: int = 50
    decay: float = 0.02
    every: int = 100

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step."""
        if step < self.warm_up:
            return self.rate * (step + 1) / self.warm_up
        done = (step - self.warm_up) / max(self.steps - self.warm_up, 1)
        return self.rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(done, 1.0))))


def run(
    plan: StagePlan,
    module: nn.Module,
    learn: Callable[[int], float],
    measure: Callable[[], Mapping[str, float]],
    report: Callable[[str], None],
    slower: Mapping[str, float] | None = None,
) -> None:
    """Train the parameters of `module` that require it; leave it trained and its state on disk.

    Interrupting it (Ctrl-C) keeps the state as well.

    Args:
        plan: How.
        module: What; its checkpoint is resumed if there is one.
        learn: Adds a step's gradients to the parameters and returns its loss, given the step's number.
        measure: Figures to report now and then.
        report: Given a line of text.
        slower: Factors on the learning rate, by the beginning of a parameter's name.

    Raises:
        KeyboardInterrupt: If it was interrupted, after the state is kept.
    """
    trained = {name: p for name, p in module.named_parameters() if p.requires_grad}
    factors = [next((f for start, f in (slower or {}).items() if name.startswith(start)), 1.0) for name in trained]  # fmt: skip
    optimizer = torch.optim.AdamW(
        [{"params": [p], "factor": f} for p, f in zip(trained.values(), factors, strict=True)],
        lr=plan.rate, weight_decay=plan.decay, betas=(0.9, 0.98),
        foreach=next(iter(trained.values())).is_cuda,
    )  # fmt: skip
    first = _resume(plan, trained, optimizer)
    done, smooth = first, 0.0
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"), TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, transient=True, console=_console) as progress:
        task = progress.add_task(plan.checkpoint.stem, total=plan.steps, completed=first)
        try:
            for step in range(first, plan.steps):
                for group in optimizer.param_groups:
                    group["lr"] = plan.rate_at(step) * group["factor"]
                loss = learn(step)
                with defer_interrupt():  # else some weights are a step ahead of others
                    nn.utils.clip_grad_norm_(trained.values(), 1.0)
                    optimizer.step()
                    optimizer.zero_grad()
                    done = step + 1
                smooth = loss if step == first else 0.97 * smooth + 0.03 * loss
                progress.update(task, completed=done)
                if done % plan.every == 0 or done == plan.steps:
                    _keep(plan, done, trained, optimizer)
                    report(_line(done, smooth, measure()))
        except KeyboardInterrupt:
            _keep(plan, done, trained, optimizer)
            report(f"interrupted after {done} steps; run the same command to go on")
            raise


def _line(step: int, loss: float, figures: Mapping[str, float]) -> str:
    return f"step {step}  loss {loss:.3f}  " + "  ".join(f"{k} {v:.3f}" for k, v in figures.items())


def _keep(
    plan: StagePlan, step: int, trained: Mapping[str, Tensor], optimizer: torch.optim.Optimizer
) -> None:
    plan.checkpoint.parent.mkdir(parents=True, exist_ok=True)
    state = {"step": step, "weights": dict(trained), "optimizer": optimizer.state_dict()}
    with whole_file(plan.checkpoint) as partial:
        torch.save(state, partial)


def _resume(
    plan: StagePlan, trained: Mapping[str, Tensor], optimizer: torch.optim.Optimizer
) -> int:
    if not plan.checkpoint.exists():
        return 0
    state = torch.load(plan.checkpoint, weights_only=True, map_location="cpu")
    load_weights(trained, state["weights"])
    optimizer.load_state_dict(state["optimizer"])
    return int(state["step"])


def kept(checkpoint: Path, stage: str) -> dict[str, Any]:
    """Return the state that a stage left.

    Raises:
        Missing: If it left none.
    """
    if not checkpoint.exists():
        raise Missing(f"there is no {checkpoint}: run --stage {stage} first")
    state: dict[str, Any] = torch.load(checkpoint, weights_only=True, map_location="cpu")
    return state


def load_weights(trained: Mapping[str, Tensor], weights: Mapping[str, Tensor]) -> None:
    """Copy `weights` into `trained`.

    Raises:
        KeyError: If the names are not the same.
    """
    if trained.keys() != weights.keys():
        raise KeyError(
            f"the checkpoint is of another network: {sorted(trained.keys() ^ weights.keys())}"
        )
    with torch.no_grad():
        for name, parameter in trained.items():
            parameter.copy_(weights[name])
