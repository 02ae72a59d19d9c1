"""Stands between FFmpeg and an RTSP server, so that a redirect leads nowhere.

FFmpeg follows an RTSP redirect to any address, and has no option not to. So it talks to this
relay, which passes on what both say and hangs up on a redirect.
RTSP: https://www.rfc-editor.org/rfc/rfc2326
"""

import socket
from io import BufferedReader

from stream.pipe import Pipe

LONGEST_HEAD = 64 * 1024
LONGEST_BODY = 1024 * 1024


class RtspRelay(Pipe):
    """Relays one connection."""

    def _pass_answer(self, answers: BufferedReader, client: socket.socket) -> bool:
        """Pass one answer or one packet on; False at the end."""
        first = answers.read(1)
        if first == b"$":
            rest = answers.read(3)
            if len(rest) < 3:
                return False
            client.sendall(first + rest + answers.read(int.from_bytes(rest[1:], "big")))
            return True
        head = self._head(first, answers)
        if head is None:
            return False
        status, length = read_head(head)
        if status is None or 300 <= status < 400:
            self.redirected = status is not None
            return False
        client.sendall(head + answers.read(min(length, LONGEST_BODY)))
        return True

    @staticmethod
    def _head(first: bytes, answers: BufferedReader) -> bytes | None:
        head = first
        while first and len(head) < LONGEST_HEAD:
            line = answers.readline(LONGEST_HEAD)
            head += line
            if line in {b"\r\n", b"\n"}:
                return head
            if not line:
                return None
        return None


def read_head(head: bytes) -> tuple[int | None, int]:
    """Return the status and the length of the body of an RTSP answer.

    The status is None if this is no answer: a server has nothing to ask of us.
    """
    lines = head.decode("latin-1").splitlines()
    parts = lines[0].split()
    if len(parts) < 2 or not parts[0].startswith("RTSP/") or not parts[1].isdigit():
        return None, 0
    length = 0
    for line in lines[1:]:
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-length" and value.strip().isdigit():
            length = int(value)
    return int(parts[1]), length
