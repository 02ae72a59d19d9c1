"""`flashback`, with the processor time of every turn of its event loop counted.

`python -m benchmarks.harness.counted_service FILE serve --port PORT`: FILE gets a line for each long turn,
in Unix seconds and milliseconds.

How long a loop stands still by the clock is the whole machine's doing; how much processor time one
turn takes, all that is ready in it together, is its own.
"""

import asyncio
import sys
import time
from pathlib import Path

_LONG_MS = 5.0


def count_turns(file: Path) -> None:
    """Have every turn of event loops that takes long noted in `file`."""
    loops = asyncio.base_events.BaseEventLoop
    turn = loops._run_once  # type: ignore[attr-defined] # everything goes through it

    def counted(loop: asyncio.AbstractEventLoop) -> None:
        before = time.thread_time()
        turn(loop)
        took = 1000 * (time.thread_time() - before)
        if took >= _LONG_MS:
            with file.open("a") as lines:
                lines.write(f"{time.time()} {took}\n")

    setattr(loops, "_run_once", counted)  # noqa: B010 - mypy knows it as a method


def longest_turn_ms(file: Path, since: float) -> float:
    """Return the longest turn in `file` since a Unix second; zero if none was long."""
    lines = file.read_text().splitlines() if file.exists() else []
    turns = [tuple(map(float, line.split())) for line in lines]
    return max((took for at, took in turns if at >= since), default=0.0)


if __name__ == "__main__":
    count_turns(Path(sys.argv.pop(1)))
    from web.cli import main

    main()
