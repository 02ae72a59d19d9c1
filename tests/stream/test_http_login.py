"""Cameras over HTTP ask for a password in many ways, and name several at once."""

import hashlib
import re

import pytest

from stream.pull.errors import CannotOpen
from stream.pull.io.challenges import strongest
from stream.pull.io.http.hls import read_playlist
from stream.pull.io.http.motion_jpeg import MotionJpeg
from stream.pull.io.numbers import number_in
from stream.pull.io.rtsp_proxy import RtspMessage
from tests.stream.opening import look, order
from tests.stream.test_motion_jpeg import Arriving, jpeg

HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}
MD5 = 'Digest realm="cam, door", nonce="n0nce", qop="auth,auth-int", algorithm=MD5'
SHA = 'Digest realm="cam, door", nonce="n0nce", qop="auth", algorithm=SHA-256'
UNKNOWN = 'Digest realm="cam, door", nonce="n0nce", qop="auth", algorithm=SHA-512-256'
BASIC = 'Basic realm="cam, door"'


def guard(site, path, *ways):
    """Let in, at `path`, whoever answers with Digest; offer `ways`, each in a header of its own."""
    inner = site.answers[path]

    def answer(handler):
        given = handler.headers.get("Authorization", "")
        fields = {k: v.strip('"') for k, v in re.findall(r'(\w+)=("[^"]*"|[^,\s]+)', given)}
        digest = HASHES[fields.get("algorithm", "MD5")]
        one = digest(b"ad@min:cam, door:p:ss").hexdigest()
        two = digest(f"GET:{handler.path}".encode()).hexdigest()
        middle = f"n0nce:{fields.get('nc')}:{fields.get('cnonce')}:auth"
        if fields.get("response") == digest(f"{one}:{middle}:{two}".encode()).hexdigest():
            return inner(handler)
        handler.send_response(401)
        for way in ways:
            handler.send_header("WWW-Authenticate", way)
        handler.send_header("Content-Length", "0")
        return handler.end_headers()

    site.answers[path] = answer


def login(address, password="p%3Ass"):
    return address.replace("http://", f"http://ad%40min:{password}@")


@pytest.mark.parametrize(
    "ways",
    [(MD5,), (SHA,), (BASIC, MD5), ("Negotiate", MD5), ("NTLM", UNKNOWN, SHA), (UNKNOWN, MD5),
     (f"{BASIC}, {MD5}",), (f"{MD5}, {BASIC}",), (f"Negotiate, {UNKNOWN}, {SHA}, {BASIC}",)],
)  # fmt: skip
def test_a_way_in_that_is_known_is_taken_wherever_it_stands(site, address, films, ways):
    site.file("/cam.ts", films["ts"].read_bytes())
    guard(site, "/cam.ts", *ways)
    _, picked = look(order(f"{login(address)}/cam.ts?x=1"))
    assert len(picked) >= 15


@pytest.mark.parametrize("ways", [(MD5,), (UNKNOWN,), ("Negotiate",), (), ("",), ("Digest",)])
def test_a_password_that_does_not_let_in_is_said_to_be_refused(site, address, ways):
    site.file("/cam.ts", b"")
    guard(site, "/cam.ts", *ways)
    with pytest.raises(CannotOpen, match="refuses the user name or password"):
        look(order(f"{login(address, 'wrong')}/cam.ts"))


@pytest.mark.parametrize(
    ("status", "said"), [(401, "wants a user name and password"), (403, "may not be read")]
)
def test_who_gave_no_password_is_not_told_that_it_is_wrong(site, address, status, said):
    site.answers["/cam.ts"] = lambda handler: handler.send_error(status)
    with pytest.raises(CannotOpen, match=said):
        look(order(f"{address}/cam.ts"))
    with pytest.raises(CannotOpen, match="refuses the user name or password"):
        look(order(f"{login(address)}/cam.ts"))


@pytest.mark.parametrize(
    "text", ["", "Digest", "Basic", "Negotiate oYG2MIGzo,", 'Digest nonce="x', ",,,", "x" * 9000]
)
def test_what_is_no_challenge_is_none_or_read_as_far_as_it_goes(text):
    found = strongest([text])
    assert found is None or found.algorithm in {None, "MD5"}


@pytest.mark.parametrize("text", ["²", "٣", "9" * 5000, "-1", "1e3", "", " 7", "0x7", "1_0"])
def test_what_is_no_honest_number_is_none(text):
    assert number_in(text) is None
    assert RtspMessage(f"RTSP/1.0 {text} OK\r\n\r\n".encode()).status is None
    segments = f"#EXTINF:2,\na.ts\n#EXT-X-BYTERANGE:5@{text}\n#EXTINF:2,\nb.ts\n"
    head = f"#EXT-X-TARGETDURATION:{text}\n#EXT-X-MEDIA-SEQUENCE:x{text}\n"
    playlist = read_playlist(f"#EXTM3U\n{head}{segments}")
    assert (playlist.first, playlist.segments) == (0, (("a.ts", 0), ("b.ts", 0)))


def test_a_picture_whose_length_is_no_number_is_taken_to_its_end():
    picture = jpeg(1)
    head = b"--x\r\nContent-Type: image/jpeg\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n"
    parts = MotionJpeg(Arriving(head + picture + head + picture + b"\r\n--x--\r\n", b""))
    assert picture in parts.read(len(picture) + 200)
