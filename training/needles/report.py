"""What the trials add up to: shares with intervals, and a heat map of depth by length."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from training.exams.film_scores import wilson
from training.needles.trials import TrialResult

MEASURES: dict[str, Callable[[TrialResult], bool | None]] = {
    "right": lambda found: found.right,
    "right_if_known": lambda found: found.right if found.known else None,
    "at_once": lambda found: found.at_once,
    "evidence": lambda found: found.evidence,
    "evidence_if_right": lambda found: found.evidence if found.right else None,
    "letter": lambda found: found.letter,
    "last_4_frames": lambda found: found.last,
    "blind": lambda found: found.blind,
}


def shares(trials: Sequence[TrialResult]) -> dict[str, Any]:
    """Return the share of each measure, its interval, and of how many trials; what is unknown is left out."""
    found = {name: [m for one in trials if (m := of(one)) is not None] for name, of in MEASURES.items()}  # fmt: skip
    return {name: asdict(wilson(sum(some), len(some))) | {"trials": len(some)} for name, some in found.items() if some}  # fmt: skip


def lost(trials: Sequence[TrialResult]) -> dict[str, int]:
    """Return how many needles were missed by where they were lost: eyes, clip, answer."""
    return dict(Counter(one.lost for one in trials if one.lost))


def by(
    trials: Iterable[TrialResult], key: Callable[[TrialResult], Any]
) -> dict[Any, list[TrialResult]]:
    """Return the trials by `key`, in its order."""
    parts: defaultdict[Any, list[TrialResult]] = defaultdict(list)
    for one in trials:
        parts[key(one)].append(one)
    return dict(sorted(parts.items()))


def table(rows: Mapping[str, Sequence[TrialResult]]) -> str:
    """Return a Markdown table: a row for each of `rows`, a column a measure."""
    told = {name: shares(trials) for name, trials in rows.items()}
    measures = [one for one in MEASURES if any(one in found for found in told.values())]
    lines = [f"| | trials | {' | '.join(measures)} |", "|---|---:|" + "---:|" * len(measures)]
    for name, trials in rows.items():
        found = told[name]
        cells = (
            f"{found[m]['share']:.0%} ({found[m]['low']:.0%} to {found[m]['high']:.0%})"
            if m in found
            else "-"
            for m in measures
        )
        lines.append(f"| {name} | {len(trials)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def heat_map(trials: Sequence[TrialResult], file: Path, title: str) -> None:
    """Write the share of right answers by depth and length as a PNG."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    lengths = list(by(trials, lambda one: one.length))
    depths = list(by(trials, lambda one: one.depth))
    cells = by(trials, lambda one: (one.depth, one.length))
    shown = [
        [
            sum(t.right for t in cells.get((d, n), [])) / max(1, len(cells.get((d, n), [])))
            for n in lengths
        ]
        for d in depths
    ]
    figure, axes = pyplot.subplots(figsize=(1.6 + 0.9 * len(lengths), 1.6 + 0.45 * len(depths)))
    image = axes.imshow(shown, vmin=0, vmax=1, cmap="RdYlGn", aspect="auto")
    axes.set_xticks(range(len(lengths)), [f"{n:,}" for n in lengths])
    axes.set_yticks(range(len(depths)), [f"{d:.0%}" for d in depths])
    axes.set_xlabel("frames")
    axes.set_ylabel("depth of the needle")
    axes.set_title(title, fontsize=9)
    for row, values in enumerate(shown):
        for column, value in enumerate(values):
            axes.text(column, row, f"{value:.0%}", ha="center", va="center", fontsize=8)
    figure.colorbar(image, label="right")
    figure.tight_layout()
    figure.savefig(file, dpi=120)
    pyplot.close(figure)
