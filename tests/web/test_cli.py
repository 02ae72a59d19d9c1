"""The command as a process: what it says, where, and with which exit code."""

import asyncio
import json
import os
import re
import signal
import socket
import sys
from pathlib import Path

import pytest

from tests.model.released_layout import write_checkpoint
from tests.web.forked import run_command
from web.cli.modules import BENCHMARKS
from web.settings import variables

ROOT = Path(__file__).parents[2]


async def flashback(*arguments, **environment):
    """Run a command to its end; return its exit code, output and errors."""
    return await run_command(arguments, variables_with(environment), ROOT)


async def run(*arguments, program=sys.executable, **environment):
    """Run a program to its end; return its exit code, output and errors."""
    process = await spawn(program, *arguments, **environment)
    output, errors = await process.communicate()
    return process.returncode, output.decode(), errors.decode()


async def start(*arguments):
    """Begin to run a command."""
    return await spawn(sys.executable, "-m", "web.cli", *arguments)


def variables_with(environment):
    ours = {k: v for k, v in os.environ.items() if not k.startswith("FLASHBACK_")}
    return ours | environment | {"COLUMNS": "200"}


async def spawn(*command, **environment):
    return await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        env=variables_with(environment),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@pytest.mark.parametrize(
    ("arguments", "environment", "sentence"),
    [
        (["serve"], {"FLASHBACK_TOKNE": "hunter2"}, "FLASHBACK_TOKNE is not a setting"),
        (["serve", "--port", "99999"], {}, "FLASHBACK_PORT: Input should be less than"),
        (["serve", "--port", "abc"], {}, "valid integer"),
        (["serve", "--source", "nameless"], {}, "FLASHBACK_SOURCE: give NAME=URL"),
        (["frob"], {}, "No such command 'frob'. See flashback --help."),
        (["stream"], {}, "Did you mean 'streams'? See flashback --help."),
        (["serve", "--port", "0", "--source", "x=", "--model", "tiny"], {}, "give NAME=URL"),
        (["ask", "web/sample/sample.mp4", " "], {}, "the question is empty"),
        (["ask", "web/sample/sample.mp4", "why " * 1100, "--model", "tiny"], {}, "at most 1024"),
        (["ask", "-d.mp4", "What?"], {}, "No such option: -d. See flashback ask --help."),
        (["bench"], {}, "Missing argument 'NAME'. See flashback bench --help."),
        (["bench", "report"], {}, "unknown benchmark report; choose live, "),
        (["eval", "flash-7b"], {}, "unknown exam flash-7b; choose lite, "),
        (["eval", "real"], {}, "Missing option '--data'"),
        (["eval", "real", "--data", "nowhere"], {}, "nowhere is not a folder: name one that"),
        (["eval", "real", "--data", "web/sample"], {}, "web/sample holds no cases.json"),
        (["eval", "real", "--data", "docs", "--limit", "0"], {}, "Invalid value for '--limit'"),
        (["eval", "demo", "--ages", "10,soon"], {}, "is not a list of seconds above 0"),
        (["eval", "lite", "--name", "-1"], {}, "Invalid value for '--name'"),
    ],
)
async def test_what_cannot_be_used_is_said_in_one_sentence(arguments, environment, sentence):
    code, output, errors = await flashback(*arguments, **environment)
    assert code == 2
    assert output == ""
    assert sentence in errors
    assert len(errors.splitlines()) == 1
    assert "hunter2" not in errors


async def test_a_port_in_use_is_said_in_one_sentence():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, _, errors = await flashback("serve", "--port", port, "--model", "tiny")
    assert code == 1
    assert f"Cannot listen on 127.0.0.1:{port}" in errors
    assert len(errors.splitlines()) == 1


@pytest.mark.parametrize(
    "command", [["serve", "--port", "0"], ["ask", "web/sample/sample.mp4", "?"]]
)
async def test_a_model_that_there_is_none_of_is_said_in_one_sentence(command):
    code, output, errors = await flashback(*command, "--model", "nope")
    assert (code, output) == (1, "")
    assert "'nope'" in errors
    assert "lite" in errors
    assert len(errors.splitlines()) == 1


async def test_a_checkpoint_of_another_family_is_refused_in_one_sentence(tmp_path):
    await asyncio.to_thread(write_checkpoint, tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"mm_projector_type": "mlp2x_gelu"}))
    code, output, errors = await flashback(
        "ask", "web/sample/sample.mp4", "What?", "--model", str(tmp_path)
    )
    assert (code, output) == (1, "")
    assert "mlp2x_gelu" in errors
    assert len(errors.splitlines()) == 1


async def test_what_to_do_about_an_address_that_is_not_ours_is_said():
    environment = {"FLASHBACK_TOKEN": "hunter2"}
    code, _, errors = await flashback("serve", "--host", "203.0.113.9", **environment)
    assert code == 1
    assert "choose another with --host" in errors


async def test_a_name_that_is_not_known_is_no_address():
    code, _, errors = await flashback("serve", "--host", "nowhere.invalid", FLASHBACK_TOKEN="x")
    assert code == 1
    assert "Cannot listen on nowhere.invalid:8700: no such address. Choose another" in errors


async def test_a_folder_that_cannot_be_used_is_named():
    options = ("--port", "0", "--model", "tiny", "--data", "/proc/none")
    code, _, errors = await flashback("serve", *options)
    assert code == 1
    assert "/proc/none" in errors
    assert "Errno" not in errors


async def test_whoever_types_nothing_reads_what_can_be_typed():
    code, output, errors = await flashback()
    assert (code, errors) == (2, "")
    assert "Usage: flashback" in output


async def test_every_benchmark_is_named_and_every_name_is_one():
    code, output, _ = await flashback("bench", "--help")
    assert code == 0
    folder = ROOT / "benchmarks"
    starts = re.compile(r"\n    (benchmark_main\(|main\(spent=)")
    modules = {m.stem: m for m in folder.glob("*.py")}
    modules |= {m.parent.name: m for m in folder.glob("*/__main__.py")}
    assert {name for name, m in modules.items() if starts.search(m.read_text())} == set(BENCHMARKS)
    assert all(f" {name}  {meaning}" in output for name, meaning in BENCHMARKS.items())


async def test_an_exam_of_weights_that_are_none_is_refused_in_a_sentence():
    code, output, errors = await flashback("eval", "lite", "--json", "--weights", "README.md")
    assert (code, output) == (1, "")
    assert "README.md cannot be read" in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("imported", ["typer", "pydantic", "torch"])
async def test_ctrl_c_while_the_command_loads_ends_it_without_a_word(imported):
    program = f"""
import signal, sys
class Interrupting:
    def find_spec(self, name, *_):
        if name == {imported!r}:
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
sys.argv = ["flashback", "ask", "web/sample/sample.mp4", "What?", "--model", "tiny"]
from web.cli import main
main()
"""
    assert await run("-c", program) == (130, "", "")


async def test_a_terminal_that_closes_ends_the_service_in_good_order(tmp_path):
    process = await start("serve", "--port", "0", "--model", "tiny", "--data", str(tmp_path))
    assert b"Flashback is ready" in await process.stdout.readline()
    assert (tmp_path / "redis.sock").exists()
    process.send_signal(signal.SIGHUP)
    assert await process.communicate() == (b"", b"")
    assert not (tmp_path / "redis.sock").exists(), "its Redis was stopped, not left to die"


async def test_a_service_without_a_terminal_says_the_same():
    # The shell closes what Python then does not have: sys.stdout is None.
    command = f"exec {sys.executable} -m web.cli serve --port 0 --model nope >&- <&-"
    code, _, errors = await run("-c", command, program="/bin/sh")
    assert code == 1
    assert "'nope'" in errors
    assert len(errors.splitlines()) == 1


async def test_an_answer_that_cannot_be_written_is_said():
    command = f"exec {sys.executable} -m web.cli ask web/sample/sample.mp4 ? --last 1 --model tiny"
    code, _, errors = await run("-c", f"{command} >/dev/full", program="/bin/sh")
    assert code == 1
    assert errors == "flashback: the answer cannot be written: No space left on device\n"


@pytest.mark.parametrize("command", [["weights"], ["ask", "web/sample/sample.mp4", "?"]])
async def test_a_cache_that_cannot_be_used_is_named(command):
    code, output, errors = await flashback(*command, FLASHBACK_CACHE="/proc/none")
    assert (code, output) == (1, "")
    assert "/proc/none cannot be used" in errors
    assert len(errors.splitlines()) == 1


@pytest.mark.parametrize("source", ["README.md", "no-such-file.mp4", "ftp://host/film.mp4", "."])
async def test_a_source_that_is_no_video_is_said_in_one_sentence(source):
    code, output, errors = await flashback("ask", source, "What?", "--json", "--model", "tiny")
    assert code == 2
    assert output == ""
    assert len(errors.splitlines()) == 1


async def test_help_lists_every_setting():
    code, output, _ = await flashback("serve", "--help")
    assert code == 0
    assert all(name in output for name, _, _ in variables())
