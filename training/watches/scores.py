"""Counts hits and false alarms of watches, with bounds that hold whatever the distribution looks like.

False alarms come one by one in time: of so many in so many quiet hours, the upper bound on their rate
is the exact one for a Poisson process (Garwood 1936); the share of hits has Clopper and Pearson's.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

CONFIDENCE = 0.9
SOON = 2
_STEPS = 100


def poisson_upper(count: int, hours: float, confidence: float = CONFIDENCE) -> float:
    """Return the rate an hour that so few alarms in `hours` rule out, one-sided."""

    def too_low(mean: float) -> bool:
        terms = (mean**k / math.factorial(k) for k in range(count + 1))
        return math.exp(-mean) * sum(terms) > 1 - confidence

    return _bisect(too_low, 0.0, 10.0 * (count + 5)) / hours


def binomial_lower(hits: int, trials: int, confidence: float = CONFIDENCE) -> float:
    """Return the share of hits that so many of `trials` rule out to be lower, one-sided."""
    if hits == 0:
        return 0.0

    def too_low(share: float) -> bool:
        ways = (
            math.comb(trials, k) * share**k * (1 - share) ** (trials - k)
            for k in range(hits, trials + 1)
        )
        return sum(ways) < 1 - confidence

    return _bisect(too_low, 0.0, 1.0)


def _bisect(too_low: Callable[[float], bool], low: float, high: float) -> float:
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if too_low(middle) else (low, middle)
    return high


@dataclass(slots=True)
class Tally:
    """What became of the watches of one kind.

    Attributes:
        events: Events that were planted.
        delays: Of those that were told: clips from the first that could be told.
        alarms: How often a watch fired in quiet.
        hours: Watched hours of quiet.
    """

    events: int = 0
    delays: list[int] = field(default_factory=list)
    alarms: int = 0
    hours: float = 0.0

    def add(self, other: "Tally") -> None:
        """Take in what another has counted."""
        self.events += other.events
        self.delays += other.delays
        self.alarms += other.alarms
        self.hours += other.hours

    def numbers(self) -> dict[str, float | int | None]:
        """Return everything for programs."""
        hits = len(self.delays)
        return {
            "events": self.events,
            "hits": hits,
            "hit_rate": round(hits / self.events, 4) if self.events else None,
            "hit_rate_at_least": round(binomial_lower(hits, self.events), 4) if self.events else None,
            "told_within_2_clips": round(sum(d <= SOON for d in self.delays) / self.events, 4)
            if self.events
            else None,
            "delay_clips_p50": quantile(self.delays, 0.5),
            "delay_clips_p95": quantile(self.delays, 0.95),
            "quiet_hours": round(self.hours, 2),
            "false_alarms": self.alarms,
            "false_alarms_an_hour_at_most": round(poisson_upper(self.alarms, self.hours), 4)
            if self.hours
            else None,
        }  # fmt: skip


def quantile(values: Sequence[int], share: float) -> int | None:
    """Return the value that `share` of `values` do not exceed; None of nothing."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None
