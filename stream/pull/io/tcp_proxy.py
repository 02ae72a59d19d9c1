"""Stands between FFmpeg and a server, on loopback, so that what FFmpeg dials is ours to decide.

The server was dialled, and its certificate checked, before FFmpeg comes: FFmpeg by itself trusts
every certificate.
"""

import contextlib
import socket
import threading
from io import BufferedReader

from stream.pull.io.tls import TlsConnection

_CHUNK = 64 * 1024
_ACCEPT_WITHIN = 10.0


class Pipe:
    """Passes on one connection, both ways. `port` on loopback takes it.

    Attributes:
        port: For FFmpeg to connect to.
        trouble: What went wrong that FFmpeg has no words for; None if nothing did.
    """

    def __init__(self, server: socket.socket | TlsConnection) -> None:
        """Take the connection to the server, and listen for FFmpeg."""
        self.trouble: Exception | None = None
        self._server = server
        # From here on it is FFmpeg, on the other side, whose patience counts.
        self._server.settimeout(None)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1)
        self._listener.settimeout(_ACCEPT_WITHIN)
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
                threading.Thread(
                    target=self._pass_all_requests, args=(client,), daemon=True
                ).start()
                try:
                    with self._server.makefile("rb") as answers:
                        while self._pass_answer(answers, client):
                            pass
                finally:
                    # Whatever ended it: to close alone would not wake the other thread, and FFmpeg
                    # would wait for a server that has long broken off.
                    client.shutdown(socket.SHUT_RDWR)

    def _pass_all_requests(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            try:
                self._pass_requests(client)
            finally:
                self._server.shutdown(socket.SHUT_RDWR)

    def _pass_requests(self, client: socket.socket) -> None:
        """Pass on what FFmpeg says, until it hangs up."""
        while data := client.recv(_CHUNK):
            self._server.sendall(data)

    def _pass_answer(self, answers: BufferedReader, client: socket.socket) -> bool:
        """Pass on some of what the server says; False at the end."""
        data = answers.read1(_CHUNK)
        client.sendall(data)
        return bool(data)
