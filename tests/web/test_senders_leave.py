"""However a WebRTC sender ends, its place is free: for itself, and for the next one at the limit."""

import asyncio

import pytest

from stream.webrtc.whip_client import Player
from tests.web.conftest import echo_service
from tests.web.leaving import fall_silent, free_udp_port
from tests.web.test_pictures import jpeg, line

SDP = {"Content-Type": "application/sdp"}


async def send(client, player, name="cam", **headers):
    """Post the player's offer and let it play if it was taken."""
    response = await client.post(f"/whip/{name}", content=player.offer, headers=SDP | headers)
    if response.status_code == 201:
        await player.accept(response.text)
    return response


@pytest.fixture
async def another(film):
    async with Player(film) as player:
        yield player


async def hangs_up(service, client, player):
    location = (await send(client, player)).headers["Location"]
    assert (await client.delete(location)).is_success


async def is_killed(service, client, player):
    await send(client, player)
    live = await service.services.registry.find("cam")
    # On a busy machine it may be taken for silent before it really is.
    await service.until(lambda: live.status().state in {"live", "ended"})
    fall_silent(player._connection)


async def never_connects(service, client, player):
    await client.post("/whip/cam", content=player.offer, headers=SDP)


async def is_taken_over_by_pictures(service, client, player):
    await send(client, player)
    async with service.talk("cam") as talk:
        await talk.say(line(jpeg()))
        await talk.hear("conversation.item.added")
        await service.until(lambda: len(service.services.senders) == 0)
        assert len(service.services.feeding) == 1


async def is_taken_over_by_a_pulled_source(service, client, player):
    await send(client, player)
    source = {"name": "cam", "url": "rtsp://camera.invalid/door"}
    assert (await client.post("/v1/streams", json=source)).status_code == 201
    await service.until(lambda: len(service.services.senders) == 0)
    assert len(service.services.feeding) == 1
    await service.services.sources.remove("cam")


async def has_its_stream_deleted(service, client, player):
    await send(client, player)
    assert (await client.delete("/v1/streams/cam")).status_code == 204


async def meets_a_broken_encoder_and_hangs_up(service, client, player):
    asked = asyncio.Event()

    async def fail(*_):
        asked.set()
        raise RuntimeError("the device is gone")

    service.engine.encode = fail
    location = (await send(client, player)).headers["Location"]
    await asked.wait()
    await client.delete(location)


async def meets_an_internal_error_and_hangs_up(service, client, player):
    failed = asyncio.Event()

    async def fail(*_):
        failed.set()
        raise RuntimeError("nobody thought of this")

    service.store.append = fail
    location = (await send(client, player)).headers["Location"]
    await failed.wait()
    await client.delete(location)


async def offers_what_cannot_be_read(service, client, player):
    sdp = player.offer.replace("VP8/90000", "AV1/90000")
    response = await client.post("/whip/cam", content=sdp, headers=SDP)
    assert response.status_code == 422


async def names_no_stream(service, client, player):
    assert (await send(client, player, "no%20name")).status_code == 422


WAYS = [
    hangs_up,
    is_killed,
    never_connects,
    is_taken_over_by_pictures,
    is_taken_over_by_a_pulled_source,
    has_its_stream_deleted,
    meets_a_broken_encoder_and_hangs_up,
    meets_an_internal_error_and_hangs_up,
    offers_what_cannot_be_read,
    names_no_stream,
]


@pytest.mark.parametrize("leave", WAYS, ids=lambda way: way.__name__)
async def test_a_place_is_free_again_when_its_sender(leave, player, another):
    # A sender on a busy machine is silent for a while without having left.
    silence = 0.7 if leave in {is_killed, never_connects} else 60.0
    settings = {"max_streams": 1, "silence_seconds": silence, "sample_rate": 30}
    async with echo_service(**settings) as service, service.client() as client:
        await leave(service, client, player)
        await service.all_free()
        assert (await send(client, another, "other")).status_code == 201


async def test_a_place_is_free_again_when_the_service_stops(player):
    async with echo_service(max_streams=1) as service, service.client() as client:
        assert (await send(client, player)).status_code == 201
        assert len(service.services.feeding) == 1
    await service.all_free()


async def test_without_a_free_port_a_sender_is_told_when_to_come_back(player, another):
    port = free_udp_port()
    async with echo_service(udp_ports=f"{port}-{port}") as service, service.client() as client:
        location = (await send(client, player)).headers["Location"]
        refused = await send(client, another, "other")
        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) > 0
        assert str(port) in refused.json()["detail"]
        assert len(service.services.feeding) == service.services.registry.fed == 1
        await client.delete(location)
        await service.all_free()
        assert (await send(client, another, "other")).status_code == 201


async def test_a_sender_whose_stream_is_deleted_while_it_connects_begins_anew_with_its_next_try(
    player, another
):
    async with echo_service(sample_rate=30) as service, service.client() as client:
        with service.services.registry.beginnings() as begun:
            connecting = asyncio.create_task(send(client, player))
            await begun.next()
        await service.services.registry.forget("cam")
        refused = await connecting
        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) > 0
        assert "connect again" in refused.json()["detail"]
        assert len(service.services.feeding) == len(service.services.senders) == 0
        async with service.talk() as talk:
            await send(client, another)
            await talk.hear("flashback.moment")


async def test_a_sender_that_crashed_comes_back_at_the_limit_and_keeps_its_place(player, another):
    async with echo_service(max_streams=1) as service, service.client() as client:
        first = await send(client, player)
        second = await send(client, another)
        assert (first.status_code, second.status_code) == (201, 201)
        await service.until(lambda: len(service.services.senders) == 1)
        assert len(service.services.feeding) == 1, (
            "the end of the first frees nothing of the second"
        )
        assert (await send(client, player, "other")).status_code == 503


async def test_an_offer_that_fails_takes_nothing_from_the_sender_before_it(player, another):
    async with echo_service(max_streams=1) as service, service.client() as client:
        await send(client, player)
        await offers_what_cannot_be_read(service, client, another)
        assert len(service.services.feeding) == service.services.registry.fed == 1
        assert (await send(client, another, "other")).status_code == 503


async def test_a_stream_taken_over_counts_for_the_token_that_feeds_it_now(player, another):
    settings = {"token": "one,two", "max_streams_per_token": 1}
    one, two = ({"Authorization": f"Bearer {token}"} for token in ("one", "two"))
    async with echo_service(**settings) as service, service.client() as client:
        assert (await send(client, player, **one)).status_code == 201
        assert (await send(client, another, **two)).status_code == 201
        await service.until(lambda: len(service.services.senders) == 1)
        for token, status in ((two, 503), (one, 201)):
            offered = await client.post("/whip/b", content=player.offer, headers=SDP | token)
            assert offered.status_code == status
