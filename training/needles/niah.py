"""`flashback eval niah`: one picture in a long film."""

from training.needles.command import run_needles

if __name__ == "__main__":
    run_needles("niah")
