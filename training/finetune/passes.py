"""What goes through the network at once: one example, several short ones end to end, or one answer of one.

Examples in one pass do not see each other, so what is learned from them is what is learned from each
alone, in fewer and larger products.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch

from training.finetune.examples import UNLEARNED, Example


@dataclass(frozen=True, slots=True, eq=False)
class Pass:
    """Examples that go through the network end to end.

    Attributes:
        examples: None is a process that has nothing to learn from, and takes part all the same.
        shares: What the loss of each counts.
    """

    examples: tuple[Example, ...] = ()
    shares: tuple[float, ...] = ()

    @property
    def tokens(self) -> int:
        """Tokens of all examples."""
        return sum(len(example.ids) for example in self.examples)

    def to(self, device: torch.device) -> "Pass":
        """Return the same on `device`."""
        return replace(self, examples=tuple(example.to(device) for example in self.examples))


def passes(examples: Sequence[Example], most: int, *, drops: bool, apart: bool) -> list[Pass]:
    """Return `examples` as passes, in their order.

    Args:
        examples: To learn from.
        most: Tokens of a pass of several examples; 0 reads each alone.
        drops: Whether visual tokens are dropped: an example with something to see is alone then.
        apart: Whether each of its answers is, too, so that every pass runs every layer once.
    """
    found: list[Pass] = []
    for example in examples:
        if drops and example.frames:
            found += _answers(example) if apart else [Pass((example,), (1.0,))]
            continue
        last = found[-1] if found else None
        if last is not None and not _alone(last, drops=drops) and last.tokens + len(example.ids) <= most:  # fmt: skip
            found[-1] = Pass((*last.examples, example), (*last.shares, 1.0))
        else:
            found.append(Pass((example,), (1.0,)))
    return found


def answers(example: Example) -> Iterator[tuple[int, int]]:
    """Yield where each answer of `example` begins, and where it ends."""
    learned = (example.target != UNLEARNED).nonzero()[:, 0].tolist()
    ends = [n for n, after in zip(learned, [*learned[1:], -1], strict=True) if after != n + 1]
    begins = [n for n, before in zip(learned, [-2, *learned[:-1]], strict=True) if before != n - 1]
    yield from zip(begins, ends, strict=True)


def _alone(one: Pass, *, drops: bool) -> bool:
    return drops and any(example.frames for example in one.examples)


def _answers(example: Example) -> list[Pass]:
    """Return a pass for every answer; together they count as much as the example."""
    spans = list(answers(example))
    learned = sum(end + 1 - begin for begin, end in spans)
    found = []
    for begin, end in spans:
        target = torch.full_like(example.target, UNLEARNED)
        target[begin : end + 1] = example.target[begin : end + 1]
        one = replace(example, target=target)
        found.append(Pass((one,), ((end + 1 - begin) / learned,)))
    return found
