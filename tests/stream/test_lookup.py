import asyncio
import threading

import pytest

from stream.address.dns import Lookup, Lookups
from stream.address.reachable import pin
from stream.address.source_url import read_source
from stream.errors import BadSource
from tests.waiting import holds

FOUND = ["192.0.2.1"]


class SlowNames:
    """A resolver that answers once the test says so."""

    def __init__(self):
        self.gate = threading.Event()
        self.asked = []

    def __call__(self, host, _port):
        self.asked.append(host)
        self.gate.wait(60)
        return FOUND


@pytest.fixture
def slow():
    names = SlowNames()
    yield names
    names.gate.set()


async def test_names_that_are_slow_hold_up_no_other_work(slow):
    lookups = Lookups(60)
    asking = [
        asyncio.create_task(lookups.find(Lookup(slow, f"{i}.example", 554), 60)) for i in range(60)
    ]
    await asyncio.wait(asking, timeout=0)  # all of them begin
    assert len(lookups) == 60
    try:
        async with asyncio.timeout(60):
            assert await asyncio.to_thread(lambda: "done") == "done"
    finally:
        slow.gate.set()
    assert await asyncio.gather(*asking) == [FOUND] * 60
    assert len(lookups) == 0


async def test_a_name_that_takes_too_long_is_given_up_and_asked_for_once(slow):
    lookups = Lookups(1)
    for _ in range(2):
        with pytest.raises(BadSource, match=r"cam\.example was not found within 0\.05 seconds"):
            await lookups.find(Lookup(slow, "cam.example", 554), 0.05)
    await holds(lambda: slow.asked)
    assert (slow.asked, len(lookups)) == (["cam.example"], 1)
    slow.gate.set()
    assert await lookups.find(Lookup(slow, "cam.example", 554), 60) == FOUND


async def test_what_is_given_up_keeps_its_place_and_more_than_the_places_are_refused(slow):
    lookups = Lookups(2)
    for name in ("a", "b"):
        with pytest.raises(BadSource, match="not found within"):
            await lookups.find(Lookup(slow, name, 554), 0.01)
    with pytest.raises(BadSource, match="Too many names are being looked up"):
        await lookups.find(Lookup(slow, "c", 554), 60)
    await holds(lambda: sorted(slow.asked) == ["a", "b"])


async def test_a_source_whose_name_is_slow_says_so(slow):
    source = read_source("rtsp://cam.example/a")
    with pytest.raises(BadSource, match="name server does not answer"):
        await pin(source, (), slow, within=0.01, lookups=Lookups())
