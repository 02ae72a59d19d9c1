"""`flashback export`: what a training run has learned, as a checkpoint."""

from training.command import run_command
from training.finetune.command import LACKING, exporting

if __name__ == "__main__":
    run_command(exporting, "flashback export", LACKING)
