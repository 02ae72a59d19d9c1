"""A Ray that runs by itself, for hosts in processes of their own; it can die as its machine would."""

import asyncio
import importlib.util
import os
import secrets
import shutil
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path

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

    async def die(self):
        """End all of it at once. Told to end, Ray takes up to forty seconds for it."""
        if self._process.returncode is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()


@asynccontextmanager
async def ray_node(*arguments, **variables):
    """Run a node with these arguments of `ray start`; it is dead in the end."""
    program = shutil.which("ray", path=str(Path(sys.executable).parent))
    # Sockets of Ray lie in its folder, and their paths may have a hundred characters.
    folder = Path("/tmp") / f"fb-{secrets.token_hex(4)}"
    process = await asyncio.create_subprocess_exec(
        *(program, "start", "--block", "--node-ip-address=127.0.0.1", f"--temp-dir={folder}"),
        *("--object-store-memory=134217728", "--num-cpus=0", *arguments),
        env=os.environ | variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    node = Node(process, variables)
    try:
        async with asyncio.timeout(START_SECONDS):
            # The last that it says, once it runs; before that it has said little.
            while b"block forever" not in (line := await process.stdout.readline()):
                assert line, "it ended before it ran"
        yield node
    finally:
        await node.die()
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def ray_head(port):
    """Run a head on `port`; its `variables` are those of hosts, too."""
    variables = {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_worker_niceness": "0",
    }
    head = ray_node("--head", f"--port={port}", "--include-dashboard=false", **variables)
    async with head as node:
        node.variables = variables | {"FLASHBACK_RAY_ADDRESS": f"127.0.0.1:{port}"}
        yield node
