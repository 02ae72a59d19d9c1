"""Processes that work out gradients side by side.

Threads of one process wait for each other's Python; processes do not. The weights lie in memory that
all share, so a step of the optimiser is seen by everyone at once, and each process leaves its sum of
gradients in memory that the first one reads. Sums are taken in a fixed order: the same work gives
the same weights, to the last bit.
"""

import multiprocessing
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection

import torch
from torch import Tensor

_STOP: tuple[int, list[int]] = (-1, [])
Gradients = Callable[[int, int], tuple[float, tuple[Tensor, ...]]]
"""Step and number of an example to its loss and the gradients of all weights."""


class Workers:
    """As many processes as cores. Use as a context.

    Args:
        count: How many.
        weights: What is trained; moved into shared memory.
        gradients: Works out one example; the processes are forked, so it may hold anything.
    """

    def __init__(self, count: int, weights: Sequence[Tensor], gradients: Gradients) -> None:
        self._weights = weights
        for weight in weights:
            weight.data = _shared(weight.data)
        context = multiprocessing.get_context("fork")
        self._sums = [[_shared(torch.zeros_like(w)) for w in weights] for _ in range(count)]
        self._ends: list[Connection] = []
        self._processes = []
        for sums in self._sums:
            mine, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs, sums, gradients), daemon=True)
            process.start()
            theirs.close()
            self._ends.append(mine)
            self._processes.append(process)

    def add_gradients(self, step: int, examples: int) -> float:
        """Add the gradients of a step's `examples` to the weights; return the sum of losses.

        Raises:
            EOFError: If a process has died.
        """
        for number, end in enumerate(self._ends):
            end.send((step, list(range(number, examples, len(self._ends)))))
        losses = [float(end.recv()) for end in self._ends]
        for sums in self._sums:
            for weight, part in zip(self._weights, sums, strict=True):
                weight.grad = part.clone() if weight.grad is None else weight.grad.add_(part)
        return sum(losses)

    def __enter__(self) -> "Workers":
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the processes."""
        for end, process in zip(self._ends, self._processes, strict=True):
            if process.is_alive():
                # A closed end would tell it nothing: what is forked holds a copy of that end too.
                end.send(_STOP)
            process.join()


def _shared(values: Tensor) -> Tensor:
    moved: Tensor = values.share_memory_()  # type: ignore[no-untyped-call]
    return moved


def _work(end: Connection, sums: Sequence[Tensor], gradients: Gradients) -> None:
    torch.set_num_threads(1)
    while True:
        try:
            step, numbers = end.recv()
        except (EOFError, KeyboardInterrupt):
            return
        if (step, numbers) == _STOP:
            return
        for total in sums:
            total.zero_()
        loss = 0.0
        for number in numbers:
            one, parts = gradients(step, number)
            loss += one
            for total, part in zip(sums, parts, strict=True):
                total.add_(part)
        end.send(loss)
