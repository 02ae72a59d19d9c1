"""What a benchmark is told is judged before anything is measured; what it starts ends with it."""

import argparse
import asyncio
import os
import signal
import sys

import pytest

from benchmarks.command.options import above_zero, at_least_one, video_file
from benchmarks.command.report import benchmark_main


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "x", ""])
def test_a_count_is_at_least_one(text):
    assert at_least_one("12") == 12
    with pytest.raises(argparse.ArgumentTypeError, match="above 0"):
        at_least_one(text)


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "x", ""])
def test_a_number_of_seconds_is_above_zero(text):
    assert above_zero("0.5") == 0.5
    with pytest.raises(argparse.ArgumentTypeError, match="above 0"):
        above_zero(text)


def test_a_video_must_be_one():
    with pytest.raises(argparse.ArgumentTypeError, match="nowhere"):
        video_file("nowhere.mp4")


def test_a_report_that_could_not_be_written_is_said_before_measuring(capsys):
    def measure(_):
        raise AssertionError("it was measured")

    with pytest.raises(SystemExit) as ended:
        benchmark_main("things", "", measure, arguments=["--save-to", "/proc/none"])
    assert ended.value.code == 1
    assert "/proc/none" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_whatever_ends_a_benchmark_lets_it_clean_up(capsys, number):
    cleaned = []

    def measure(_):
        try:
            signal.raise_signal(number)
        finally:
            cleaned.append(number)

    with pytest.raises(SystemExit) as ended:
        benchmark_main("things", "", measure, arguments=[])
    assert (ended.value.code, cleaned) == (130, [number])
    assert capsys.readouterr().out == ""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's leash")
async def test_what_a_benchmark_started_ends_with_it_when_it_is_killed():
    # The child says so, then holds standard output open until it ends.
    child = "import time; print('here', flush=True); time.sleep(600)"
    program = f"""
import subprocess, sys
from benchmarks.harness.service import dies_with_parent
subprocess.run(dies_with_parent(sys.executable, "-c", {child!r}))
"""
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program),
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": "."},
    )
    assert await parent.stdout.readline() == b"here\n"
    parent.kill()
    assert await parent.stdout.read() == b""
    await parent.wait()
