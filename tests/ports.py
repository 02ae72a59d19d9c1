"""Ports of loopback that are kept free for a server: nothing else gets one between its choice and its use."""

import socket
from contextlib import contextmanager


class ReservedPort:
    """A TCP port of 127.0.0.1, until `close`.

    Only servers that set SO_REUSEADDR, as all but the oddest do, can listen there; the system gives
    it to nobody who asks for just any.
    """

    def __init__(self, number=0):
        """Reserve `number`, or one that is free.

        Raises:
            OSError: If it is taken.
        """
        self._held = socket.socket()
        try:
            self._held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._held.bind(("127.0.0.1", number))
        except OSError:
            self._held.close()
            raise
        self.number = self._held.getsockname()[1]

    def close(self):
        self._held.close()


@contextmanager
def reserved_port():
    """Yield the number of a port that is reserved until the end of the block."""
    port = ReservedPort()
    try:
        yield port.number
    finally:
        port.close()
