"""The parts of `make test`: what fails is run once more, and only a fault fails twice."""

import subprocess
import sys

import pytest

from tests.tools.part import run

UNSTEADY = """
from pathlib import Path
def test_unsteady():
    tried = Path(__file__).with_suffix(".tried")
    before = tried.exists()
    tried.touch()
    assert before
"""
BROKEN = "\ndef test_broken_{}():\n    assert False\n"


@pytest.fixture(autouse=True)
def without_plugins(monkeypatch):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # they take seconds to load


def say(folder, tests):
    """Return the exit status of a part with `tests`, and what it said."""
    (folder / "test_some.py").write_text(tests)
    said = []
    status = run(["-q", str(folder)], folder / "cache", said.append)
    return status, "".join(said)


def test_what_passes_at_the_second_try_is_named(tmp_path):
    status, said = say(tmp_path, UNSTEADY + "\ndef test_steady():\n    pass\n")
    assert status == 0
    assert "1 failed, 1 passed" in said
    assert said.splitlines()[-1].endswith("test_some.py::test_unsteady")


@pytest.mark.parametrize(("faults", "tries"), [(1, 2), (3, 2), (4, 1)])
def test_a_fault_fails(tmp_path, faults, tries):
    status, said = say(tmp_path, "".join(BROKEN.format(number) for number in range(faults)))
    assert status == 1
    assert said.count(f"{faults} failed") == tries
    assert "UNSTEADY" not in said


def test_a_fault_beside_an_unsteady_one_fails(tmp_path):
    status, _ = say(tmp_path, UNSTEADY + BROKEN.format(1))
    assert status == 1


def test_what_cannot_be_collected_fails(tmp_path):
    status, _ = say(tmp_path, "import nothing_of_that_name\n")
    assert status not in (0, 1)


def test_the_exit_status_is_that_of_the_tests(tmp_path):
    (tmp_path / "test_some.py").write_text(BROKEN.format(1))
    command = [sys.executable, "tests/tools/part.py", str(tmp_path / "part"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert "Once more, alone" in done.stdout
