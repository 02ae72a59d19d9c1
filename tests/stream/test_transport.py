import asyncio
from contextlib import AsyncExitStack

import aioice.ice
import aioice.stun
import pytest
from aiortc.rtcdtlstransport import generate_certificate
from cryptography.hazmat.primitives.asymmetric import rsa

from stream.registry import Registry
from stream.settings import StreamSettings
from stream.webrtc import ice
from stream.webrtc.ice import WebRtcSettings
from stream.webrtc.ingest import answer_offer
from stream.webrtc.offer import read_offer
from stream.webrtc.session import NOT_SECURED, SILENT
from stream.webrtc.transport import Certificate
from stream.webrtc.whip_client import Player
from tests.stream.fakes import FakeEngine
from tests.stream.videos import write_video

SETTINGS = WebRtcSettings(silence=60.0)


@pytest.fixture(scope="session")
def film(tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("films") / "film.mp4", seconds=2.0)


@pytest.fixture
async def live(store):
    now = asyncio.get_running_loop().time
    looks = StreamSettings(rate=8.0, close_within=30)
    registry = Registry(
        engine=FakeEngine(), store=store, settings=looks, wall=now, monotonic=now, capacity=1
    )
    yield await registry.open("yard")
    await registry.close()


@pytest.fixture
def impatient(monkeypatch):
    """Consent runs out after a few hundredths of a second."""
    monkeypatch.setattr(aioice.ice, "CONSENT_INTERVAL", 0.01)
    monkeypatch.setattr(aioice.stun, "RETRY_RTO", 0.05)


def connections(peer):
    transports = [t.receiver.transport for t in peer.getTransceivers()]
    return [transport.transport.iceGatherer._connection for transport in transports]


async def test_a_sender_that_answers_no_consent_checks_stays_while_it_sends(
    live,
    store,
    film,
    impatient,
):
    async with Player(film) as player:
        peer = await answer_offer(
            read_offer(player.offer, sends=True, inside=SETTINGS.inside), live, settings=SETTINGS
        )
        await player.accept(peer.answer)
        await peer.wait_connected()
        checks = asyncio.Semaphore(0)
        for ice in connections(player._connection):
            ice.request_received = lambda *_: checks.release()
        for _ in range(2 * aioice.ice.CONSENT_FAILURES):
            await checks.acquire()
        assert not peer.closed
        await store.written.wait()
    await peer.wait_closed()
    assert peer.reason != SILENT


async def test_one_that_answers_nothing_and_sends_nothing_is_given_up_and_it_says_so(
    live,
    film,
    impatient,
):
    async with Player(film) as player:
        peer = await answer_offer(
            read_offer(player.offer, sends=True, inside=SETTINGS.inside), live, settings=SETTINGS
        )
        await player.accept(peer.answer)
        await peer.wait_connected()
        for ice in connections(player._connection):
            for protocol in ice._protocols:
                protocol.transport.sendto = lambda *_: None
        await peer.wait_closed()
        assert peer.reason == SILENT


async def test_a_sender_with_a_certificate_of_rsa_is_let_in(live, store, film, monkeypatch):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    certificate = Certificate(key=key, cert=generate_certificate(key))

    def have_rsa(connection):
        connection._RTCPeerConnection__certificates = [certificate]

    with monkeypatch.context() as change:
        change.setattr(ice, "take_any_certificate", have_rsa)
        player = await Player(film).__aenter__()
    async with AsyncExitStack() as stack:
        stack.push_async_exit(player)
        peer = await answer_offer(
            read_offer(player.offer, sends=True, inside=SETTINGS.inside), live, settings=SETTINGS
        )
        await player.accept(peer.answer)
        await store.written.wait()
    await peer.wait_closed()


async def test_a_certificate_that_the_offer_does_not_name_is_refused_in_words(live, film, caplog):
    async with Player(film) as player:
        digest = player.offer[player.offer.index("a=fingerprint:sha-256 ") + 22 :][:5]
        wrong = digest[:3] + ("00" if digest[3:] != "00" else "11")
        peer = await answer_offer(
            read_offer(player.offer.replace(digest, wrong), sends=True, inside=SETTINGS.inside),
            live,
            settings=SETTINGS,
        )
        await player.accept(peer.answer)
        await peer.wait_closed()
    assert peer.reason == NOT_SECURED
    assert [r.getMessage() for r in caplog.records if r.levelname == "WARNING"] == [
        f"a peer is gone: {NOT_SECURED}"
    ]
