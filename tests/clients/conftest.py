"""Stock clients, as they are installed, against a running service."""

import asyncio
from contextlib import asynccontextmanager

from tests.web.conftest import service  # noqa: F401 - a fixture


@asynccontextmanager
async def program(*command, **options):
    """Run a program until the end of the block, with pipes to and from it."""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), asyncio.subprocess.PIPE)
    process = await asyncio.create_subprocess_exec(*map(str, command), **(pipes | options))
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def moments(talk, count):
    """Wait until so many clips of the stream have been remembered."""
    async with asyncio.timeout(120):
        for _ in range(count):
            while (await talk.next())["type"] != "flashback.moment":
                pass
