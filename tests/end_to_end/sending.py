"""The service on one machine and a sender on another."""

import asyncio
import json
import os
from contextlib import asynccontextmanager

from tests.end_to_end.conftest import ROOT, flashback
from tests.web.forked import Command

TOKEN = "open-sesame"
NO_PATH = "failed: The server answered, but no media path to it opened."


def serving(tmp_path, machine, address, **settings):
    """Run the service on `machine`, listening at `address`; `settings` are its environment."""
    options = (
        *("--model", "tiny", "--host", address, "--port", "8700"),
        *("--data", str(tmp_path / "data")),
    )
    given = {"FLASHBACK_TOKEN": TOKEN, "FLASHBACK_SAMPLE_RATE": "4", **settings}
    return flashback("serve", *options, network=machine.name, **given)


async def send(way, film, url, machine, **environment):
    """Send from `machine` to the service at `url`; return how it went, in a line."""
    address = url.removeprefix("http://")
    return await elsewhere(machine, way, str(film), address, TOKEN, **environment)


@asynccontextmanager
async def sending(film, url, machine):
    """Send from `machine` to the service at `url` until the end of the block, then be gone."""
    address = url.removeprefix("http://")
    process = await _start(machine, "endless", str(film), address, TOKEN)
    try:
        yield process
    finally:
        process.kill()
        await process.communicate()


async def moments(url, machine, since, count):
    """Return (began, ended) of all moments, once `count` of them began after `since`; Unix seconds."""
    address = url.removeprefix("http://")
    return json.loads(await elsewhere(machine, "moments", address, TOKEN, str(since), str(count)))


async def elsewhere(machine, *arguments, **environment):
    """Run `elsewhere.py` on `machine` to its end; return what it says."""
    process = await _start(machine, *arguments, **environment)
    output, errors = await process.communicate()
    assert process.returncode == 0, (output + errors).decode()
    return output.decode().strip()


async def _start(machine, *arguments, **environment):
    module = "tests.end_to_end.elsewhere"
    variables = dict(os.environ) | environment
    return await Command.start(arguments, variables, ROOT, module=module, network=machine.name)


async def send_and_see(way, film, url, machine, **environment):
    """Send from `machine`, and watch there that it is remembered; return how both went."""
    watching = elsewhere(machine, "remembered", url.removeprefix("http://"), TOKEN)
    return await asyncio.gather(send(way, film, url, machine, **environment), watching)
