"""The command as a process: what it says, where, and with which exit code."""

import asyncio
import json
import os
import socket
import sys
from pathlib import Path

import pytest

from tests.model.released_layout import write_checkpoint
from web.settings import variables

ROOT = Path(__file__).parents[2]


async def flashback(*arguments, **environment):
    """Run a command to its end; return its exit code, output and errors."""
    variables = {k: v for k, v in os.environ.items() if not k.startswith("FLASHBACK_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "web.cli",
        *arguments,
        cwd=ROOT,
        env=variables | environment | {"COLUMNS": "200"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    return process.returncode, output.decode(), errors.decode()


@pytest.mark.parametrize(
    ("arguments", "environment", "sentence"),
    [
        (["serve"], {"FLASHBACK_TOKNE": "hunter2"}, "FLASHBACK_TOKNE is not a setting"),
        (["serve", "--port", "99999"], {}, "FLASHBACK_PORT: Input should be less than"),
        (["serve", "--port", "abc"], {}, "valid integer"),
        (["serve", "--source", "nameless"], {}, "FLASHBACK_SOURCE: give NAME=URL"),
        (["frob"], {}, "No such command"),
        (["serve", "--port", "0", "--source", "x=", "--model", "tiny"], {}, "give NAME=URL"),
        (["ask", "web/sample/sample.mp4", " "], {}, "the question is empty"),
        (["ask", "web/sample/sample.mp4", "why " * 1100, "--model", "tiny"], {}, "at most 1024"),
        (["bench"], {}, "say what to measure: flashback bench live"),
        (["bench", "nothing"], {}, "there is no benchmarks.nothing"),
        (["eval", "flash-7b"], {}, "there is an exam for lite alone, not for flash-7b"),
        (["bench", "os.path"], {}, "there is no benchmarks.os.path"),
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


async def test_a_folder_that_cannot_be_used_is_named():
    options = ("--port", "0", "--model", "tiny", "--data", "/proc/none")
    code, _, errors = await flashback("serve", *options)
    assert code == 1
    assert "/proc/none" in errors
    assert "Errno" not in errors


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
