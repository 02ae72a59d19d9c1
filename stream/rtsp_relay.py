"""Stands between FFmpeg and an RTSP server, so that a redirect leads nowhere.

FFmpeg follows an RTSP redirect to any address, and has no option not to. So it talks to this
relay on loopback, which has dialled the address that was checked, passes on what both say, and
hangs up on a redirect. It also speaks TLS for `rtsps`. RTSP: https://www.rfc-editor.org/rfc/rfc2326
"""

import contextlib
import socket
import ssl
import threading
from typing import BinaryIO

LONGEST_HEAD = 64 * 1024
LONGEST_BODY = 1024 * 1024
CHUNK = 64 * 1024
ACCEPT_WITHIN = 10.0


class RtspRelay:
    """Relays one connection. `port` on loopback takes it.

    Attributes:
        port: For FFmpeg to connect to.
        redirected: Whether the server tried to send us elsewhere.
    """

    def __init__(
        self, address: str, port: int, *, timeout: float, tls: ssl.SSLContext | None, host: str
    ) -> None:
        """Connect to the server and listen for FFmpeg.

        Args:
            address: That was checked.
            port: Of the server.
            timeout: Seconds to reach the server.
            tls: For `rtsps`.
            host: The server's name, for its certificate.

        Raises:
            OSError: If the server cannot be reached.
        """
        self.redirected = False
        self._server: socket.socket = socket.create_connection((address, port), timeout)
        if tls is not None:
            self._server = tls.wrap_socket(self._server, server_hostname=host)
        # From here on it is FFmpeg, on the other side, whose patience counts.
        self._server.settimeout(None)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1)
        self._listener.settimeout(ACCEPT_WITHIN)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def close(self) -> None:
        """Hang up on both sides."""
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads from it
        self._listener.close()

    def _run(self) -> None:
        with self._listener, self._server, contextlib.suppress(OSError):
            client, _ = self._listener.accept()
            with client:
                # Only FFmpeg is meant to come.
                self._listener.close()
                threading.Thread(target=self._pass_requests, args=(client,), daemon=True).start()
                with self._server.makefile("rb") as answers:
                    while self._pass_answer(answers, client):
                        pass
                client.shutdown(socket.SHUT_RDWR)

    def _pass_requests(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(CHUNK):
                self._server.sendall(data)
            self._server.shutdown(socket.SHUT_RDWR)

    def _pass_answer(self, answers: BinaryIO, client: socket.socket) -> bool:
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
    def _head(first: bytes, answers: BinaryIO) -> bytes | None:
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
