import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.address.reachable import read_networks
from stream.errors import BadInput
from stream.webrtc.offer import read_fragment, read_offer
from stream.webrtc.offer_rules import LINE_LIMIT, OFFER_LIMIT

GOOD = "\r\n".join([
    "v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", "a=group:BUNDLE 0",
    "m=video 9 UDP/TLS/RTP/SAVPF 96",
    "c=IN IP4 0.0.0.0", "a=sendonly", "a=mid:0", "a=rtcp-mux", "a=rtpmap:96 VP8/90000",
    "a=candidate:1 1 udp 2130706431 9.9.9.9 5000 typ host",
    "a=candidate:2 1 udp 2130706431 0c0ffee0-1234.local 5001 typ host",
    "a=ice-ufrag:abcd", "a=ice-pwd:abcdefghijklmnopqrstuvwx",
    f"a=fingerprint:sha-256 {':'.join(['AA'] * 32)}", "a=setup:actpass", "",
])  # fmt: skip


def refusal(call, *args, **settings):
    """Return the sentence of refusal, or a mere full stop; any other error fails the test."""
    try:
        call(*args, **settings)
    except BadInput as error:
        return str(error)
    return "."


def test_a_good_offer_is_read():
    offer = read_offer(GOOD, sends=True)
    assert (offer.mid, offer.ufrag) == ("0", "abcd")


def test_candidates_behind_a_name_nobody_can_resolve_are_left_out():
    offer = read_offer(GOOD, sends=True)
    assert "9.9.9.9" in offer.sdp
    assert ".local" not in offer.sdp


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (GOOD, "", "does not begin"),
        (GOOD, "hello", "does not begin"),
        (GOOD, "v=0\r\n" + "a=x\r\n" * OFFER_LIMIT, "128 KB"),
        ("m=video", "m=audio", "no video section"),
        ("VP8/90000", "AV1/90000", "offered AV1; needed VP8 or H264"),
        ("VP8/90000", "H265/90000", "offered H265"),
        ("a=rtpmap:96 VP8/90000\r\n", "", "offered none"),
        ("a=sendonly", "a=recvonly", "does not send"),
        ("a=sendonly", "a=inactive", "does not send"),
        ("m=video 9", "m=video 0", "no video section"),
        ("a=ice-ufrag:abcd\r\n", "", "no ICE user name"),
        ("a=setup:actpass\r\n", "", "no DTLS fingerprint"),
        ("a=setup:actpass", "a=setup:sideways", "malformed"),
        ("SAVPF 96", "SAVPF nonsense", "malformed"),
        ("a=mid:0", "a=mid:0\r\na=fmtp:97 x=1", "malformed"),
        ("a=mid:0", "a=mid:0" + "\r\na=candidate:1 1 udp 1 9.9.9.9 5 typ host" * 64, "64 ICE"),
        ("m=video", "m=audio 0 RTP/AVP 0\r\n" * 16 + "m=video", "16 media"),
        ("a=mid:0", "a=mid:0" + "\r\na=x" * LINE_LIMIT, "1000 lines"),
        ("a=mid:0", "a=mid:0" + "\r\na=ssrc:1 cname:x" * 300, "256 sources"),
        ("a=mid:0", "a=mid:0" + "\r\na=rtpmap:96 VP8/90000" * 100, "96 codecs"),
        ("a=mid:0", "a=mid:0" + "\r\na=rtcp-fb:* nack" * 20, "16 kinds of feedback for every"),
        ("a=mid:0", "a=fmtp:96 " + "x" * 5000 + "\r\na=mid:0", "4096 characters"),
        ("BUNDLE 0", "BUNDLE 0 1", "sections that are not there"),
        ("BUNDLE 0", "BUNDLE 0 0", "one twice"),
    ],
)
def test_an_offer_that_cannot_be_answered_says_why(old, new, reason):
    with pytest.raises(BadInput, match=reason):
        read_offer(GOOD.replace(old, new), sends=True)


def second(section="video", **changed):
    """Return a good offer with another section, which differs in `changed` alone."""
    lines = GOOD[GOOD.index("m=") :].replace("m=video", f"m={section}")
    for old, new in {"mid_0": "mid:1", **changed}.items():
        lines = lines.replace(old.replace("_", ":"), new)
    return GOOD.replace("BUNDLE 0", "BUNDLE 0 1") + lines


@pytest.mark.parametrize(
    ("offer", "reason"),
    [
        (second(mid_0="mid:0").replace("BUNDLE 0 1", "BUNDLE 0"), r"same name \(a=mid:0\)"),
        (second("image"), "kind that is not known here: image"),
        (
            second(setup="x").replace("BUNDLE 0 1", "BUNDLE 0"),
            "video section has no DTLS fingerprint",
        ),
        (second(pwd="x").replace("BUNDLE 0 1", "BUNDLE 0"), "video section has no ICE user name"),
    ],
)
def test_of_several_sections_each_must_be_fit_to_be_answered(offer, reason):
    with pytest.raises(BadInput, match=reason):
        read_offer(offer, sends=True)
    assert read_offer(second(), sends=True)


def test_a_section_that_names_no_direction_goes_both_ways():
    assert "a=sendrecv" in read_offer(GOOD.replace("a=sendonly\r\n", ""), sends=True).sdp
    session_wide = GOOD.replace("a=sendonly\r\n", "").replace("t=0 0", "t=0 0\r\na=recvonly")
    with pytest.raises(BadInput, match="does not send"):
        read_offer(session_wide, sends=True)


INSIDE = ("10.0.0.7", "127.0.0.1", "169.254.169.254", "::1", "fd00::7", "::ffff:10.0.0.7")


@pytest.mark.parametrize("address", [*INSIDE, "router.example"])
def test_candidates_that_lead_inside_are_not_dialled(address):
    line = f"a=candidate:1 1 udp 2130706431 {address} 5000 typ host"
    assert address not in read_offer(GOOD.replace("a=mid:0", f"a=mid:0\r\n{line}"), sends=True).sdp
    assert list(read_fragment(line, "abcd")) == []


def test_this_machines_own_public_address_is_not_dialled_unless_it_is_allowed():
    line = "a=candidate:1 1 udp 2130706431 93.184.216.34 5000 typ host"
    sdp, own = GOOD.replace("a=mid:0", f"a=mid:0\r\n{line}"), ("93.184.216.34",)
    assert "93.184.216.34" in read_offer(sdp, sends=True).sdp
    offer = read_offer(sdp, sends=True, own=own)
    assert "93.184.216.34" not in offer.sdp
    assert list(read_fragment(line, "abcd", offer.inside, offer.own)) == []
    assert "93.184.216.34" in read_offer(sdp, sends=True, inside=read_networks(own), own=own).sdp


def test_a_network_that_is_allowed_may_be_named():
    line = "a=candidate:1 1 udp 2130706431 10.0.0.7 5000 typ host"
    inside = read_networks(["10.0.0.0/24"])
    offer = read_offer(GOOD.replace("a=mid:0", f"a=mid:0\r\n{line}"), sends=True, inside=inside)
    assert "10.0.0.7" in offer.sdp
    assert [c.ip for c in read_fragment(line, "abcd", offer.inside)] == ["10.0.0.7"]


def test_a_viewer_must_want_to_receive():
    with pytest.raises(BadInput, match="does not receive"):
        read_offer(GOOD, sends=False)
    assert read_offer(GOOD.replace("a=sendonly", "a=recvonly"), sends=False)


@given(st.text())
def test_any_text_is_read_or_refused(text):
    for offer in (text, "v=0\r\n" + text, GOOD + text, GOOD.replace("a=mid:0", text)):
        assert refusal(read_offer, offer, sends=True).endswith(".")


@given(st.lists(st.sampled_from([*GOOD.splitlines(), "a=candidate:", "a=mid:9", "m=video"])))
def test_any_order_of_lines_is_read_or_refused(lines):
    assert refusal(read_offer, "v=0\r\n" + "\r\n".join(lines), sends=True).endswith(".")


@given(st.text())
def test_any_fragment_is_read_or_refused(text):
    for fragment in (text, "a=candidate:" + text):
        assert refusal(lambda f: list(read_fragment(f, "abcd")), fragment).endswith(".")


def test_a_fragment_yields_its_candidates():
    lines = [line for line in GOOD.splitlines() if line.startswith("a=candidate")]
    fragment = "\r\n".join(["a=ice-ufrag:abcd", "a=mid:0", *lines, "a=end-of-candidates"])
    [only] = read_fragment(fragment, "abcd")
    assert (only.ip, only.port, only.sdpMid) == ("9.9.9.9", 5000, "0")


def test_that_no_more_candidates_come_does_not_end_the_wait_for_the_senders_own_checks():
    ended = GOOD.replace("a=mid:0", "a=mid:0\r\na=end-of-candidates")
    assert "end-of" not in read_offer(ended, sends=True).sdp
