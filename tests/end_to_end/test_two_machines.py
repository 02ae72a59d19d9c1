"""Two machines, as two network namespaces with a cable between them; with and without UDP."""

import pytest

from tests.end_to_end.machines import connect, machines, needs_namespaces
from tests.end_to_end.sending import send, serving

SERVER, CLIENT = "10.77.0.1", "10.77.0.2"

pytestmark = [pytest.mark.timeout(150), needs_namespaces]


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
        said = await send("film", film, service.url, there)
        assert said == "failed: The server answered, but no media path to it opened."
        assert await send("pictures", film, service.url, there) == "remembered"
