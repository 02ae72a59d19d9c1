"""Run one part of the tests: `part.py NAME [--shown] pytest-arguments…`.

What it says comes whole, at its end, or at once where it is shown. Many tests talk to real programs, on
machines that may stand still for seconds. So where at most three fail, those are run once more, alone;
what passes only then is named in the last lines, for somebody to mend. A fault fails twice.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

FEW = 3


def run(arguments: list[str], cache: Path) -> Iterator[str]:
    """Yield what pytest says, line by line; return its exit status."""
    shutil.rmtree(cache, ignore_errors=True)  # of another run it names other tests
    command = [sys.executable, "-m", "pytest", "-o", f"cache_dir={cache}", *arguments]
    status = yield from _run_once(command)
    if status != pytest.ExitCode.TESTS_FAILED or len(failed := _failed(cache)) > FEW:
        return status
    names = "".join(f"\n  {name}" for name in failed)
    yield f"\nOnce more, alone:{names}\n"
    status = yield from _run_once([*command, "--last-failed", "--last-failed-no-failures=none"])
    if status == pytest.ExitCode.OK:
        yield f"UNSTEADY, passed at the second try:{names}\n"
    return status


def _run_once(command: list[str]) -> Iterator[str]:
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as pytest_process:
        yield from pytest_process.stdout
    return pytest_process.returncode


def _failed(cache: Path) -> list[str]:
    return sorted(json.loads((cache / "v/cache/lastfailed").read_text()))


def main(name: str, *arguments: str) -> int:
    """Run the part called `name`; return its exit status."""
    shown = arguments[0] == "--shown"
    running = run(list(arguments[shown:]), Path(sys.prefix, f"{name}.cache"))
    said = []
    while True:
        try:
            line = next(running)
        except StopIteration as end:
            sys.stdout.writelines(said)
            return end.value
        said.append(line)
        if shown:
            sys.stdout.writelines(said)
            sys.stdout.flush()
            said.clear()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
