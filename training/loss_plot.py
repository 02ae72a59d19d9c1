"""Draws the loss of a training run from its log."""

import json
from pathlib import Path


def plot_losses(log: Path, file: Path) -> None:
    """Write a PNG of the loss, step by step, with a smooth line."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    steps = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    losses = [step["loss"] for step in steps]
    smooth = losses[:1]
    for loss in losses[1:]:
        smooth.append(0.95 * smooth[-1] + 0.05 * loss)
    figure, axes = pyplot.subplots(figsize=(7, 3.5))
    axes.plot([step["step"] for step in steps], losses, alpha=0.35, label="loss")
    axes.plot([step["step"] for step in steps], smooth, label="smoothed")
    axes.set_xlabel("step")
    axes.legend()
    figure.tight_layout()
    figure.savefig(file, dpi=110)
    pyplot.close(figure)
