"""Run one part of the tests: `part.py NAME [--shown] pytest-arguments…`.

What it says comes whole, at its end, or at once where it is shown. Many tests talk to real programs, on
machines that may stand still for seconds. So where at most three fail, those are run once more, alone;
what passes only then is named in the last lines, for somebody to mend. A fault fails twice.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

FEW = 3

Say = Callable[[str], object]


def run(arguments: list[str], cache: Path, say: Say) -> int:
    """Give `say` what pytest says, line by line; return its exit status."""
    shutil.rmtree(cache, ignore_errors=True)  # of another run it names other tests
    command = [sys.executable, "-m", "pytest", "-o", f"cache_dir={cache}", *arguments]
    status = _run_once(command, say)
    if status != pytest.ExitCode.TESTS_FAILED or len(failed := _failed(cache)) > FEW:
        return status
    names = "".join(f"\n  {name}" for name in failed)
    say(f"\nOnce more, alone:{names}\n")
    status = _run_once([*command, "--last-failed", "--last-failed-no-failures=none"], say)
    if status == pytest.ExitCode.OK:
        say(f"UNSTEADY, passed at the second try:{names}\n")
    return status


def _run_once(command: list[str], say: Say) -> int:
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as pytest_process:
        for line in pytest_process.stdout:
            say(line)
    return pytest_process.returncode


def _failed(cache: Path) -> list[str]:
    return sorted(json.loads((cache / "v/cache/lastfailed").read_text()))


def _show(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()


def main(name: str, *arguments: str) -> int:
    """Run the part called `name`; return its exit status."""
    shown, said = arguments[0] == "--shown", []
    cache = Path(sys.prefix, f"{name}.cache")
    status = run(list(arguments[shown:]), cache, _show if shown else said.append)
    sys.stdout.writelines(said)
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
