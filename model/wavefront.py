"""Parts of one text read side by side, each a layer behind the one before it: a wavefront.

A part attends to the parts before it, so in every layer it needs their keys and values there; that they are
through the layers above it does not need. So each core of a processor can read a part of its own. Cores that share
every product instead wait for one another several times a layer: docs/experiments.md says how long.
"""

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from typing import TypeVar

import torch

from model.language.decoder import LayerHook, no_hook

_Result = TypeVar("_Result")


class _Front:
    """How many layers each part has behind it."""

    def __init__(self, parts: int) -> None:
        self._behind = [0.0] * parts
        self._changed = threading.Condition()
        self._halted = False

    def wait(self, part: int) -> None:
        """Return once the part before `part` has more layers behind it than `part` has.

        Raises:
            BrokenBarrierError: If it never will, as some part has failed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._halted or self._may_go_on(part))
            if self._halted:
                raise threading.BrokenBarrierError

    def step(self, part: int, hook: LayerHook) -> None:
        """Say that `part` has one more layer behind it; return once it may go on."""
        self._move(part, self._behind[part] + 1)
        hook()
        self.wait(part)

    def end(self, part: int) -> None:
        """Say that `part` is through."""
        self._move(part, math.inf)

    def halt(self) -> None:
        """Let no part go on."""
        with self._changed:
            self._halted = True
            self._changed.notify_all()

    def _may_go_on(self, part: int) -> bool:
        return part == 0 or self._behind[part - 1] > self._behind[part]

    def _move(self, part: int, layers: float) -> None:
        with self._changed:
            self._behind[part] = layers
            self._changed.notify_all()


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Let torch's operations on this thread be shared by `count` cores at most meanwhile."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def run_wavefront(
    parts: Sequence[Callable[[LayerHook], _Result]], hook: LayerHook
) -> list[_Result]:
    """Run `parts` on as many threads as torch may use here; return what each of them returns.

    What a part does between two layers, it does after the part before it has done the same there.

    Args:
        parts: In the order of their tokens. Each takes the hook that it is to call after every layer.
        hook: Called on this thread, between two layers of the first part, and of others that this thread
            runs. As long as it runs, the rest goes on by a layer or two, and no further.
    """
    threads = torch.get_num_threads()
    workers = min(len(parts), threads)
    if workers < 2:
        return [part(hook) for part in parts]
    front, results = _Front(len(parts)), dict[int, _Result]()

    def work(first: int, hook: LayerHook) -> None:
        try:
            for number in range(first, len(parts), workers):
                front.wait(number)
                results[number] = parts[number](partial(front.step, number, hook))
                front.end(number)
        except BaseException:
            front.halt()
            raise

    @torch.inference_mode()
    def work_beside(first: int) -> None:
        torch.set_num_threads(threads // workers)  # of this thread, which is new
        work(first, no_hook)

    pool = ThreadPoolExecutor(workers - 1, thread_name_prefix="wavefront")
    # Of new threads, too: so it is set back only when those of the pool have ended.
    with torch_threads(threads // workers), pool, suppress(threading.BrokenBarrierError):
        others = [pool.submit(work_beside, first) for first in range(1, workers)]
        work(0, hook)
    for failure in (other.exception() for other in others):
        if failure is not None and not isinstance(failure, threading.BrokenBarrierError):
            raise failure
    return [results[number] for number in range(len(parts))]
