"""Several hosts on one Redis: which one feeds a stream, and how others find it."""

import asyncio

import pytest

from memory.documents import Entry
from memory.local_documents import LocalDocuments
from tests.stream.fakes import HandClock
from tests.waiting import holds
from web.cluster.homes import LEASE_SECONDS, Homes

NEAR, FAR = "http://near:8700", "http://far:8700"


class Hosts:
    """Two hosts that share what is kept, and a clock."""

    def __init__(self):
        self.clock = HandClock()
        self.documents = LocalDocuments()
        self.near = Homes(self.documents, NEAR, self.clock)
        self.far = Homes(self.documents, FAR, self.clock)
        self.lost = []


@pytest.fixture
def hosts():
    return Hosts()


async def test_a_stream_that_nobody_feeds_is_nowhere(hosts):
    assert await hosts.near.elsewhere("door") is None


async def test_other_hosts_know_who_feeds_a_stream_and_the_host_itself_is_not_elsewhere(hosts):
    await hosts.near.claim("door")
    assert await hosts.far.elsewhere("door") == NEAR
    assert await hosts.near.elsewhere("door") is None


async def test_a_lease_runs_out_unless_it_is_renewed(hosts):
    await hosts.near.claim("door")
    hosts.clock.now += LEASE_SECONDS
    await hosts.near.renew(["door"], hosts.lost.append)
    hosts.clock.now += LEASE_SECONDS
    assert await hosts.far.elsewhere("door") == NEAR
    hosts.clock.now += 1
    assert await hosts.far.elsewhere("door") is None


async def test_what_is_fed_no_more_is_given_up(hosts):
    await hosts.near.claim("door")
    await hosts.near.renew([], hosts.lost.append)
    assert await hosts.far.elsewhere("door") is None
    assert not hosts.lost


async def test_of_two_hosts_that_feed_one_stream_the_later_keeps_it(hosts):
    await hosts.near.renew(["door"], hosts.lost.append)
    hosts.clock.now += 1
    await hosts.far.renew(["door"], hosts.lost.append)
    await hosts.near.renew(["door"], hosts.lost.append)
    await hosts.far.renew(["door"], hosts.lost.append)
    assert hosts.lost == ["door"]
    assert await hosts.near.elsewhere("door") == FAR


async def test_who_stops_gives_up_its_own_leases_alone(hosts):
    await hosts.near.claim("door")
    await hosts.near.claim("yard")
    hosts.clock.now += 1
    await hosts.far.claim("yard")
    await hosts.near.close()
    assert await hosts.far.elsewhere("door") is None
    assert await hosts.near.elsewhere("yard") == FAR


@pytest.mark.parametrize("url", ["javascript:x", "http://a b", "", None, 7, "http://a/?x=1"])
async def test_what_is_not_a_host_s_address_sends_nobody_anywhere(hosts, url):
    await hosts.documents.put("home", Entry("door", hosts.clock(), {"url": url}), 10)
    assert await hosts.near.elsewhere("door") is None


async def test_leases_are_renewed_until_it_ends(hosts):
    renewing = asyncio.create_task(hosts.near.run(lambda: ["door"], hosts.lost.append))

    async def known():
        return await hosts.far.elsewhere("door") == NEAR

    await holds(known)
    renewing.cancel()
    await asyncio.wait([renewing])
    assert renewing.cancelled()
