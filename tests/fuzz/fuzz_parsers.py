"""Everything that reads what strangers send: whatever it is, it is read or refused in words.

`make fuzz` runs this for minutes, `make test` a little of it. What it finds becomes a test beside the others.
Each function may raise what its contract names, and nothing else.
"""

import contextlib
import io
import os

import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memory.archive import ArchivedClip, ArchiveWriter, read_parts
from memory.changes import described
from memory.codec import decode, encode, encoder_of
from memory.errors import CorruptData, EncoderMismatch, StoreUnavailable
from memory.redis.layout import unpack_kept
from memory.store import StreamRecord
from model.types import ClipTokens
from stream.address.source_url import read_source
from stream.errors import BadInput, BadSource
from stream.pull.io.http.hls import read_playlist
from stream.webrtc.offer import read_fragment, read_offer
from tests.fuzz.mutations import lines_of, mutated, mutated_text
from tests.stream.test_offer import GOOD
from web.access.limits import Rate, read_size
from web.errors import BadRequest, BadValue
from web.realtime.wire import parse
from web.settings import Settings
from web.time_words.extent import Reference
from web.time_words.understand import understand

EXAMPLES = os.environ.get("FUZZ_EXAMPLES")
fuzz = settings(
    max_examples=int(EXAMPLES or "60"),
    # A change is not to fail by what its tests happened to draw: few examples are always the same.
    derandomize=EXAMPLES is None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)

CLIP = ClipTokens(torch.arange(24.0).reshape(3, 8), 1.0, 2.5)
CLIPS = tuple(encode(CLIP, "lite", form) for form in ("float16", "int8", "int4"))


def archive():
    """Return a good backup of one clip."""
    out = io.BytesIO()
    writer = ArchiveWriter(out)
    kept = described(CLIP, CLIPS[0], "float16", 4)
    writer.write([StreamRecord("door", 1.0, 0, None), ArchivedClip(kept, CLIPS[0], b"jpeg")])
    writer.finish()
    return out.getvalue()


CHROME = GOOD.replace(
    "a=setup:actpass",
    "a=setup:actpass\r\na=rtcp-fb:96 nack pli\r\na=fmtp:96 max-fs=12288\r\na=ssrc:1 cname:x\r\n"
    "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=rtpmap:111 opus/48000/2\r\n"
    "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=setup:actpass",
)


@given(sdp=mutated_text(GOOD, CHROME) | lines_of(GOOD, CHROME), sends=st.booleans())
@fuzz
def test_an_offer_is_read_or_refused(sdp, sends):
    with contextlib.suppress(BadInput):
        read_offer(sdp, sends=sends)


FRAGMENT = (
    "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\nm=video 9 UDP/TLS/RTP/SAVPF 0\r\n"
    "a=mid:0\r\na=candidate:1 1 udp 2130706431 9.9.9.9 5000 typ host\r\na=end-of-candidates\r\n"
)


@given(fragment=mutated_text(FRAGMENT) | lines_of(FRAGMENT))
@fuzz
def test_a_fragment_of_candidates_is_read_or_refused(fragment):
    with contextlib.suppress(BadInput):
        list(read_fragment(fragment, "abcd", (), ()))


@given(data=mutated(*CLIPS))
@fuzz
def test_a_clip_is_read_or_said_to_be_damaged(data):
    with contextlib.suppress(CorruptData, EncoderMismatch):
        decode(data, "lite")
    with contextlib.suppress(CorruptData):
        encoder_of(data)


@given(data=mutated(archive()))
@fuzz
def test_a_backup_is_read_or_said_to_be_damaged(data):
    with contextlib.suppress(CorruptData):
        list(read_parts(io.BytesIO(data)))


@given(member=st.binary(max_size=64))
@fuzz
def test_a_member_of_the_index_is_read_or_is_not_ours(member):
    with contextlib.suppress(StoreUnavailable):
        unpack_kept(member)


EVENTS = (
    '{"type": "session.update", "session": {"type": "realtime", "instructions": "x", "temperature": 0.5}}',
    '{"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": '
    '[{"type": "input_text", "text": "What?"}, {"type": "input_image", "image_url": "data:image/jpeg;base64,AA=="}]}}',
    '{"type": "response.create", "event_id": "e", "response": {"since": 1, "until": 2.5, "metadata": {"a": "b"}}}',
    '{"type": "response.cancel", "response_id": "resp_1"}',
)


@given(text=mutated_text(*EVENTS) | st.none() | st.text(max_size=200))
@fuzz
def test_a_message_is_an_event_or_refused(text):
    with contextlib.suppress(BadRequest):
        parse(text)


URLS = (
    "rtsp://user:pass@camera.example:554/live?x=1#f", "https://1.2.3.4/a.m3u8", "srt://[2001:db8::1]:9000",
    "rtmps://host/app/key", "file:///tmp/a%20b.mp4", "v4l2:/dev/video0?framerate=15",
)  # fmt: skip


@given(url=mutated_text(*URLS), local=st.booleans())
@fuzz
def test_a_source_is_one_or_refused_and_its_password_is_shown_nowhere(url, local):
    with contextlib.suppress(BadSource):
        shown = read_source(url, local=local).shown
        assert local or "user:pass@" not in shown  # the name of a file may hold anything


PLAYLIST = (
    "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:7\n"
    '#EXT-X-KEY:METHOD=AES-128,URI="k",IV=0x00000000000000000000000000000001\n#EXTINF:4.0,\na.ts\n'
    "#EXT-X-BYTERANGE:100@0\n#EXTINF:2,\nb.ts\n#EXT-X-ENDLIST\n"
)


@given(text=mutated_text(PLAYLIST) | lines_of(PLAYLIST))
@fuzz
def test_a_playlist_is_read_or_is_none(text):
    read_playlist(text)


QUESTIONS = (
    "What was shown at 10 seconds?", "who came between 10:05 and 10:20 yesterday", "in the last ten minutes",
    "since lunch", "on the 3rd of May 2024 at 5 pm", "before 1:02:03 and after 00:59",
)  # fmt: skip


@given(text=mutated_text(*QUESTIONS), now=st.floats(0, 4e9))
@fuzz
def test_words_of_time_are_understood_or_left_alone(text, now):
    understand(text, Reference(now))


@given(text=mutated_text("30/min", "2GB/day"))
@fuzz
def test_a_limit_is_one_or_refused(text):
    for read in (Rate.read, read_size):
        with contextlib.suppress(BadValue):
            read(text)


GIVEN = {
    "blackout": "door=0,0 0.3,1; yard=0,0 1,0 1,1",
    "source": "a=rtsp://u:p@h/x, b=http://h",
    "keep": "7d",
    "udp_ports": "50000-50100",
    "turn": "turn:h:1?transport=tcp",
    "allowed_source_networks": "10.0.0.0/8, fe80::/10",
    "redis_url": "rediss://u:p@h:1/0",
}


@given(name=st.sampled_from(sorted(GIVEN)), data=st.data())
@fuzz
def test_a_setting_is_read_or_refused_in_words(name, data):
    text = data.draw(mutated_text(GIVEN[name]))
    with contextlib.suppress(BadValue):
        Settings.from_env({f"FLASHBACK_{name.upper()}": text})
