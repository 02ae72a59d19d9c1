"""A sender and a service that cannot reach each other by UDP meet at a real TURN server.

Three machines in a row: the sender, a router that passes on everything but UDP, the service. The
TURN server runs on the router, so both may talk to it.
"""

import time

import pytest

from tests.end_to_end.coturn import coturn, needs_coturn
from tests.end_to_end.machines import connect, machines, needs_namespaces, route_between
from tests.end_to_end.sending import NO_PATH, elsewhere, send, send_and_see, serving
from web.http.ice import turn_credential

SERVER, CLIENT, RELAY = "10.77.1.2", "10.77.2.2", "10.77.3.1"
SECRET = "shared-between-the-two"

pytestmark = [pytest.mark.timeout(300), needs_namespaces, needs_coturn]


@pytest.fixture
async def three():
    async with machines("a", "b", "r") as (here, there, router):
        await connect(here, f"{SERVER}/24", router, "10.77.1.1/24")
        await connect(there, f"{CLIENT}/24", router, "10.77.2.1/24")
        await here.ip("route add default via 10.77.1.1")
        await there.ip("route add default via 10.77.2.1")
        await router.ip(f"addr add {RELAY}/32 dev lo")
        await route_between(router)
        for name in (here.name, there.name):
            # What is for the router itself was told apart before these rules are looked at.
            await router.ip(f"rule add iif to-{name} ipproto udp blackhole")
        yield here, there, router


@pytest.mark.parametrize(
    ("url", "udp"),
    [
        (f"turn:{RELAY}:3478", True),
        (f"turn:{RELAY}:3478?transport=tcp", False),
        (f"turns:{RELAY}:5349", False),
    ],
)
async def test_a_film_arrives_through_the_relay(tmp_path, film, three, url, udp):
    here, there, router = three
    if not udp:
        await there.drop_udp()
    settings = {"FLASHBACK_TURN": url, "FLASHBACK_TURN_SECRET": SECRET}
    believed = {"SSL_CERT_FILE": str(tmp_path / "turn.pem")}
    async with (
        coturn(router, RELAY, SECRET, tmp_path) as relay,
        serving(tmp_path, here, SERVER, **settings, **believed) as service,
    ):
        said = await send_and_see("relayed", film, service.url, there, **believed)
        assert said == ["played", "yes"]
        await relay.says("ALLOCATE processed, success")
        await relay.says("CHANNEL_BIND processed, success")


async def test_without_a_relay_no_path_opens(tmp_path, film, three):
    here, there, _ = three
    async with serving(tmp_path, here, SERVER) as service:
        assert await send("in-vain", film, service.url, there) == NO_PATH


async def test_a_relay_wants_credentials_that_are_right_and_not_over(tmp_path, three):
    _, there, router = three
    good = turn_credential(SECRET, 60, time.time)
    wrong = turn_credential("another-secret", 60, time.time)
    over = turn_credential(SECRET, 60, lambda: time.time() - 120)
    async with coturn(router, RELAY, SECRET, tmp_path) as relay:
        for transport in ("udp", "tcp"):
            url = f"turn:{RELAY}:3478?transport={transport}"
            assert await elsewhere(there, "relay", url, *good) == f"relay at {RELAY}"
            for bad in (wrong, over):
                said = await elsewhere(there, "relay", url, *bad)
                assert said.startswith("none: it refuses our credentials")
        await relay.says("error 401: Unauthorized")
