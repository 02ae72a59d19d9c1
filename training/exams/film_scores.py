"""What the answers to a list of questions add up to: shares of right ones with their intervals."""

import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from training.exams.film_cases import ALL
from training.exams.film_exam import FilmAnswer

Z95 = 1.96
"""Standard deviations that hold 95 % of a normal distribution."""


@dataclass(frozen=True, slots=True)
class Share:
    """How many were right, with the interval that holds the true share 95 times in a hundred.

    Attributes:
        right: How many.
        share: Of those asked.
        low: Where the interval begins.
        high: Where it ends.
    """

    right: int
    share: float
    low: float
    high: float


def wilson(right: int, asked: int) -> Share:
    """Return the share of `right` in `asked` with its 95 % Wilson score interval.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    JASA 22 (1927).
    """
    share, spread = right / asked, Z95**2 / asked
    middle = share + spread / 2
    reach = Z95 * math.sqrt(share * (1 - share) / asked + spread / (4 * asked))
    low, high = ((middle + sign * reach) / (1 + spread) for sign in (-1, 1))
    return Share(right, round(share, 4), round(max(0.0, low), 4), round(min(1.0, high), 4))


@dataclass(frozen=True, slots=True)
class FilmScore:
    """How often answers of one kind were right; controls are None where none were asked."""

    asked: int
    seen: Share
    blind: Share | None
    last: Share | None


def scores(answers: Iterable[FilmAnswer]) -> dict[str, FilmScore]:
    """Return the scores by kind of question, in order of their names, then of all."""
    kinds: defaultdict[str, list[FilmAnswer]] = defaultdict(list)
    for answered in answers:
        kinds[answered.case.kind].append(answered)
    found = {kind: _score(kinds[kind]) for kind in sorted(kinds)}
    return found | {ALL: _score([a for some in kinds.values() for a in some])}


def _score(some: Sequence[FilmAnswer]) -> FilmScore:
    def share(of: Callable[[FilmAnswer], str | None]) -> Share | None:
        given = [(a.case, answer) for a in some if (answer := of(a)) is not None]
        right = sum(case.is_right(answer) for case, answer in given)
        return wilson(right, len(given)) if given else None

    seen = share(lambda a: a.seen)
    assert seen is not None
    return FilmScore(len(some), seen, share(lambda a: a.blind), share(lambda a: a.last))


def table(found: dict[str, FilmScore]) -> str:
    """Return the scores as a Markdown table."""
    lines = ["| question | asked | right | blind | last 4 frames |", "|---|---:|---:|---:|---:|"]
    for kind, score in found.items():
        shares = (_in_words(share) for share in (score.seen, score.blind, score.last))
        lines.append(f"| {kind} | {score.asked} | {' | '.join(shares)} |")
    return "\n".join(lines)


def _in_words(share: Share | None) -> str:
    if share is None:
        return "not asked"
    return f"{share.share:.0%} ({share.low:.0%} to {share.high:.0%})"


def as_json(found: dict[str, FilmScore], about: Mapping[str, object], name: str = "real") -> str:
    """Return one line with the scores of the evaluation `name` and what they belong to."""
    rows = {kind: asdict(score) for kind, score in found.items()}
    return json.dumps({"eval": name, **about, "scores": rows})
