"""Machines for tests of the network: Linux network namespaces with cables between them."""

import asyncio
import os
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

needs_namespaces = pytest.mark.usefixtures("namespaces")
"""Fixtures of `conftest.py`: asked at the start of each test, see `needs.py`."""


class Machine:
    """A network namespace.

    Attributes:
        inside: The command that runs another command there.
    """

    def __init__(self, name):
        self.name = f"fb{os.getpid()}{name}"
        self.inside = ("ip", "netns", "exec", self.name)

    async def run(self, *command, **environment):
        """Run `command` there to its end; return what it prints."""
        return await run(*self.inside, *command, **environment)

    async def ip(self, line):
        await run("ip", "-n", self.name, *line.split())

    async def drop_udp(self):
        """Let no UDP out of this machine."""
        await self.ip("rule add ipproto udp blackhole")


async def run(*command, **environment):
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        env=os.environ | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, (output + errors).decode()
    return output.decode().strip()


@asynccontextmanager
async def machines(*names):
    """Make a machine for each name; they are gone at the end of the block."""
    async with AsyncExitStack() as stack:
        made = [Machine(name) for name in names]
        for machine in made:
            await run("ip", "netns", "add", machine.name)
            stack.push_async_callback(run, "ip", "netns", "del", machine.name)
            await machine.ip("link set lo up")
            # An address of IPv6 comes a second after the cable, and a browser that notes a changed
            # network breaks off what it is loading.
            await machine.run("sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
        yield made


async def connect(one, address, other, other_address):
    """Put a cable between two machines; its ends carry each other's names."""
    await one.ip(f"link add to-{other.name} type veth peer name to-{one.name} netns {other.name}")
    for here, there, ours in ((one, other, address), (other, one, other_address)):
        await here.ip(f"addr add {ours} dev to-{there.name}")
        await here.ip(f"link set to-{there.name} up")


async def route_between(router):
    """Let the machine `router` pass on what is not for itself."""
    await router.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
