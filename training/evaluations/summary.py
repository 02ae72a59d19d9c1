"""What the answers of a run add up to: means by category, with intervals that know of clusters.

Questions about one film are right or wrong together more often than others; counted as independent,
they make intervals that are too narrow. The standard error is summed over films.

Source: E. Miller, "Adding Error Bars to Evals" (https://arxiv.org/abs/2411.00640), section 2.2.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import fmean, median
from typing import Any

from training.evaluations.answers import TimedAnswer
from training.evaluations.items import Average, Benchmark, Item, Options, Verdict
from training.exams.film_scores import Z95, wilson


@dataclass(frozen=True, slots=True)
class Figure:
    """A mean with the interval that holds the true one 95 times in a hundred.

    Attributes:
        mean: Of the items that count.
        low: Where the interval begins.
        high: Where it ends.
        items: How many count.
        clusters: Films they are about.
        error: Standard error.
    """

    mean: float
    low: float
    high: float
    items: int
    clusters: int
    error: float


@dataclass(frozen=True, slots=True)
class Scored:
    """An item with what its answer is worth by one measure."""

    item: Item
    value: float


def figure(scored: Sequence[Scored]) -> Figure:
    """Return the mean of some items and its interval."""
    mean = fmean(one.value for one in scored)
    off: defaultdict[str, float] = defaultdict(float)
    for one in scored:
        off[cluster(one.item)] += one.value - mean
    error = math.sqrt(sum(sum_off**2 for sum_off in off.values())) / len(scored)
    if all(one.value == scored[0].value for one in scored) and mean in {0.0, 1.0}:
        # Nothing varies; films that are all right still do not prove that every film would be.
        share = wilson(round(mean * len(off)), len(off))
        return Figure(mean, share.low, share.high, len(scored), len(off), error)
    return _figure(mean, error, len(scored), len(off))


def combine(figures: Iterable[Figure]) -> Figure:
    """Return the mean of some figures, each counting the same."""
    parts = list(figures)
    error = math.sqrt(sum(part.error**2 for part in parts)) / len(parts)
    items, clusters = sum(p.items for p in parts), sum(p.clusters for p in parts)
    return _figure(fmean(part.mean for part in parts), error, items, clusters)


def _figure(mean: float, error: float, items: int, clusters: int) -> Figure:
    low, high = max(0.0, mean - Z95 * error), mean + Z95 * error
    return Figure(round(mean, 4), round(low, 4), round(high, 4), items, clusters, round(error, 6))


def cluster(item: Item) -> str:
    """Return what names the items that depend on each other."""
    return item.cluster or str(item.media.path)


def summarise(
    benchmark: Benchmark,
    options: Options,
    items: Sequence[Item],
    answers: Mapping[str, TimedAnswer],
) -> dict[str, Any]:
    """Return the figures of a run, by measure.

    Args:
        benchmark: Which.
        options: How it is scored.
        items: Those of the run.
        answers: By key; items without one, or that could not be shown, are left out and counted.
    """
    asked = [item for item in items if item.key in answers and not answers[item.key].error]
    verdicts = [(item, _verdict(benchmark, options, item, answers[item.key])) for item in asked]
    counting = [(item, verdict) for item, verdict in verdicts if verdict.counted]
    measures = dict.fromkeys(name for _, verdict in counting for name in verdict.scores)
    took = [one.first_token_ms for one in answers.values() if one.first_token_ms is not None]
    late = [one.late_ms for one in answers.values() if one.late_ms is not None]
    return {
        "items": len(items),
        "answered": len(asked),
        "not_counted": len(verdicts) - len(counting),
        "unreadable": sum(bool(one.error) for one in answers.values()),
        "empty": sum(not answers[item.key].answer for item in asked),
        "median_first_token_ms": median(took) if took else None,
        "median_late_ms": median(late) if late else None,
        "clips_lost": sum(one.lost for one in answers.values()),
        "frames_each": round(fmean(answers[i.key].frames for i in asked), 1) if asked else 0,
        "measures": {
            name: _measure(
                [Scored(i, v.scores[name]) for i, v in counting if name in v.scores],
                benchmark.average,
            )
            for name in measures
        },
    }


def _verdict(benchmark: Benchmark, options: Options, item: Item, answered: TimedAnswer) -> Verdict:
    verdict = benchmark.score(item, answered.answer, options)
    if benchmark.score_evidence is None or not answered.evidence:
        return verdict
    scores = {**verdict.scores, **benchmark.score_evidence(item, answered.evidence)}
    return replace(verdict, scores=scores)


def _measure(scored: Sequence[Scored], average: Average) -> dict[str, Any]:
    categories = _by(scored, _categories)
    found = {name: figure(some) for name, some in categories.items()}
    groups = _by(scored, lambda item: [item.group])
    grouped = {name: figure(some) for name, some in groups.items() if name}
    whole = figure(scored)
    if average == "categories":
        whole = combine(found.values())
    elif average == "groups":
        grouped = {
            name: combine(figure(one) for one in _by(some, _categories).values())
            for name, some in groups.items()
        }
        whole = combine(grouped.values())
    return {
        "all": asdict(whole),
        "groups": {name: asdict(one) for name, one in sorted(grouped.items())},
        "categories": {name: asdict(one) for name, one in sorted(found.items())},
    }


def _by(
    scored: Iterable[Scored], names: Callable[[Item], Iterable[str]]
) -> dict[str, list[Scored]]:
    parts: defaultdict[str, list[Scored]] = defaultdict(list)
    for one in scored:
        for name in names(one.item):
            parts[name].append(one)
    return dict(parts)


def _categories(item: Item) -> Iterable[str]:
    return (item.category, *item.also)


def table(summary: Mapping[str, Any]) -> str:
    """Return the figures as a Markdown table: a row a category, a column a measure."""
    measures = summary["measures"]
    if not measures:
        return "Nothing counts: no item was answered."
    first = next(iter(measures.values()))
    lines = [
        f"| | items | films | {' | '.join(measures)} |",
        "|---|---:|---:|" + "---:|" * len(measures),
    ]
    for part in ("categories", "groups"):
        # One category is all.
        for name in first[part] if len(first[part]) > 1 else ():
            lines += [_row(name, [measure[part][name] for measure in measures.values()])]
    lines.append(_row("**all**", [measure["all"] for measure in measures.values()]))
    return "\n".join(lines)


def _row(name: str, figures: Sequence[Mapping[str, Any]]) -> str:
    shown = (f"{f['mean']:.3f} ({f['low']:.3f} to {f['high']:.3f})" for f in figures)
    return f"| {name} | {figures[0]['items']} | {figures[0]['clusters']} | {' | '.join(shown)} |"
