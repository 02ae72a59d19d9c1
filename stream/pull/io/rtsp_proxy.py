"""Stands between FFmpeg and an RTSP server: passes on what both say, but for what FFmpeg cannot do.

FFmpeg follows an RTSP redirect to any address, and has no option not to: here the relay hangs up.
It knows no Digest but MD5: the relay knows who we are, and FFmpeg does not. It knows no times of the
clock on the wall: the relay tells it seconds. Of a refusal it keeps only the kind: the relay keeps the camera's code and words. And it would name this relay as the
host: the camera reads its own. RTSP: https://www.rfc-editor.org/rfc/rfc2326
"""

import re
import socket
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from io import BufferedReader

from stream.pull.errors import UNAUTHORIZED, Refused
from stream.pull.io.challenges import Challenge, Login, authorize, strongest
from stream.pull.io.numbers import number_in
from stream.pull.io.rtsp_clock import WallClock
from stream.pull.io.tcp_proxy import Pipe
from stream.pull.io.tls import TlsConnection

LONGEST_HEAD = 64 * 1024
_LONGEST_BODY = 1024 * 1024
_OUTSTANDING = 32
_PACKET = b"$"
_UNKNOWN = {404, 405, 501, 551}
"""How cameras answer a method that they do not have."""


@dataclass(frozen=True, slots=True)
class RtspMessage:
    """A request or an answer.

    Attributes:
        head: All lines, the empty one at the end included.
        body: What follows.
    """

    head: bytes
    body: bytes = b""

    @property
    def words(self) -> list[str]:
        """The first line, in three: method, URI, version; or version, status, phrase."""
        return self.head.split(b"\n", 1)[0].decode("latin-1").strip().split(" ", 2)

    @property
    def status(self) -> int | None:
        """The status; None if it is a request."""
        words = self.words
        return number_in(words[1]) if words[0].startswith("RTSP/") and len(words) > 1 else None

    def headers(self, name: str) -> list[str]:
        """Return the values of all headers called `name`, which is in lower case."""
        lines = [line.partition(":") for line in self.head.decode("latin-1").splitlines()[1:]]
        return [value.strip() for key, _, value in lines if key.strip().lower() == name]

    def header(self, name: str) -> str:
        """Return the first header called `name`; nothing if there is none."""
        return next(iter(self.headers(name)), "")


@dataclass(slots=True)
class _PassedRequest:
    """A request that was passed on.

    Attributes:
        request: As FFmpeg sent it, but for the host.
        nonce: Of the challenge that was answered with it; None if none was.
    """

    request: RtspMessage
    nonce: str | None = None


@dataclass(slots=True)
class _Entry:
    """How we get in: who we are, and what the server asked for last."""

    login: Login
    challenge: Challenge | None = None
    count: int = field(default=0)


class RtspRelay(Pipe):
    """Relays one connection."""

    def __init__(
        self,
        server: socket.socket | TlsConnection,
        place: str = "",
        login: Login | None = None,
    ) -> None:
        """Take the connection to the server, and listen for FFmpeg.

        Args:
            server: Connected.
            place: What the server is called, as `rtsp://HOST:PORT`; nothing leaves URIs alone.
            login: Who we are, if the server wants to know.
        """
        self._place = place
        self._entry = None if login is None else _Entry(login)
        self._clock = WallClock()
        self._asked: OrderedDict[str, _PassedRequest] = OrderedDict()
        self._sending = threading.Lock()
        super().__init__(server)

    def _pass_requests(self, client: socket.socket) -> None:
        with client.makefile("rb") as requests:
            while first := requests.read(1):
                if first == _PACKET:
                    self._send(_packet(requests))
                elif (message := _message(first, requests)) is not None:
                    self._ask(message)
                else:
                    break

    def _pass_answer(self, answers: BufferedReader, client: socket.socket) -> bool:
        """Pass one answer, one request of the server or one packet on; False at the end."""
        first = answers.read(1)
        if first == _PACKET:
            packet = _packet(answers)
            client.sendall(packet)
            return bool(packet)
        if not first.isupper():
            return bool(first)  # some cameras let bytes slip in between packets
        message = _message(first, answers)
        if message is None or not self._may_pass(message):
            return False
        if message.status != UNAUTHORIZED or not self._ask_again(message):
            message = self._by_seconds(self._without_options(message))
            self._note(message)
            # Without its challenge: FFmpeg would try once more, and some cameras lock who does.
            head = re.sub(rb"(?im)^www-authenticate:.*\n", b"", message.head)
            client.sendall(head + message.body)
        return True

    def _without_options(self, answer: RtspMessage) -> RtspMessage:
        """Return an answer; of a camera that knows no OPTIONS one that names none: FFmpeg begins with it."""
        asked = self._asked.get(answer.header("cseq"))
        if asked is None or asked.request.words[0] != "OPTIONS" or answer.status not in _UNKNOWN:
            return answer
        return RtspMessage(f"RTSP/1.0 200 OK\r\nCSeq: {answer.header('cseq')}\r\n\r\n".encode())

    def _by_seconds(self, answer: RtspMessage) -> RtspMessage:
        """Return an answer with seconds where the server says times of the clock on the wall."""
        head, body = self._clock.answered(answer.head), self._clock.described(answer.body)
        if len(body) != len(answer.body):
            length = b"Content-Length: %d" % len(body)
            head = re.sub(rb"(?im)^content-length:[^\r\n]*", length, head)
        return RtspMessage(head, body)

    def _may_pass(self, message: RtspMessage) -> bool:
        """Say whether FFmpeg may hear it: no redirect, and nothing that is no RTSP."""
        status = message.status
        if status is None and not message.words[-1].startswith("RTSP/"):
            return False
        # A camera asks, too: whether we are still there, or to take note of something.
        if message.words[0] == "REDIRECT" or (status is not None and 300 <= status < 400):
            self.trouble = Refused(status or 0, location=message.header("location"))
            return False
        return True

    def _note(self, answer: RtspMessage) -> None:
        """Keep why the server refused, and forget the request."""
        with self._sending:
            asked = self._asked.pop(answer.header("cseq"), None)
        if answer.status is not None and answer.status >= 400 and asked is not None:
            method, phrase = asked.request.words[0], "".join(answer.words[2:])
            self.trouble = Refused(answer.status, method, phrase)

    def _ask(self, request: RtspMessage) -> None:
        """Send what FFmpeg says; with who we are, once the server has asked for that."""
        if request.status is None and self._place:
            ours, theirs = f" rtsp://127.0.0.1:{self.port}".encode(), f" {self._place}".encode()
            request = RtspMessage(request.head.replace(ours, theirs, 1), request.body)
        if request.status is None:
            request = RtspMessage(self._clock.asked(request.head), request.body)
            with self._sending:
                self._asked[request.header("cseq")] = _PassedRequest(request)
                while len(self._asked) > _OUTSTANDING:
                    self._asked.popitem(last=False)
            request = self._signed(request)
        self._send(request.head + request.body)

    def _ask_again(self, answer: RtspMessage) -> bool:
        """Answer a challenge by the same request once more; False if that was in vain before."""
        challenge = strongest(answer.headers("www-authenticate"))
        asked = self._asked.get(answer.header("cseq"))
        if self._entry is None or challenge is None or asked is None:
            return False
        stale = challenge.fields.get("stale", "").lower() == "true"
        if asked.nonce is not None and (not stale or asked.nonce == challenge.nonce):
            return False
        self._entry.challenge, self._entry.count = challenge, 0
        request = self._signed(asked.request)
        self._send(request.head + request.body)
        return True

    def _signed(self, request: RtspMessage) -> RtspMessage:
        entry = self._entry
        if entry is None or entry.challenge is None:
            return request
        entry.count += 1
        method, uri = request.words[:2]
        text = authorize(entry.challenge, entry.login, method, uri, entry.count)
        if (asked := self._asked.get(request.header("cseq"))) is not None:
            asked.nonce = entry.challenge.nonce
        line, rest = request.head.split(b"\n", 1)
        return RtspMessage(line + f"\nAuthorization: {text}\r\n".encode() + rest, request.body)

    def _send(self, data: bytes) -> None:
        with self._sending:  # both threads do
            self._server.sendall(data)


def _packet(source: BufferedReader) -> bytes:
    """Read the rest of a packet; return all of it, nothing at the end."""
    head = source.read(3)
    return _PACKET + head + source.read(int.from_bytes(head[1:], "big")) if len(head) == 3 else b""


def _message(first: bytes, source: BufferedReader) -> RtspMessage | None:
    """Read the rest of a message; None at the end, or if it has none."""
    head = first
    while len(head) < LONGEST_HEAD:
        line = source.readline(LONGEST_HEAD)
        head += line
        if not line:
            return None
        if line in {b"\r\n", b"\n"}:
            length = RtspMessage(head).header("content-length")
            return RtspMessage(head, source.read(min(number_in(length) or 0, _LONGEST_BODY)))
    return None
