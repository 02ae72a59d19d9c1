"""Two machines, as two network namespaces with a cable between them; with and without UDP."""

import time

import pytest

from tests.end_to_end.machines import connect, machines, needs_namespaces
from tests.end_to_end.sending import moments, send, sending, serving

SERVER, CLIENT, MOVED = "10.77.0.1", "10.77.0.2", "10.77.0.3"

pytestmark = [pytest.mark.timeout(300), needs_namespaces]


@pytest.fixture
async def two():
    async with machines("a", "b") as (here, there):
        await connect(here, f"{SERVER}/24", there, f"{CLIENT}/24")
        yield here, there


async def test_a_sender_on_another_machine_connects_by_udp(tmp_path, film, two):
    here, there = two
    async with serving(tmp_path, here, SERVER) as service:
        assert await send("film", film, service.url, there) == "played"


async def test_without_udp_webrtc_says_so_and_pictures_get_through(tmp_path, film, two):
    here, there = two
    for machine in two:
        await machine.drop_udp()
    async with serving(tmp_path, here, SERVER) as service:
        said = await send("in-vain", film, service.url, there)
        assert said == "failed: The server answered, but no media path to it opened."
        assert await send("pictures", film, service.url, there) == "remembered"


async def test_a_sender_that_gets_another_address_goes_on_in_the_same_stream(tmp_path, film, two):
    """As a phone that leaves a network: its old path is dead, so it makes a new offer."""
    here, there = two
    cable = f"dev to-{here.name}"
    async with (
        serving(tmp_path, here, SERVER) as service,
        sending(film, service.url, there),
    ):
        before = await moments(service.url, there, since=0, count=2)
        await there.ip(f"addr del {CLIENT}/24 {cable}")
        await there.ip(f"addr add {MOVED}/24 {cable}")
        moved = time.time()
        async with sending(film, service.url, there):
            found = await moments(service.url, there, since=moved, count=2)
    assert found[: len(before)] == before
    assert not any(began < moved < ended for began, ended in found), "a clip spans the gap"
