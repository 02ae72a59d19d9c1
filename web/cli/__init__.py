"""The command `flashback` in its first moment: what must hold before anything else is loaded.

What can be typed stands in `web/cli/commands.py`; its groups have files beside it.
"""

import os
import sys

from web.cli.signals import exit_on_sigint


def main() -> None:
    """Run the command line."""
    exit_on_sigint()
    _ensure_stdio()
    from web.cli.commands import run  # late: it takes long enough to be stopped meanwhile

    sys.exit(run())


def _ensure_stdio() -> None:
    """Open what the parent closed: else a socket of ours becomes the next "standard output"."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    sys.stdin = sys.stdin or os.fdopen(0)
    sys.stdout = sys.stdout or os.fdopen(1, "w")
    sys.stderr = sys.stderr or os.fdopen(2, "w")
