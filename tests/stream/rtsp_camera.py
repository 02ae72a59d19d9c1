"""An RTSP camera as odd as a test wants it: it sends a film over TCP, at once, and then waits."""

import base64
import hashlib
import re
import socket
import struct
import threading
from contextlib import contextmanager, suppress
from datetime import datetime

VIDEO = "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track0\r\n"
SOUND = "m=audio 0 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=control:track1\r\n"
BACK = SOUND.replace("a=control", "a=sendonly\r\na=control")
METADATA = (
    "m=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\na=control:track2\r\n"
)
RATE = 10
TIMES = 3
NONCES = ("first", "second")


class Camera:
    """What it does, and what it was told.

    Args:
        film: Annex B H.264 with pictures small enough for a packet.
        tracks: The media sections of its SDP.
        refuse: Status and phrase by what is refused, such as `SETUP track1`.
        asks: Whether it sends a request of its own before each picture.
        digest: The algorithm by which it lets `admin`, `pa:ss` in; `Basic` for that.
        nonce_good_for: Requests after which it wants another nonce.
        name: Of its session, in an encoding of its own.
        recorded: When by the clock on the wall what it plays begins and ends: it is a recorder then.
    """

    def __init__(
        self,
        film,
        *,
        tracks=VIDEO,
        refuse=None,
        asks=False,
        digest=None,
        nonce_good_for=100,
        name=b"odd",
        recorded=None,
    ):
        self.recorded = recorded
        self.name = name
        self.film, self.tracks, self.refuse = film, tracks, refuse or {}
        self.asks, self.digest, self.nonce_good_for = asks, digest, nonce_good_for
        self.heard = []
        self.answers = []
        self.answered = threading.Event()
        self._uses = 0

    @contextmanager
    def serve(self):
        """Serve on loopback and give the port."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            threading.Thread(target=self._listen, args=(listener,), daemon=True).start()
            try:
                yield listener.getsockname()[1]
            finally:
                with suppress(OSError):
                    listener.shutdown(socket.SHUT_RDWR)

    def asked(self, method):
        """Return the ranges that were asked for by `method`."""
        return [headers.get("range") for line, headers in self.heard if line.startswith(method)]

    def _listen(self, listener):
        with suppress(OSError):
            while True:
                peer, _ = listener.accept()
                with peer, peer.makefile("rb") as requests, suppress(OSError):
                    while (request := read_message(requests)) is not None:
                        self._hear(peer, *request)

    def _hear(self, peer, line, headers):
        if line.startswith("RTSP/"):
            self.answers.append(line)
            self.answered.set()
            return
        self.heard.append((line, headers))
        method, uri, _ = line.split()
        track = re.search(r"track(\d)", uri)
        status = self._refusal(method, track, headers)
        extra, body = "", ""
        if method != "OPTIONS" and self.digest and not self._knows(method, headers):
            status, extra = (401, "Unauthorized"), self._challenge()
        elif method == "DESCRIBE":
            body = (
                f"v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns={self.name.decode('latin-1')}\r\nt=0 0\r\n"
                f"a=control:*\r\n{self._range()}{self.tracks}"
            )
            extra = f"Content-Base: {uri}/\r\nContent-Type: application/sdp\r\n"
        elif method == "SETUP":
            extra = f"Session: 7\r\nTransport: {headers['transport']}\r\n"
        elif (method, bool(self.recorded)) == ("PLAY", True):
            extra = f"Session: 7\r\nRange: {headers['range']}{self.recorded[1]}\r\n"
        code, phrase = status or (200, "OK")
        extra += f"Content-Length: {len(body)}\r\n" if body else ""
        peer.sendall(
            f"RTSP/1.0 {code} {phrase}\r\nCSeq: {headers['cseq']}\r\n{extra}\r\n{body}".encode(
                "latin-1"
            )
        )
        if (method, code) == ("PLAY", 200):
            self._play(peer, headers.get("range", ""))

    def _range(self):
        return "a=range:clock={}-{}\r\n".format(*self.recorded) if self.recorded else ""

    def _refusal(self, method, track, headers):
        if method == "SETUP" and "interleaved" not in headers["transport"]:
            return 461, "Unsupported Transport"
        return self.refuse.get(f"{method} {track[0]}" if track else method)

    def _play(self, peer, wanted):
        shown = list(enumerate(TIMES * pictures(self.film)))
        if self.recorded:
            begin, at = (_seconds(time) for time in (self.recorded[0], wanted[6:-1]))
            shown = list(enumerate(picture for _, picture in shown[round((at - begin) * RATE) :]))
        for i, picture in shown:
            if self.asks:
                peer.sendall(f"OPTIONS rtsp://client/ RTSP/1.0\r\nCSeq: {i}\r\n\r\n".encode())
            peer.sendall(packets(picture, i))

    def _nonce(self):
        return NONCES[self._uses // self.nonce_good_for % 2]

    def _challenge(self):
        if self.digest == "Basic":
            return 'WWW-Authenticate: Basic realm="cam"\r\n'
        algorithm = f", algorithm={self.digest}" if self.digest else ""
        stale = ", stale=true" if self._uses else ""
        return (
            f'WWW-Authenticate: Digest realm="cam", nonce="{self._nonce()}", qop="auth", '
            f'opaque="o"{algorithm}{stale}\r\nWWW-Authenticate: Negotiate\r\n'
        )

    def _knows(self, method, headers):
        given = headers.get("authorization", "")
        if self.digest == "Basic":
            return given == "Basic " + base64.b64encode(b"admin:pa:ss").decode()
        said = dict(re.findall(r'(\w+)="?([^",]*)"?', given))
        if said.get("nonce") != self._nonce():
            return False
        self._uses += 1
        name = "sha256" if "256" in self.digest else "md5"

        def digest(*parts):
            return hashlib.new(name, ":".join(parts).encode()).hexdigest()

        secret = digest("admin", "cam", "pa:ss")
        if self.digest.endswith("-sess"):
            secret = digest(secret, said["nonce"], said["cnonce"])
        asked = digest(method, said["uri"])
        return said["response"] == digest(
            secret, said["nonce"], said["nc"], said["cnonce"], "auth", asked
        )


def _seconds(clock):
    return datetime.fromisoformat(clock).timestamp()


def read_message(requests):
    """Return the first line and the headers of the next message; None at the end."""
    line = requests.readline()
    while line[:1] == b"$":  # a packet of FFmpeg's own: the line may be any part of it
        rest = line[1:] + requests.read(max(0, 4 - len(line)))
        missing = 3 + int.from_bytes(rest[1:3], "big") - len(rest)
        line = requests.read(missing)[:0] + requests.readline() if missing >= 0 else rest[missing:]
    headers = {}
    while (header := requests.readline().decode().strip()) and line:
        name, _, value = header.partition(":")
        headers[name.lower()] = value.strip()
    return (line.decode().strip(), headers) if line.strip() else None


def pictures(film):
    """Return the pictures of annex B H.264, as lists of its units."""
    found = [[]]
    for unit in filter(None, re.split(b"\x00?\x00\x00\x01", film.read_bytes())):
        found[-1].append(unit)
        if unit[0] & 31 in {1, 5}:
            found.append([])
    return found[:-1]


def packets(units, number):
    """Return the packets of one picture, as they come over TCP (RFC 6184, RFC 2326)."""
    sent = b""
    for i, unit in enumerate(units):
        last = 0x80 if i == len(units) - 1 else 0
        stamp = number * 90_000 // RATE
        rtp = struct.pack(">BBHII", 0x80, last | 96, 100 * number + i & 0xFFFF, stamp, 1) + unit
        sent += b"$\x00" + struct.pack(">H", len(rtp)) + rtp
    return sent
