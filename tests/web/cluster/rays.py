"""A Ray that runs by itself, for hosts in processes of their own; it can die as its machine would."""

import asyncio
import contextlib
import importlib.util
import os
import secrets
import shutil
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

from tests.end_to_end.conftest import START_SECONDS
from tests.end_to_end.needs import need


def need_ray():
    """Skip the test where the extra is missing."""
    need(importlib.util.find_spec("ray"), "Ray: pip install 'flashback[ray]'")


class Node:
    """A node of Ray: `ray start --block`, and all that it starts.

    Attributes:
        variables: By which processes come to it.
    """

    def __init__(self, process, variables):
        self.variables = variables
        self._process = process
        self._gcs = None

    async def die(self):
        """End all of it at once. Told to end, Ray takes up to forty seconds for it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        if self._gcs is not None:
            self._gcs.kill()
            await self._gcs.wait()

    def kill_gcs(self):
        """Kill what makes a head of it, and nothing else."""
        [process] = [
            each
            for each in psutil.process_iter()
            if each.name() == "gcs_server" and os.getpgid(each.pid) == self._process.pid
        ]
        self._killed = process.cmdline(), process.environ()
        process.kill()

    async def start_gcs(self):
        """Start again what was killed."""
        command, variables = self._killed
        null = asyncio.subprocess.DEVNULL
        self._gcs = await asyncio.create_subprocess_exec(
            *command, env=variables, stdout=null, stderr=null
        )


@asynccontextmanager
async def ray_node(*arguments, watched=True, **variables):
    """Run a node with these arguments of `ray start`; it is dead in the end.

    Unwatched it lives on when a part of it dies.
    """
    program = shutil.which("ray", path=str(Path(sys.executable).parent))
    # Sockets of Ray lie in its folder, and their paths may have a hundred characters.
    folder = Path("/tmp") / f"fb-{secrets.token_hex(4)}"
    process = await asyncio.create_subprocess_exec(
        *(
            program,
            "start",
            *(["--block"] if watched else []),
            "--node-ip-address=127.0.0.1",
            f"--temp-dir={folder}",
        ),
        *("--object-store-memory=134217728", "--num-cpus=0", *arguments),
        env=os.environ | variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    node = Node(process, variables)
    try:
        async with asyncio.timeout(START_SECONDS):
            if watched:
                # The last that it says, once it runs; before that it has said little.
                while b"block forever" not in (line := await process.stdout.readline()):
                    assert line, "it ended before it ran"
            else:
                assert await process.wait() == 0
        yield node
    finally:
        await node.die()
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def ray_head(port, *, watched=True, **more):
    """Run a head on `port` with `more` variables; its `variables` are those of hosts, too."""
    variables = {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_worker_niceness": "0",
        "RAY_gcs_rpc_server_reconnect_timeout_s": "600",
        **more,
    }
    arguments = ("--head", f"--port={port}", "--include-dashboard=false")
    async with ray_node(*arguments, watched=watched, **variables) as node:
        node.variables = variables | {"FLASHBACK_RAY_ADDRESS": f"127.0.0.1:{port}"}
        yield node
