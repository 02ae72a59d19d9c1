import asyncio
import math
import re
from collections import deque
from dataclasses import replace
from functools import partial
from threading import Event

import pytest
from aiortc import RTCRtpCodecParameters
from aiortc.jitterbuffer import JitterFrame
from aiortc.rtcrtpreceiver import RemoteStreamTrack

from stream.address.reachable import read_networks
from stream.errors import BadInput, NoRoom, StreamClosed
from stream.frames.scale import to_rgb
from stream.registry import Registry
from stream.settings import StreamSettings
from stream.status import ClipRemembered
from stream.webrtc.file_track import FileTrack
from stream.webrtc.ice import WebRtcSettings, new_connection
from stream.webrtc.ingest import _decode_alone, answer_offer
from stream.webrtc.keyframes import Decoding
from stream.webrtc.offer import read_offer
from stream.webrtc.receiver import LONGEST_BACKLOG, Newest
from stream.webrtc.session import hang_up, video_receivers
from stream.webrtc.whip_client import Player
from tests.stream.fakes import FakeEngine, HandClock
from tests.stream.videos import write_video
from tests.waiting import holds

SETTINGS = WebRtcSettings(silence=60.0)


@pytest.fixture(scope="session")
def film(tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("films") / "film.mp4", seconds=4.0)


@pytest.fixture
async def registry(store):
    loop = asyncio.get_running_loop()
    registry = Registry(
        engine=FakeEngine(),
        store=store,
        settings=StreamSettings(rate=8.0, close_within=30),
        wall=loop.time,
        monotonic=loop.time,
        capacity=1,
    )
    yield registry
    await registry.close()


@pytest.fixture
async def live(registry):
    return await registry.open("yard")


async def firsts(news, count):
    async for event in news:
        if isinstance(event, ClipRemembered):
            yield event
            count -= 1
        if count == 0:
            return


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_a_real_sender_is_remembered(live, store, tmp_path, codec):
    # One colour: on a busy machine the first picture may come late.
    red = await asyncio.to_thread(write_video, tmp_path / "red.mp4", colours=[(220, 30, 30)])
    async with Player(red, codec=codec) as player:
        peer = await answer_offer(
            read_offer(player.offer, sends=True, inside=SETTINGS.inside), live, settings=SETTINGS
        )
        await player.accept(peer.answer)
        await store.written.wait()
        await holds(lambda: live.status().frames > live.status().sampled)
    await peer.wait_closed()
    status = live.status()
    assert (status.state, status.source) == ("ended", "webrtc")
    assert status.sampled >= 4
    first = await anext(store.clips("yard"))
    red, _, blue = first.values[0].tolist()
    assert red > blue + 100


async def test_a_sender_whose_video_is_offered_in_its_bundle_alone_is_seen(live, store, film):
    """As GStreamer does: sound first, the video with port 0. Only the video is really sent."""
    async with Player(film) as player:
        video = player.offer[player.offer.index("m=video") :]
        mid = re.search(r"a=mid:(\S+)", video)[1]
        own = r"a=(mid|msid|ssrc|rtpmap|rtcp-fb|fmtp|extmap)\S*.*\r\n"
        sound = re.sub(own, "", re.sub(r"m=video (\S+ \S+).*", r"m=audio \1 111", video))
        sound += "a=mid:sound\r\na=rtpmap:111 opus/48000/2\r\n"
        hidden = re.sub(r"m=video \d+", "m=video 0", video) + "a=bundle-only\r\n"
        offer = player.offer.replace(f"BUNDLE {mid}", f"BUNDLE sound {mid}")
        peer = await answer_offer(
            read_offer(offer.replace(video, sound + hidden), sends=True, inside=SETTINGS.inside),
            live,
            settings=SETTINGS,
        )
        head, _, rest = peer.answer.partition("m=audio")
        answer = head.replace("BUNDLE sound ", "BUNDLE ") + rest[rest.index("m=video") :]
        await player.accept(answer)
        await store.written.wait()
    await peer.wait_closed()


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_of_a_sender_that_listens_only_a_keyframe_a_look_is_decoded(
    store, film, codec, monkeypatch
):
    """Nobody watches and two pictures a second are looked at."""
    decoded, made, moments = [], [], deque(maxlen=4)

    def note():
        made.append(Noting(decoded))
        return made[-1]

    monkeypatch.setattr("stream.webrtc.ingest.Decoding", note)
    # On a starved machine a sender that listens may be slow all the same.
    monkeypatch.setattr("stream.webrtc.keyframes.DISTRUSTED_AFTER", 10**6)
    loop = asyncio.get_running_loop()
    settings = StreamSettings(rate=2.0, close_within=30)
    registry = Registry(
        engine=FakeEngine(), store=store, settings=settings, wall=loop.time, monotonic=loop.time
    )
    live = await registry.open("yard")
    with live.subscribe() as news:
        async with Player(film, codec=codec) as player:
            peer = await answer_offer(
                read_offer(player.offer, sends=True, inside=SETTINGS.inside),
                live,
                settings=SETTINGS,
            )
            await player.accept(peer.answer)
            async for event in firsts(news, math.inf):
                moments.append(event.moment)
                evenly = all(m.end - m.start == pytest.approx(1.5, abs=0.4) for m in moments)
                if len(moments) == 4 and evenly and sum(decoded[-30:]) < 0.4 * 30:
                    break
        await peer.wait_closed()
    assert all(decoded[:5])
    [decoding] = made
    assert live.status().frames + decoding.taken() == pytest.approx(len(decoded), abs=8)
    await registry.close()


async def test_of_an_offer_with_two_videos_the_second_is_not_decoded(live, store, film):
    async with Player(film) as player:
        second = await FileTrack.open(film, repeat=True)
        player._connection.addTransceiver(second, direction="sendonly")
        await player._connection.setLocalDescription()
        peer = await answer_offer(
            read_offer(player._connection.localDescription.sdp, sends=True, inside=SETTINGS.inside),
            live,
            settings=SETTINGS,
        )
        await player.accept(peer.answer)
        await store.written.wait()
        tracks = [r.track for r in video_receivers(peer._connection)]
        await peer.close()
        await second.close()
    assert len(tracks) == 2
    # What is left of a track that nobody drains would be every picture since the start.
    assert tracks[1]._queue.qsize() <= 1, "the end alone"


async def test_while_a_picture_is_converted_only_the_newest_waits_and_its_age_counts(
    store, tmp_path, monkeypatch
):
    """The clock stands still while the rest of the film arrives."""
    clock, converting, going_on, converted = HandClock(), asyncio.Event(), Event(), []
    loop, arrived = asyncio.get_running_loop(), []

    def slow(frame, side):
        converted.append(frame.time)
        loop.call_soon_threadsafe(converting.set)
        assert going_on.wait(60)
        return to_rgb(frame, side)

    monkeypatch.setattr("stream.webrtc.ingest.to_rgb", slow)
    monkeypatch.setattr("stream.webrtc.ingest.Decoding", partial(Noting, arrived))
    decoded = Telling()
    monkeypatch.setattr("stream.webrtc.receiver.Newest", lambda: decoded)
    film = await asyncio.to_thread(write_video, tmp_path / "film.mp4", seconds=1.0, rate=20)
    registry = Registry(
        engine=FakeEngine(),
        store=store,
        settings=StreamSettings(rate=8.0, close_within=30),
        wall=clock,
        monotonic=clock,
    )
    live = await registry.open("yard")
    async with Player(film, repeat=False) as player:
        peer = await answer_offer(
            read_offer(player.offer, sends=True, inside=SETTINGS.inside), live, settings=SETTINGS
        )
        await player.accept(peer.answer)
        await converting.wait()
        clock.now += 0.5
        await decoded.until(0.9)
        assert decoded.qsize() == 1
        clock.now += 0.4
        going_on.set()
        with live.watch() as pictures:
            while live.status().sampled < 2:
                await pictures.next()
    await peer.wait_closed()
    await live.settle()
    assert len(converted) == 2
    assert converted[1] - converted[0] > 0.5
    assert live.status().frames == len(arrived)
    assert live.status().frame_age_ms == pytest.approx(400)
    await registry.close()


class Telling(Newest):
    """Tells how far the decoder has come."""

    def __init__(self):
        super().__init__()
        self._more = asyncio.Condition()
        self._newest = 0.0

    async def put(self, item):
        await super().put(item)
        async with self._more:
            self._newest = self._newest if item is None else item.time
            self._more.notify_all()

    async def until(self, time):
        async with self._more:
            await self._more.wait_for(lambda: self._newest >= time)


class Noting(Decoding):
    """Notes of every picture whether it was decoded."""

    def __init__(self, notes):
        super().__init__()
        self.notes = notes

    def decodes(self, keyframe, now):
        self.notes.append(super().decodes(keyframe, now))
        return self.notes[-1]


async def test_a_file_that_does_not_repeat_ends_the_stream(live, store, tmp_path):
    short = write_video(tmp_path / "short.mp4", seconds=1.0)
    async with Player(short, repeat=False) as player:
        peer = await answer_offer(
            read_offer(player.offer, sends=True, inside=SETTINGS.inside), live, settings=SETTINGS
        )
        await player.accept(peer.answer)
        await player.wait_ended()
        assert not player.lost
    await peer.wait_closed()
    await live.settle()
    assert live.status().clips >= 1


async def test_a_repeating_file_goes_on(live, tmp_path):
    short = write_video(tmp_path / "short.mp4", seconds=0.5)
    async with Player(short) as player:
        peer = await answer_offer(
            read_offer(player.offer, sends=True, inside=SETTINGS.inside), live, settings=SETTINGS
        )
        with live.subscribe() as news:
            await player.accept(peer.answer)
            moments = [event.moment async for event in firsts(news, 3)]
    await peer.wait_closed()
    assert moments[-1].end - moments[0].start > 1.0


async def test_a_silent_sender_is_given_up_and_its_place_is_free(registry, live, film):
    async with Player(film) as player:
        settings = WebRtcSettings(silence=0.3)
        peer = await answer_offer(
            read_offer(player.offer, sends=True, inside=settings.inside), live, settings=settings
        )
        with pytest.raises(NoRoom):
            await registry.open("other")
        await peer.wait_closed()
    assert "given up" in live.status().reason
    assert await registry.open("other")


async def test_a_second_sender_takes_over_and_the_first_is_hung_up(live, film):
    async with Player(film) as first, Player(film) as second:
        one = await answer_offer(
            read_offer(first.offer, sends=True, inside=SETTINGS.inside), live, settings=SETTINGS
        )
        await first.accept(one.answer)
        two = await answer_offer(
            read_offer(second.offer, sends=True, inside=SETTINGS.inside), live, settings=SETTINGS
        )
        await second.accept(two.answer)
        await one.wait_closed()
        assert not two.closed
        await two.close()
    assert live.status().state == "ended"


async def test_the_end_of_the_stream_hangs_up(registry, live, film):
    async with Player(film) as player:
        peer = await answer_offer(
            read_offer(player.offer, sends=True, inside=SETTINGS.inside), live, settings=SETTINGS
        )
        await player.accept(peer.answer)
        await registry.forget("yard")
        await peer.wait_closed()


async def test_a_stream_closed_while_it_is_connected_to_takes_no_sender(registry, live, film):
    before = len(asyncio.all_tasks())
    async with Player(film) as player:
        answering = asyncio.create_task(
            answer_offer(
                read_offer(player.offer, sends=True, inside=SETTINGS.inside),
                live,
                settings=SETTINGS,
            )
        )
        await registry.forget("yard")
        with pytest.raises(StreamClosed):
            await answering
    assert len(asyncio.all_tasks()) <= before


async def test_a_refused_stream_leaves_no_connection_behind(registry, live, film):
    other = await registry.open("other")
    live.open_feed("webrtc")
    await asyncio.sleep(0)  # until the other stream's work has begun
    before = len(asyncio.all_tasks())
    async with Player(film) as player:
        with pytest.raises(NoRoom):
            await answer_offer(
                read_offer(player.offer, sends=True, inside=SETTINGS.inside),
                other,
                settings=SETTINGS,
            )
    assert len(asyncio.all_tasks()) <= before + 1


async def test_ports_stay_within_the_range_and_the_advertised_host_is_named(live, film):
    settings = WebRtcSettings(udp_ports=(45_000, 45_050), advertised_host="203.0.113.7")
    async with Player(film) as player:
        peer = await answer_offer(
            read_offer(player.offer, sends=True, inside=settings.inside), live, settings=settings
        )
        candidates = [
            line.split() for line in peer.answer.splitlines() if line.startswith("a=candidate")
        ]
        await player.accept(peer.answer)
        await player.wait_connected()
        await peer.close()
    assert candidates
    assert all(45_000 <= int(c[5]) <= 45_050 for c in candidates)
    assert [c[4] for c in candidates if "srflx" in c] == ["203.0.113.7"]


async def test_trickled_candidates_are_taken_and_a_restart_is_refused(live, film):
    async with Player(film) as player:
        ufrag = next(x for x in player.offer.splitlines() if x.startswith("a=ice-ufrag:"))
        lines = player.offer.splitlines()
        candidates = [line for line in lines if line.startswith("a=candidate:")]
        bare = "\r\n".join(
            line for line in lines if line not in candidates and line != "a=end-of-candidates"
        )
        peer = await answer_offer(
            read_offer(bare + "\r\n", sends=True, inside=SETTINGS.inside), live, settings=SETTINGS
        )
        await player.accept(peer.answer)
        await peer.add_candidates("\r\n".join([ufrag, "a=mid:0", *candidates]))
        await peer.add_candidates("\r\n".join([ufrag, "a=mid:0", "a=end-of-candidates"]))
        with pytest.raises(BadInput, match="ICE restart"):
            await peer.add_candidates("a=ice-ufrag:other\r\n")
        with pytest.raises(BadInput, match="cannot be read"):
            await peer.add_candidates("a=mid:0\r\na=candidate:junk\r\n")
        await player.wait_connected()
        await peer.close()


async def test_a_sender_is_reached_at_the_candidates_that_trickled_in(live, film):
    """The sender knows no address of ours, so we have to come to its own."""
    async with Player(film) as player:
        lines = player.offer.splitlines()
        # Both are on this machine, whose addresses are private.
        settings = replace(SETTINGS, inside=read_networks(["0.0.0.0/0", "::/0"]))
        peer = await answer_offer(
            read_offer(without_candidates(player.offer), sends=True, inside=settings.inside),
            live,
            settings=settings,
        )
        await player.accept(without_candidates(peer.answer))
        ufrag = next(line for line in lines if line.startswith("a=ice-ufrag:"))
        candidates = [line for line in lines if line.startswith("a=candidate:")]
        await peer.add_candidates("\r\n".join([ufrag, "a=mid:0", *candidates]))
        async with asyncio.timeout(60):
            await peer.wait_connected()
        await peer.close()


def without_candidates(sdp):
    kept = ("a=candidate:", "a=end-of-candidates")
    return "".join(f"{line}\r\n" for line in sdp.splitlines() if not line.startswith(kept))


async def test_after_a_backlog_nothing_is_decoded_before_a_keyframe(live):
    connection = new_connection(SETTINGS)
    connection.addTransceiver("video", direction="recvonly")
    [receiver] = connection.getReceivers()
    receiver._track = RemoteStreamTrack(kind="video")
    gate = _decode_alone(connection, receiver, Decoding(), live.now)
    codec = RTCRtpCodecParameters(mimeType="video/VP8", clockRate=90_000)
    key, other = JitterFrame(data=b"\x10", timestamp=0), JitterFrame(data=b"\x11", timestamp=1)
    waiting = []
    for picture in (key, *LONGEST_BACKLOG * [other], other, key, other):
        gate.put((codec, picture))
        waiting.append(gate.qsize())
    assert waiting == [*range(1, LONGEST_BACKLOG + 1), 0, 0, 1, 2]
    await hang_up(connection)
