"""A service behind NAT: its router forwards ports from a public address to it.

Three machines in a row: the sender, the router that has the public address, the service. The
sender knows no way to the service's own network.
"""

import pytest

from tests.end_to_end.machines import connect, machines, needs_namespaces, route_between
from tests.end_to_end.sending import NO_PATH, send, send_and_see, serving

INSIDE, PUBLIC, CLIENT = "10.77.1.2", "10.77.2.1", "10.77.2.2"
OUTSIDE = f"http://{PUBLIC}:8700"
PORTS = "50000-50009"
SETTINGS = {"FLASHBACK_ADVERTISED_HOST": PUBLIC, "FLASHBACK_UDP_PORTS": PORTS}

pytestmark = [
    pytest.mark.timeout(300),
    needs_namespaces,
    pytest.mark.usefixtures("nat_rules"),
]


@pytest.fixture
async def three():
    async with machines("a", "b", "r") as (here, there, router):
        await connect(here, f"{INSIDE}/24", router, "10.77.1.1/24")
        await connect(there, f"{CLIENT}/24", router, f"{PUBLIC}/24")
        await here.ip("route add default via 10.77.1.1")
        await route_between(router)
        await router.run("nft", "add table ip nat")
        hook = "{ type nat hook prerouting priority dstnat; }"
        await router.run("nft", f"add chain ip nat prerouting {hook}")
        for ports in ("tcp dport 8700", f"udp dport {PORTS}"):
            rule = f"iif to-{there.name} {ports} dnat to {INSIDE}"
            await router.run("nft", f"add rule ip nat prerouting {rule}")
        yield here, there


async def test_with_the_public_address_advertised_a_sender_outside_gets_in(tmp_path, film, three):
    here, there = three
    async with serving(tmp_path, here, INSIDE, **SETTINGS):
        said = await send_and_see("film", film, OUTSIDE, there)
        assert said == ["played", "yes"]


@pytest.mark.parametrize("missing", SETTINGS)
async def test_without_either_setting_no_path_opens(tmp_path, film, three, missing):
    here, there = three
    settings = {name: value for name, value in SETTINGS.items() if name != missing}
    async with serving(tmp_path, here, INSIDE, **settings):
        assert await send("in-vain", film, OUTSIDE, there) == NO_PATH
