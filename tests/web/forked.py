"""The command in a process of its own, forked from one that has loaded the large libraries.

Loading them takes seconds of a core each time; that is looked at by the tests that start the command
with the interpreter. What of it is ours is loaded anew by every command.
"""

import asyncio
import atexit
import multiprocessing
import os
import sys
import tempfile
from pathlib import Path

from web.cli import main

LIBRARIES = [
    "torch",
    "transformers",
    "fastapi",
    "uvicorn",
    "aiortc",
    "av",
    "redis.asyncio",
    "typer",
]
_FORKSERVER = multiprocessing.get_context("forkserver")
_FORKSERVER.set_forkserver_preload(LIBRARIES)


async def run_command(arguments, variables, folder):
    """Run `flashback ARGUMENTS` to its end; return its exit code, output and errors."""
    with tempfile.TemporaryDirectory() as written:
        files = [Path(written, "output"), Path(written, "errors")]
        process = _FORKSERVER.Process(
            target=_become, args=(list(map(str, arguments)), variables, folder, files)
        )
        await asyncio.to_thread(process.start)
        try:
            await asyncio.to_thread(process.join)
        finally:
            process.kill()
        return process.exitcode, *(file.read_text() for file in files)


def _become(arguments, variables, folder, files):
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(folder)
    for descriptor, file in enumerate(files, 1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND), descriptor)
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 - to the end of the process
    sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115
    sys.argv = ["flashback", *arguments]
    try:
        main()
    finally:
        atexit._run_exitfuncs()  # which a forked process leaves out
