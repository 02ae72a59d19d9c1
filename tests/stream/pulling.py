"""What tests of pulled sources share: quick settings, and what to wait for."""

import asyncio
from dataclasses import replace

import psutil

from stream.address.reachable import read_networks
from stream.pull.process import PullSettings
from stream.status import ClipRemembered

SETTINGS = PullSettings(
    allowed=read_networks(["127.0.0.0/8"]),
    open_within=60.0,
    silence=60.0,
    first_retry=0.05,
    longest_retry=0.2,
)
"""On a starved machine a healthy source is silent for seconds, and must not count as lost."""

IMPATIENT = replace(SETTINGS, open_within=8.0, silence=2.0)
"""For tests of silence itself; it may be noticed more than once."""


def readers():
    """Return the reader processes of this test."""
    children = psutil.Process().children(recursive=True)
    return [c for c in children if "stream.pull.worker" in c.cmdline()]


async def start(server, **size):
    await asyncio.to_thread(server.start, **size)


def remembered(event):
    return isinstance(event, ClipRemembered)
