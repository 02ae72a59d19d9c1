"""What a recall exam comes to: by kind and age, evidence against answers, as tables and as JSON."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from training.exams.recall.exam import KINDS, RecallOutcome

MARKS = ("evidence and answer", "evidence alone", "answer alone", "neither")
_LASTING = ("what", "ever")
"""Kinds of which as much as four fifths must be left after a day."""
_YOUNG = 300.0
"""Age, in seconds, that a day is compared with."""


@dataclass(frozen=True, slots=True)
class Sitting:
    """One way of remembering, examined.

    Attributes:
        way: Its name.
        outcomes: Of every question.
        blocks: Clips or blocks that the language model read.
        reach: How far back they go, in seconds.
    """

    way: str
    outcomes: tuple[RecallOutcome, ...]
    blocks: int
    reach: float

    @property
    def first_word_ms(self) -> float | None:
        """From a question to its first word, the median."""
        first = [o.first for o in self.outcomes if o.first is not None]
        return 1000 * median(first) if first else None


def share(outcomes: Sequence[RecallOutcome]) -> float | None:
    """Return the share of right answers; None of none."""
    return round(sum(o.right for o in outcomes) / len(outcomes), 3) if outcomes else None


def of(
    sitting: Sitting, ages: Sequence[float], age: float | None, kinds: Iterable[str]
) -> list[RecallOutcome]:
    """Return the outcomes of `kinds`, at `age` or any."""
    wanted = set(kinds)
    return [
        o
        for o in sitting.outcomes
        if o.case.kind in wanted and (age is None or nearest(o.case.age, ages) == age)
    ]


def nearest(age: float, ages: Sequence[float]) -> float:
    """Return the one of `ages` that an event's true age was meant to be."""
    return min(ages, key=lambda wanted: abs(wanted - age))


def marks(outcomes: Iterable[RecallOutcome]) -> dict[str, int]:
    """Count how often the evidence was right, the answer was, both or neither."""
    counts = dict.fromkeys(MARKS, 0)
    for o in outcomes:
        if o.found is not None:
            counts[MARKS[2 * (not o.found) + (not o.right)]] += 1
    return counts


def tables(sittings: Sequence[Sitting], ages: Sequence[float]) -> str:
    """Return right answers by way and age, then of every way by kind and age, as Markdown."""
    ages = sorted(ages)
    head = " | ".join(f"{_spoken(age)} ago" for age in ages)
    lines = [
        f"| way | {head} | all | ms to the first word | {' | '.join(MARKS)} |",
        f"|---|{'---:|' * (len(ages) + 6)}",
    ]
    for s in sittings:
        by_age = [_count(of(s, ages, age, KINDS)) for age in ages]
        first = "" if s.first_word_ms is None else f"{s.first_word_ms:.0f}"
        evidence = [str(count) for count in marks(s.outcomes).values()]
        row = [s.way, *by_age, _count(s.outcomes), first, *evidence]
        lines.append(f"| {' | '.join(row)} |")
    for s in sittings:
        lines += ["", f"| {s.way} | {head} | all |", f"|---|{'---:|' * (len(ages) + 1)}"]
        for kind in KINDS:
            row = [kind, *(_count(of(s, ages, age, [kind])) for age in [*ages, None])]
            lines.append(f"| {' | '.join(row)} |")
    return "\n".join(lines)


def targets(
    sittings: Sequence[Sitting], ages: Sequence[float], control: str = "first in, first out"
) -> dict[str, dict[str, float | None]]:
    """Return for every way what the oldest age leaves of the young one, and how often `control` it is.

    The first is asked of what was shown and whether a thing was there ever, the second of all kinds
    that `control` has lost: older than it reaches.
    """
    found: dict[str, dict[str, float | None]] = {}
    beaten = next((s for s in sittings if s.way == control), None)
    for s in sittings:
        if s.way == control:
            continue
        young, old = (
            share(of(s, ages, age, _LASTING)) for age in (nearest(_YOUNG, ages), max(ages))
        )
        found[s.way] = {"of 5 minutes after a day": _ratio(old, young)}
        if beaten is not None:
            there = [kind for kind in KINDS if kind != "never"]
            beyond = [o for o in of(s, ages, None, there) if o.case.age > beaten.reach]
            lost = [o for o in of(beaten, ages, None, there) if o.case.age > beaten.reach]
            found[s.way][f"times {control} beyond its reach"] = _ratio(share(beyond), share(lost))
    return found


def as_dict(sitting: Sitting, ages: Sequence[float]) -> dict[str, object]:
    """Return what is written down of one way."""
    return {
        "blocks": sitting.blocks,
        "reach_s": round(sitting.reach),
        "first_word_ms": None if sitting.first_word_ms is None else round(sitting.first_word_ms),
        "right": share(sitting.outcomes),
        "kinds": {
            kind: {f"{age:g}": share(of(sitting, ages, age, [kind])) for age in ages}
            for kind in KINDS
            if of(sitting, ages, None, [kind])
        },
        "evidence_and_answer": marks(sitting.outcomes),
    }


def _ratio(one: float | None, other: float | None) -> float | None:
    """Return `one` by `other`; None where that is nothing, or nothing is known."""
    return round(one / other, 2) if one is not None and other else None


def _count(outcomes: Sequence[RecallOutcome]) -> str:
    return f"{sum(o.right for o in outcomes)} of {len(outcomes)}" if outcomes else ""


def _spoken(seconds: float) -> str:
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"
