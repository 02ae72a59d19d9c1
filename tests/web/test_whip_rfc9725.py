"""What RFC 9725 asks of a WHIP server, section by section, and what a client like OBS meets.

https://www.rfc-editor.org/rfc/rfc9725
"""

import asyncio
import itertools
import re
from urllib.parse import urljoin

import httpx
import pytest
from aiortc import RTCPeerConnection

from stream.webrtc.whip_client import Player
from tests.stream.videos import write_video
from tests.web.conftest import echo_service
from tests.web.leaving import fall_silent
from tests.web.like_obs import LikeObs
from web.services import CLOCKS, Clocks

SDP = {"Content-Type": "application/sdp"}
FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag"}

# Sender and service are on one machine, whose addresses are private.
ANYWHERE = {"allowed_source_networks": "0.0.0.0/0, ::/0"}


@pytest.fixture
async def player(tmp_path):
    film = await asyncio.to_thread(write_video, tmp_path / "film.mp4", seconds=3)
    async with Player(film) as player:
        yield player


async def post(client, sdp, path="/whip/cam", headers=SDP):
    return await client.post(path, content=sdp, headers=headers)


# Section 4.2: the offer and the answer.


async def test_an_offer_is_answered_with_201_and_a_session_url(service, player):
    async with service.client() as client:
        response = await post(client, player.offer)
        assert response.status_code == 201
        assert response.headers["Content-Type"].startswith("application/sdp")
        assert response.text.startswith("v=0")
        assert "a=recvonly" in response.text
        location = response.headers["Location"]
        assert urljoin(str(response.url), location).startswith(f"{service.url}/whip/cam/")
        assert (await client.delete(location)).status_code == 200


async def test_session_urls_cannot_be_guessed(service, player):
    async with service.client() as client:
        first, second = [await post(client, player.offer, f"/whip/{name}") for name in "ab"]
    keys = [r.headers["Location"].rpartition("/")[2] for r in (first, second)]
    assert keys[0] != keys[1]
    assert all(re.search(r"[0-9a-f]{24}$", key) for key in keys)


async def test_video_flows_into_the_stream_until_the_session_is_deleted(service, player):
    async with service.client() as client:
        response = await post(client, player.offer)
        async with service.talk() as talk:
            await player.accept(response.text)
            moment = await talk.next()
            while moment["type"] != "flashback.moment":
                moment = await talk.next()
        await client.delete(response.headers["Location"])
        status = (await client.get("/v1/streams/cam")).json()
    assert status["source"] == "webrtc"
    assert status["state"] == "ended"
    assert status["clips"] >= 1


async def test_a_second_offer_takes_the_stream_over(service, player, tmp_path):
    async with service.client() as client, Player(tmp_path / "film.mp4") as other:
        first = await post(client, player.offer)
        second = await post(client, other.offer)
        assert second.status_code == 201
        await service.until(lambda: len(service.services.senders) == 1)
        late = await client.delete(first.headers["Location"])
        assert (late.status_code, late.text) == (200, "Another source took over.")
        assert (await client.delete(second.headers["Location"])).status_code == 200


# Section 4.2: what is not an offer.


@pytest.mark.parametrize("kind", ["text/plain", "application/json", ""])
async def test_another_content_type_is_refused_with_415(service, kind):
    async with service.client() as client:
        response = await post(client, "v=0", headers={"Content-Type": kind})
    assert response.status_code == 415
    assert response.headers["Accept-Post"] == "application/sdp"


BROKEN = ["", "hello", "v=0", "v=0\r\ns=-\r\n", "v=0\r\n" + "a=x\r\n" * 100, "\x00" * 50]


@pytest.mark.parametrize("sdp", BROKEN)
async def test_a_broken_offer_gets_a_sentence(service, sdp):
    async with service.client() as client:
        response = await post(client, sdp)
    assert 400 <= response.status_code < 500
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["detail"].endswith(".")


async def test_an_offer_that_is_not_text_is_refused(service):
    async with service.client() as client:
        assert (await post(client, b"\xff\xfe")).status_code == 400


async def test_an_offer_over_128_kb_is_refused(service):
    async with service.client() as client:
        assert (await post(client, "v=0\r\n" + "x" * 131_072)).status_code == 413


async def test_an_offer_of_a_codec_that_cannot_be_read_is_refused_by_its_name(service, player):
    only = player.offer.replace("VP8/90000", "AV1/90000")
    async with service.client() as client:
        response = await post(client, only)
    assert response.status_code == 422
    assert "AV1" in response.json()["detail"]


async def test_a_refused_offer_makes_no_stream_and_takes_no_place():
    async with echo_service(max_streams=1) as service, service.client() as client:
        for _ in range(3):
            assert (await post(client, "hello")).status_code == 422
        assert len(service.services.feeding) == 0
        assert (await client.get("/v1/streams")).json() == {"streams": []}


async def test_a_stream_needs_a_valid_name(service, player):
    async with service.client() as client:
        assert (await post(client, player.offer, "/whip/no%20name")).status_code == 422


# Sections 4.1 and 4.3: reserved methods.


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
async def test_the_endpoint_refuses_reserved_methods(service, method):
    async with service.client() as client:
        response = await client.request(method, "/whip/cam")
    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "POST"])
async def test_a_session_refuses_reserved_methods(service, method):
    async with service.client() as client:
        response = await client.request(method, "/whip/cam/session")
    assert response.status_code == 405
    assert "DELETE" in response.headers["Allow"]


async def test_options_says_what_may_be_posted(service):
    async with service.client() as client:
        response = await client.options("/whip/cam")
        assert response.is_success
        assert response.headers["Accept-Post"] == "application/sdp"
        session = await client.options("/whip/cam/any")
        assert session.headers["Accept-Patch"] == "application/trickle-ice-sdpfrag"


async def test_a_page_of_an_allowed_origin_may_send():
    origin = {"Origin": "https://studio.example"}
    async with (
        echo_service(allowed_origins="https://studio.example") as service,
        service.client(headers=origin) as client,
    ):
        response = await client.options("/whip/cam")
    assert response.headers["Access-Control-Allow-Origin"] == "https://studio.example"
    assert "POST" in response.headers["Access-Control-Allow-Methods"]
    assert "Location" in response.headers["Access-Control-Expose-Headers"]


# Section 4.3: trickle ICE, and ICE restarts.


async def test_candidates_may_trickle_in_with_the_right_etag(service, player):
    async with service.client() as client:
        response = await post(client, player.offer)
        match = {"If-Match": response.headers["ETag"]}
        trickled = await client.patch(
            response.headers["Location"], content=fragment(player.offer), headers=FRAGMENT | match
        )
        assert trickled.status_code == 204


async def test_a_strong_etag_names_the_ice_session(service, player):
    async with service.client() as client:
        response = await post(client, player.offer)
    assert re.fullmatch(r'"[^"]+"', response.headers["ETag"])


async def test_trickle_without_an_etag_is_refused_with_428(service, player):
    async with service.client() as client:
        location = (await post(client, player.offer)).headers["Location"]
        nameless = re.sub("a=ice-ufrag:.*\r\n", "", fragment(player.offer))
        response = await client.patch(location, content=nameless, headers=FRAGMENT)
    assert response.status_code == 428


@pytest.mark.parametrize("match", [{}, {"If-Match": "*"}])
async def test_trickle_that_names_its_ice_session_in_the_fragment_alone_is_taken(player, match):
    """As MediaMTX's reader (`*`) and whip-whep (no header) do: it is the same ICE session."""
    async with echo_service(**ANYWHERE) as service, service.client() as client:
        response = await post(client, without_candidates(player.offer))
        await player.accept(without_candidates(response.text))
        trickled = await client.patch(
            response.headers["Location"], content=fragment(player.offer), headers=FRAGMENT | match
        )
        assert trickled.status_code == 204
        async with asyncio.timeout(60):
            await player.wait_connected()


async def test_trickle_with_a_stale_etag_is_refused_with_412(service, player):
    async with service.client() as client:
        location = (await post(client, player.offer)).headers["Location"]
        headers = FRAGMENT | {"If-Match": '"old"'}
        response = await client.patch(location, content=fragment(player.offer), headers=headers)
    assert response.status_code == 412


async def test_candidates_that_trickle_in_are_where_the_sender_is_reached(player):
    """The sender is told no address of the service: only the service can come to it."""
    async with echo_service(**ANYWHERE) as service, service.client() as client:
        response = await post(client, without_candidates(player.offer))
        await player.accept(without_candidates(response.text))
        await client.patch(
            response.headers["Location"],
            content=fragment(player.offer),
            headers=FRAGMENT | {"If-Match": response.headers["ETag"]},
        )
        async with asyncio.timeout(60):
            await player.wait_connected()


class Listening(asyncio.DatagramProtocol):
    """A service of this machine that nobody outside can reach."""

    def __init__(self):
        self.heard = []

    def datagram_received(self, data, addr):
        self.heard.append(data)


@pytest.mark.parametrize("trickled", [False, True])
async def test_nothing_is_sent_to_an_inside_address_that_a_candidate_names(
    service, player, trickled
):
    loop = asyncio.get_running_loop()
    transport, inside = await loop.create_datagram_endpoint(Listening, local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    line = f"a=candidate:1 1 udp 2130706431 127.0.0.1 {port} typ host\r\n"
    bare = without_candidates(player.offer)
    async with service.client() as client:
        response = await post(client, bare if trickled else bare + line)
        assert response.status_code == 201
        if trickled:
            headers = FRAGMENT | {"If-Match": response.headers["ETag"]}
            text = "a=mid:0\r\n" + line
            patched = await client.patch(
                response.headers["Location"], content=text, headers=headers
            )
            assert patched.status_code == 204
        # What is dialled is dialled within the time in which the player connects by itself.
        await player.accept(response.text)
        async with asyncio.timeout(60):
            await player.wait_connected()
    transport.close()
    assert inside.heard == []


async def test_an_ice_restart_is_refused_with_422_and_the_session_goes_on(service, player):
    async with service.client() as client:
        opened = await post(client, player.offer)
        location = opened.headers["Location"]
        other = fragment(player.offer).replace("a=ice-ufrag:", "a=ice-ufrag:new")
        headers = FRAGMENT | {"If-Match": "*"}
        restart = await client.patch(location, content=other, headers=headers)
        assert restart.status_code == 422
        assert "new offer" in restart.json()["detail"]
        headers = FRAGMENT | {"If-Match": opened.headers["ETag"]}
        assert (await client.patch(location, content=other, headers=headers)).status_code == 422
        assert (await client.delete(location)).status_code == 200


async def test_a_patch_of_another_content_type_is_refused(service, player):
    async with service.client() as client:
        opened = await post(client, player.offer)
        headers = SDP | {"If-Match": opened.headers["ETag"]}
        response = await client.patch(opened.headers["Location"], content="v=0", headers=headers)
    assert response.status_code == 415
    assert response.headers["Accept-Patch"] == "application/trickle-ice-sdpfrag"


async def test_hanging_up_on_a_session_that_has_just_ended_is_fine_and_says_why_it_ended(
    service, player
):
    async with service.client() as client:
        location = (await post(client, player.offer)).headers["Location"]
        first = await client.delete(location)
        assert (first.status_code, first.text) == (200, "")
        again = await client.delete(location)
        assert (again.status_code, again.text) == (200, "The other side left.")
        never = location[:-24] + "0" * 24
        assert (await client.delete(never)).status_code == 404
        headers = FRAGMENT | {"If-Match": "*"}
        assert (await client.patch(location, content="x", headers=headers)).status_code == 404


async def test_a_session_is_not_found_under_another_streams_name(service, player):
    async with service.client() as client:
        location = (await post(client, player.offer)).headers["Location"]
        elsewhere = location.replace("/whip/cam/", "/whip/other/")
        assert (await client.delete(elsewhere)).status_code == 404


# Section 4.5: load. Section 4.6: STUN and TURN.


async def test_a_full_service_says_when_to_come_back(tmp_path, player):
    async with echo_service(max_streams=1) as service, service.client() as client:
        assert (await post(client, player.offer)).status_code == 201
        full = await post(client, player.offer, "/whip/other")
        assert full.status_code == 503
        assert int(full.headers["Retry-After"]) > 0


async def test_a_token_has_its_own_limit(player):
    settings = {"token": "one,two", "max_streams_per_token": 1}
    async with echo_service(**settings) as service, service.client() as client:
        headers = [SDP | {"Authorization": f"Bearer {token}"} for token in ("one", "two")]
        assert (await post(client, player.offer, "/whip/a", headers[0])).status_code == 201
        assert (await post(client, player.offer, "/whip/b", headers[0])).status_code == 503
        assert (await post(client, player.offer, "/whip/b", headers[1])).status_code == 201


async def test_ice_servers_come_along_as_links_with_credentials_that_expire(player):
    settings = {
        "stun": "stun:127.0.0.1:1",
        "turn": "turn:127.0.0.1:1?transport=udp",
        "turn_secret": "shared",
        "turn_seconds": 600,
    }
    async with (
        echo_service(
            clocks=Clocks(wall=lambda: 1_000_000.0, monotonic=CLOCKS.monotonic), **settings
        ) as service,
        service.client() as client,
    ):
        links = (await post(client, player.offer)).headers.get_list("Link")
        told = (await client.get("/v1/page")).json()["ice_servers"]
    assert links[0] == '<stun:127.0.0.1:1>; rel="ice-server"'
    assert '<turn:127.0.0.1:1?transport=udp>; rel="ice-server"; username="1000600:' in links[1]
    assert 'credential-type="password"' in links[1]
    assert "shared" not in links[1]
    assert told[1]["username"].startswith("1000600:")


async def test_without_settings_no_ice_server_is_named(service, player):
    async with service.client() as client:
        assert "Link" not in (await post(client, player.offer)).headers


# A client like OBS.


@pytest.fixture
async def film(tmp_path):
    return await asyncio.to_thread(write_video, tmp_path / "obs.mp4", seconds=3, rate=20)


async def test_a_client_like_obs_offers_what_obs_does(film):
    async with LikeObs(film, "") as obs:
        sections = [line for line in obs.offer.splitlines() if line.startswith("m=")]
        maps = [line.split()[1] for line in obs.offer.splitlines() if line.startswith("a=rtpmap")]
    assert [section.split()[0] for section in sections] == ["m=audio", "m=video"]
    assert maps == ["opus/48000/2", "H264/90000"]
    assert obs.offer.index("a=ice-ufrag") < obs.offer.index("m=audio")
    assert "a=candidate" not in obs.offer.partition("m=video")[2]
    assert "a=extmap" not in obs.offer


@pytest.mark.parametrize("candidates", [True, False], ids=["until-30.1", "since-30.2"])
async def test_a_client_like_obs_connects_sends_and_stops(film, candidates):
    async with (
        echo_service(token="secret") as service,
        LikeObs(film, f"{service.url}/whip/obs", "secret", candidates=candidates) as obs,
    ):
        assert ("a=candidate:" in obs.offer) == candidates
        await obs.start()
        async with service.talk("obs", additional_headers=obs.headers) as talk:
            await talk.hear("flashback.moment")
        async with service.client(headers=obs.headers) as client:
            assert (await client.get("/v1/streams/obs")).json()["source"] == "webrtc"
        await obs.stop()
        await service.until(lambda: not service.services.registry.fed)
        assert len(service.services.senders) == 0


async def test_a_client_like_obs_follows_a_load_balancer(film):
    async with echo_service(token="secret") as service:

        class Balancer(httpx.AsyncBaseTransport):
            async def handle_async_request(self, request):
                if request.url.host == "balancer.example":
                    location = f"{service.url}/whip/obs"
                    return httpx.Response(307, headers={"Location": location})
                async with httpx.AsyncHTTPTransport() as real:
                    response = await real.handle_async_request(request)
                    await response.aread()
                    return response

        async with LikeObs(film, "https://balancer.example/whip/obs", "secret") as obs:
            await obs.start(Balancer())
            await obs.stop()


async def test_restarting_obs_continues_the_same_stream(player, tmp_path):
    async with echo_service() as service, service.client() as client:
        first = await post(client, player.offer)
        began = (await client.get("/v1/streams/cam")).json()["began"]
        await client.delete(first.headers["Location"])
        async with Player(tmp_path / "film.mp4") as again:
            assert (await post(client, again.offer)).status_code == 201
            assert (await client.get("/v1/streams/cam")).json()["began"] == began


class LaterClocks:
    """The real clocks, which can be put forward."""

    def __init__(self):
        self.later = 0.0
        self.clocks = Clocks(
            wall=lambda: CLOCKS.wall() + self.later,
            monotonic=lambda: CLOCKS.monotonic() + self.later,
        )


async def test_a_sender_that_crashes_and_comes_back_continues_the_stream_after_one_gap(
    player, tmp_path
):
    """It never says goodbye; a minute later it is there again, with a new offer."""
    time = LaterClocks()
    async with (
        echo_service(clocks=time.clocks, sample_rate=4) as service,
        service.client() as client,
        Player(tmp_path / "film.mp4") as again,
    ):
        first = await post(client, player.offer)
        began = (await client.get("/v1/streams/cam")).json()["began"]
        async with service.talk() as talk:
            await player.accept(first.text)
            for _ in range(2):
                await talk.hear("flashback.moment")
            fall_silent(player._connection)
            time.later = 60.0
            await again.accept((await post(client, again.offer)).text)
            ends = [0.0]
            while ends[-1] < 60 or ends[-2] < 60:
                ends.append((await talk.hear("flashback.moment"))["moment"]["end"])
        moments = (await client.get("/v1/streams/cam/moments")).json()["moments"]
        assert (await client.get("/v1/streams/cam")).json()["began"] == began
        assert (await client.delete(first.headers["Location"])).text
    gaps = [after["start"] - before["end"] for before, after in itertools.pairwise(moments)]
    assert [place for place, gap in enumerate(gaps) if gap > 30] == [
        sum(moment["end"] < 30 for moment in moments) - 1
    ]
    assert len(moments) >= 4
    assert all(moment["end"] - moment["start"] < 30 for moment in moments), "no clip spans it"


# WHEP: the same conversation the other way round.


async def test_an_offer_to_send_nothing_is_refused_at_whip_and_one_to_send_at_whep(service, player):
    watcher = RTCPeerConnection()
    watcher.addTransceiver("video", direction="recvonly")
    await watcher.setLocalDescription()
    offer = watcher.localDescription.sdp
    await watcher.close()
    await service.remember()
    async with service.client() as client:
        assert (await post(client, offer, "/whip/cam")).status_code == 422
        assert (await post(client, player.offer, "/whep/cam")).status_code == 422


async def test_watching_a_stream_that_does_not_exist_is_not_found(service, player):
    async with service.client() as client:
        assert (await post(client, player.offer, "/whep/nowhere")).status_code == 404


def without_candidates(sdp):
    kept = ("a=candidate:", "a=end-of-candidates")
    return "".join(f"{line}\r\n" for line in sdp.splitlines() if not line.startswith(kept))


def fragment(offer):
    """Return what a trickling client would send: ICE user, password, section, candidates."""
    lines = offer.splitlines()
    kept = [line for line in lines if re.match(r"a=ice-(ufrag|pwd):", line)][:2]
    media = next(line for line in lines if line.startswith("m=video"))
    mid = next(line for line in lines if line.startswith("a=mid:"))
    candidates = [line for line in lines if line.startswith("a=candidate:")]
    return "\r\n".join([*kept, media, mid, *candidates, "a=end-of-candidates", ""])
