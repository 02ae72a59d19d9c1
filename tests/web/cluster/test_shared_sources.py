"""The operator's sources, where several hosts were given the same."""

import pytest

from memory.local_documents import LocalDocuments
from tests.stream.fakes import HandClock
from web.cluster.homes import LEASE_SECONDS, Homes
from web.cluster.shared_sources import SharedSources
from web.errors import Full

WANTED = [("door", "rtsp://a/door"), ("yard", "rtsp://a/yard")]


class Pulled:
    """Notes what is begun; `full` refuses it."""

    def __init__(self):
        self.begun = []
        self.full = False

    async def add(self, name, url, caller, *, trusted):
        if self.full:
            raise Full("no place is left")
        self.begun.append(name)


class Host:
    def __init__(self, documents, url, clock):
        self.homes = Homes(documents, url, clock)
        self.pulled = Pulled()
        self.sources = SharedSources(self.homes, self.pulled, WANTED)


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def hosts(clock):
    documents = LocalDocuments()
    return [Host(documents, f"http://{name}", clock) for name in "ab"]


async def test_each_is_pulled_by_one_host(hosts):
    one, other = hosts
    await one.sources.look()
    await other.sources.look()
    assert one.pulled.begun == ["door", "yard"]
    assert not other.pulled.begun


async def test_another_host_takes_over_when_a_lease_runs_out(hosts, clock):
    one, other = hosts
    await one.sources.look()
    clock.now += LEASE_SECONDS + 1
    await other.sources.look()
    assert other.pulled.begun == ["door", "yard"]


async def test_each_is_begun_once_unless_another_host_took_it(hosts):
    one, _ = hosts
    await one.sources.look()
    await one.sources.look()
    one.sources.lost("door")
    one.sources.lost("unknown")
    await one.sources.look()
    assert one.pulled.begun == ["door", "yard", "door"]


async def test_one_for_which_there_is_no_place_is_tried_again(hosts):
    one, _ = hosts
    one.pulled.full = True
    await one.sources.look()
    one.pulled.full = False
    await one.sources.look()
    assert one.pulled.begun == ["door", "yard"]
