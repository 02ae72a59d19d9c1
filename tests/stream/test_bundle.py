"""Offers whose video shares the transport of another section (RFC 9143)."""

import re

import pytest

from stream.errors import BadInput
from stream.webrtc.bundle import unbundled
from stream.webrtc.offer import read_offer
from tests.stream.test_offer import GOOD

SHARED = re.findall(r"(?:a=ice-|a=fingerprint|a=setup).*\r\n", GOOD)
AUDIO = "".join((
    "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n", "c=IN IP4 0.0.0.0\r\n", "a=sendonly\r\n", "a=mid:sound\r\n",
    "a=rtcp-mux\r\n", "a=rtpmap:111 opus/48000/2\r\n", *SHARED,
))  # fmt: skip
BUNDLED = (
    GOOD.replace("BUNDLE 0", "BUNDLE sound 0")
    .replace("m=video 9", f"{AUDIO}m=video 0")
    .replace("a=mid:0", "a=bundle-only\r\na=mid:0")
)


def video_of(sdp):
    return sdp[sdp.index("m=video") :]


def test_video_that_is_offered_in_its_bundle_alone_is_an_offer():
    offer = read_offer(BUNDLED, sends=True)
    assert (offer.mid, offer.ufrag) == ("0", "abcd")


def test_what_its_bundle_says_of_the_transport_it_need_not_say_again():
    video = video_of(BUNDLED)
    bare = BUNDLED.replace(video, re.sub("|".join(map(re.escape, SHARED)), "", video))
    assert "ice-ufrag" not in video_of(bare)
    assert read_offer(bare, sends=True).ufrag == "abcd"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a=bundle-only\r\n", ""),
        ("BUNDLE sound 0", "BUNDLE sound"),
        ("a=group:BUNDLE", "a=group:LS"),
    ],
)
def test_port_zero_outside_of_a_bundle_is_still_no_video(old, new):
    with pytest.raises(BadInput, match="no video section"):
        read_offer(BUNDLED.replace(old, new), sends=True)


def test_what_stands_alone_stays_as_it_is():
    for sdp in (
        GOOD,
        GOOD.replace("a=group:BUNDLE 0\r\n", ""),
        BUNDLED.replace("video 0", "video 9"),
    ):
        assert unbundled(sdp.split("\r\n")) == sdp.split("\r\n")
