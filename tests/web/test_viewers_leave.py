"""However a viewer ends, its place is free for the next one."""

import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription

from stream.webrtc.session import hang_up
from tests.web.conftest import echo_service
from tests.web.leaving import fall_silent, free_udp_port

SDP = {"Content-Type": "application/sdp"}


class Viewer:
    """One that wants to watch."""

    def __init__(self):
        self.connection = RTCPeerConnection()
        self.connection.addTransceiver("video", direction="recvonly")

    async def __aenter__(self):
        await self.connection.setLocalDescription()
        return self

    async def __aexit__(self, *_):
        await hang_up(self.connection)

    async def offer(self, client, name="cam"):
        sdp = self.connection.localDescription.sdp
        return await client.post(f"/whep/{name}", content=sdp, headers=SDP)

    async def watch(self, client):
        """Watch until the first picture is there; return the session's URL."""
        response = await self.offer(client)
        answer = RTCSessionDescription(sdp=response.text, type="answer")
        await self.connection.setRemoteDescription(answer)
        await self.connection.getReceivers()[0].track.recv()
        return response.headers["Location"]


@pytest.fixture
async def viewer():
    async with Viewer() as viewer:
        yield viewer


@pytest.fixture
async def another():
    async with Viewer() as viewer:
        yield viewer


async def hangs_up(service, client, viewer):
    assert (await client.delete(await viewer.watch(client))).is_success


async def never_connects(service, client, viewer):
    assert (await viewer.offer(client)).status_code == 201


async def closes_the_page(service, client, viewer):
    await viewer.watch(client)
    await viewer.connection.close()


async def watches_a_stream_that_is_deleted(service, client, viewer):
    await viewer.watch(client)
    assert (await client.delete("/v1/streams/cam")).status_code == 204


async def offers_what_cannot_be_read(service, client, viewer):
    response = await client.post("/whep/cam", content="hello", headers=SDP)
    assert response.status_code == 422


async def names_a_stream_that_is_not_there(service, client, viewer):
    assert (await viewer.offer(client, "nowhere")).status_code == 404


WAYS = [
    hangs_up,
    never_connects,
    closes_the_page,
    watches_a_stream_that_is_deleted,
    offers_what_cannot_be_read,
    names_a_stream_that_is_not_there,
]


@pytest.mark.parametrize("leave", WAYS, ids=lambda way: way.__name__)
async def test_a_place_is_free_again_when_a_viewer(leave, viewer, another):
    # One that comes may take its time on a busy machine.
    settings = {"max_viewers": 1, "silence_seconds": 1.0 if leave is never_connects else 60.0}
    async with echo_service(**settings) as service, service.client() as client:
        await service.remember()
        await leave(service, client, viewer)
        await service.all_free()
        await service.remember()
        assert (await another.offer(client)).status_code == 201


async def test_a_place_is_free_again_when_a_viewer_vanishes(viewer, another, monkeypatch):
    # A connection that went silent is noticed in a second instead of half a minute.
    monkeypatch.setattr("aioice.ice.CONSENT_INTERVAL", 0.1)
    monkeypatch.setattr("aioice.ice.CONSENT_FAILURES", 1_000)
    async with echo_service(max_viewers=1) as service, service.client() as client:
        await service.remember()
        await viewer.watch(client)
        monkeypatch.setattr("aioice.ice.CONSENT_FAILURES", 1)
        fall_silent(viewer.connection)
        await service.all_free()
        assert (await another.offer(client)).status_code == 201


async def test_a_place_is_free_again_when_the_service_stops(viewer):
    async with echo_service(max_viewers=1) as service, service.client() as client:
        await service.remember()
        await viewer.watch(client)
        assert len(service.services.viewing) == 1
    await service.all_free()


async def test_each_viewer_of_a_stream_takes_a_place_and_one_too_many_is_told_when_to_come_back(
    viewer, another
):
    async with echo_service(max_viewers=1) as service, service.client() as client:
        await service.remember()
        location = (await viewer.offer(client)).headers["Location"]
        refused = await another.offer(client)
        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) > 0
        assert "1 places for viewers" in refused.json()["detail"]
        await client.delete(location)
        assert (await another.offer(client)).status_code == 201


async def test_one_of_several_tokens_has_half_of_the_viewers(viewer, another):
    one, two = {"Authorization": "Bearer one"}, {"Authorization": "Bearer two"}
    async with echo_service(token="one,two", max_viewers=2) as service:
        await service.remember()
        async with service.client(headers=one) as client:
            assert (await viewer.offer(client)).status_code == 201
            refused = await another.offer(client)
            assert refused.status_code == 503
            assert "This token has its 1 viewers" in refused.json()["detail"]
        async with service.client(headers=two) as client:
            assert (await another.offer(client)).status_code == 201


async def test_without_a_free_port_a_viewer_is_told_when_to_come_back(viewer, another):
    port = free_udp_port()
    async with echo_service(udp_ports=f"{port}-{port}") as service, service.client() as client:
        await service.remember()
        assert (await viewer.offer(client)).status_code == 201
        refused = await another.offer(client)
        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) > 0
        assert len(service.services.viewing) == 1
