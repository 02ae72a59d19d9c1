"""Variants of a network that answered the same questions, beside the one that they vary.

A difference counts as one only if the questions that just one of the two has right lie so unevenly that
chance would hardly do it. That is the noise of the questions; the noise of training shows in a second
run with another seed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import comb, sqrt
from statistics import fmean, stdev

from training.exams.film_cases import ALL
from training.exams.film_scores import Z95, Share, wilson
from training.lite.reading import Told

Exam = Sequence[Sequence[Told]]
"""The answers about each stream; the same questions in the same order for whoever was examined."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How a variant differs from what it varies.

    Attributes:
        gained: Questions that it alone has right.
        lost: Questions that it alone has wrong.
        chance: How likely so uneven a split is if both are as good (exact sign test, two-sided).
        cost: Nats a token that its right answers cost more, as a mean over streams.
        within: Half the width of the 95 % interval of that.
    """

    gained: int
    lost: int
    chance: float
    cost: float
    within: float


def shares(exam: Exam) -> dict[str, tuple[int, Share]]:
    """Return how many questions of each kind were asked and how many answers are right, then of all."""
    every = [told for stream in exam for told in stream]
    kinds = {kind: [t for t in every if t.kind == kind] for kind in sorted({t.kind for t in every})}
    counted = kinds | {ALL: every}
    return {k: (len(some), wilson(sum(t.right for t in some), len(some))) for k, some in counted.items()}  # fmt: skip


def difference(varied: Exam, base: Exam) -> Difference:
    """Return how `varied` differs from `base`.

    Raises:
        ValueError: If they were not asked the same.
    """
    if [[t.kind for t in s] for s in varied] != [[t.kind for t in s] for s in base]:
        raise ValueError("two exams with other questions cannot be compared")
    pairs = [(v, b) for vs, bs in zip(varied, base, strict=True) for v, b in zip(vs, bs, strict=True)]  # fmt: skip
    gained = sum(v.right and not b.right for v, b in pairs)
    lost = sum(b.right and not v.right for v, b in pairs)
    more = [_cost(v) - _cost(b) for v, b in zip(varied, base, strict=True)]
    within = Z95 * stdev(more) / sqrt(len(more)) if len(more) > 1 else float("inf")
    return Difference(gained, lost, sign_test(gained, lost), fmean(more), within)


def sign_test(gained: int, lost: int) -> float:
    """Return how likely a split at least as uneven is if both sides are as likely."""
    count = gained + lost
    tail = sum(comb(count, n) for n in range(min(gained, lost) + 1)) / (1 << count)
    return min(1.0, 2 * tail)


def table(exams: Mapping[str, Exam], seconds: Mapping[str, float]) -> str:
    """Return what came out as Markdown: one table of differences, one by kind of question.

    Args:
        exams: By name; the first is what the others vary.
        seconds: Of a processor, that each was trained.
    """
    base = next(iter(exams.values()))
    lines = [
        "| variant | processor minutes | right | gained, lost | chance | nats a token | more than the first |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, exam in exams.items():
        of_all, cost = shares(exam)[ALL][1], fmean(map(_cost, exam))
        against = "- | -", "-"
        if exam is not base:
            d = difference(exam, base)
            against = f"{d.gained}, {d.lost} | {d.chance:.2g}", f"{d.cost:+.3f} ± {d.within:.3f}"
        lines.append(
            f"| {name} | {seconds.get(name, 0.0) / 60:.1f} | {_percent(of_all)} | {against[0]} "
            f"| {cost:.3f} | {against[1]} |"
        )
    by_kind = {name: shares(exam) for name, exam in exams.items()}
    lines += ["", f"| question | asked | {' | '.join(exams)} |", f"|---|{'---:|' * (len(exams) + 1)}"]  # fmt: skip
    for kind, (asked, _) in shares(base).items():
        cells = " | ".join(_percent(found[kind][1]) for found in by_kind.values())
        lines.append(f"| {kind} | {asked} | {cells} |")
    return "\n".join(lines)


def as_rows(exams: Mapping[str, Exam]) -> dict[str, object]:
    """Return the same as plain values, for a line of JSON."""
    base = next(iter(exams.values()))
    return {
        name: {
            "kinds": {k: {"asked": n, **asdict(share)} for k, (n, share) in shares(exam).items()},
            "cost": fmean(map(_cost, exam)),
            "against": None if exam is base else asdict(difference(exam, base)),
        }
        for name, exam in exams.items()
    }


def _cost(stream: Sequence[Told]) -> float:
    return fmean(told.cost for told in stream)


def _percent(share: Share) -> str:
    return f"{share.share:.0%} ({share.low:.0%} to {share.high:.0%})"
