"""What a recall exam comes to: by kind and age, evidence against answers, as a table and as JSON."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from training.recall_exam import KINDS, Outcome

MARKS = ("evidence and answer", "evidence alone", "answer alone", "neither")


@dataclass(frozen=True, slots=True)
class Sitting:
    """One way of remembering, examined.

    Attributes:
        way: Its name.
        outcomes: Of every question.
        blocks: Clips or blocks that the language model read.
        history_bytes: Memory of its caches.
        first_word_ms: From the question to its first word, on average.
    """

    way: str
    outcomes: tuple[Outcome, ...]
    blocks: int
    history_bytes: int
    first_word_ms: float


def share(outcomes: Sequence[Outcome]) -> float | None:
    """Return the share of right answers; None of none."""
    return round(sum(o.right for o in outcomes) / len(outcomes), 3) if outcomes else None


def by(
    outcomes: Iterable[Outcome], key: Callable[[Outcome], object]
) -> Mapping[object, list[Outcome]]:
    """Return the outcomes by what `key` says of them."""
    groups: defaultdict[object, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        groups[key(outcome)].append(outcome)
    return groups


def nearest(age: float, ages: Sequence[float]) -> float:
    """Return the one of `ages` that an event's true age was meant to be."""
    return min(ages, key=lambda wanted: abs(wanted - age))


def marks(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """Count how often the evidence was right, the answer was, both or neither."""
    counts = dict.fromkeys(MARKS, 0)
    for o in outcomes:
        if o.found is not None:
            counts[MARKS[2 * (not o.found) + (not o.right)]] += 1
    return counts


def table(sittings: Sequence[Sitting], ages: Sequence[float]) -> str:
    """Return right answers by way and age, and by way and kind, as Markdown."""
    ways = [s.way for s in sittings]
    lines = [f"| | {' | '.join(ways)} |", f"|---|{'---:|' * len(ways)}"]
    for age in sorted(ages):
        of_age = [
            share([o for o in s.outcomes if nearest(o.case.age, ages) == age]) for s in sittings
        ]
        lines.append(_row(f"{_spoken(age)} ago", of_age))
    of_kind = [by(s.outcomes, lambda o: o.case.kind) for s in sittings]
    lines += [_row(kind, [share(some.get(kind, [])) for some in of_kind]) for kind in KINDS]
    lines.append(_row("all", [share(s.outcomes) for s in sittings]))
    return "\n".join(lines)


def as_dict(sitting: Sitting, ages: Sequence[float]) -> dict[str, object]:
    """Return what is written down of one way."""
    by_kind = by(sitting.outcomes, lambda o: o.case.kind)
    return {
        "blocks": sitting.blocks,
        "history_mb": round(sitting.history_bytes / 1e6, 1),
        "first_word_ms": round(sitting.first_word_ms),
        "right": share(sitting.outcomes),
        "kinds": {
            kind: {
                f"{age:g}": share([o for o in some if nearest(o.case.age, ages) == age])
                for age in ages
            }
            for kind in KINDS
            if (some := by_kind.get(kind))
        },
        "evidence_and_answer": marks(sitting.outcomes),
    }


def _row(name: str, shares: Sequence[float | None]) -> str:
    return f"| {name} | {' | '.join('' if s is None else f'{s:.0%}' for s in shares)} |"


def _spoken(seconds: float) -> str:
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"
