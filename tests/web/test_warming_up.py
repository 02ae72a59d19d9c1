"""What is told of a service that does not get ready."""

import asyncio
import contextlib

from tests.waiting import holds
from tests.web.fakes import EchoEngine
from web.composition import opening


class Stuck(EchoEngine):
    """An engine whose work goes to a machine that cannot be reached."""

    async def encode(self, clip):
        await asyncio.Event().wait()


async def test_a_first_clip_that_nobody_encodes_is_told_in_the_log(caplog, monkeypatch):
    monkeypatch.setattr(opening, "_SLOW_SECONDS", 0)
    warming = asyncio.create_task(opening._warm_up(Stuck(), 32))
    await holds(lambda: "a first clip is not encoded" in caplog.text)
    warming.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await warming


async def test_a_first_clip_that_is_encoded_is_worth_no_line(caplog):
    await opening._warm_up(EchoEngine(), 32)
    assert not caplog.text
