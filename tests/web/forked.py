"""Programs of ours in processes of their own, forked from one that has loaded the large libraries.

Loading them takes seconds of a core each time; that is looked at by the tests that start the command
with the interpreter. What of them is ours is loaded anew by every program.
"""

import asyncio
import atexit
import ctypes
import multiprocessing
import os
import runpy
import sys
from pathlib import Path

from tests.patience import be_patient, be_patient_with_sources

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


class Command:
    """A program that runs, to be used as an `asyncio.subprocess.Process`. Make it with `start`.

    Attributes:
        stdout: What it says, and its errors too if they are not apart.
        stderr: Its errors, if they are.
    """

    @classmethod
    async def start(
        cls, arguments, variables, folder, *, apart=True, module="web.cli", network=None
    ):
        """Run `python -m MODULE ARGUMENTS` with these variables of the environment, and no others.

        `network` is the name of a network namespace to run it in.
        """
        pipes = [multiprocessing.Pipe(duplex=False) for _ in range(1 + apart)]
        writers = [writer for _, writer in pipes]
        given = (module, list(map(str, arguments)), variables, folder, network, writers)
        self = cls()
        self._process = _FORKSERVER.Process(target=_become, args=given)
        await asyncio.to_thread(self._process.start)
        for writer in writers:
            writer.close()
        readers = [await _reading(reader) for reader, _ in pipes]
        self.stdout, self.stderr = readers if apart else (*readers, None)
        return self

    @property
    def pid(self):
        return self._process.pid

    @property
    def returncode(self):
        return self._process.exitcode

    def send_signal(self, number):
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self):
        self._process.kill()

    async def communicate(self):
        """Wait for its end; return what else it said, and its errors."""
        said = [one.read() for one in (self.stdout, self.stderr) if one is not None]
        rest = await asyncio.gather(*said)
        await asyncio.to_thread(self._process.join)
        return rest[0], rest[1] if self.stderr else None


async def run_command(arguments, variables, folder):
    """Run `flashback ARGUMENTS` to its end; return its exit code, output and errors."""
    command = await Command.start(arguments, variables, folder)
    try:
        output, errors = await command.communicate()
    finally:
        command.kill()
    return command.returncode, output.decode(), errors.decode()


async def _reading(pipe):
    reader = asyncio.StreamReader()
    file = os.fdopen(os.dup(pipe.fileno()), "rb")
    pipe.close()
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, file)
    return reader


def _become(module, arguments, variables, folder, network, writers):
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(folder)
    if network is not None:
        _enter(network)
    for descriptor in (1, 2):
        os.dup2(writers[min(descriptor, len(writers)) - 1].fileno(), descriptor)
    for writer in writers:
        writer.close()
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 - to the end of the process
    sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115
    sys.argv = [module, *arguments]
    be_patient()
    be_patient_with_sources()
    try:
        runpy.run_module(module, run_name="__main__")
    finally:
        sys.stdout.flush()
        atexit._run_exitfuncs()  # which a forked process leaves out


NEW_NETWORK = 0x40000000
"""CLONE_NEWNET; Python has had `os.setns` since 3.12."""


def _enter(network):
    libc = ctypes.CDLL(None, use_errno=True)
    with Path(f"/run/netns/{network}").open() as place:
        if libc.setns(place.fileno(), NEW_NETWORK) != 0:
            raise OSError(ctypes.get_errno(), f"cannot enter the network {network}")
