"""A Redis that refuses one command, wherever that comes: in a round trip of several, in a transaction."""

import asyncio
import contextlib

from tests.memory.loopback import LoopbackRedis

_RECORD = b"%4\r\n+version\r\n+2\r\n+began\r\n+5\r\n+generation\r\n+0\r\n+bytes\r\n+0\r\n"
_REPLIES = {
    "HELLO": b"%1\r\n+proto\r\n:3\r\n",
    "INFO": b"$2\r\n\r\n\r\n",
    "HGETALL": _RECORD,
    "EXISTS": b":0\r\n",
    "GET": b"_\r\n",
    "ZRANGE": b"*0\r\n",
    "ZRANGEBYSCORE": b"*0\r\n",
}


class RefusingRedis(LoopbackRedis):
    """Has one stream without clips, and takes every change of it.

    Attributes:
        refused: The command that is refused; None for none.
        words: How.
        connections: That were opened so far.
    """

    def __init__(self, refused, words):
        super().__init__()
        self.refused = refused
        self.words = words
        self.connections = 0

    async def serve(self, reader, writer):
        self.connections += 1
        queued = None  # replies of a transaction; none outside of one
        try:
            while command := await _read(reader):
                if command == self.refused:
                    writer.write(f"-{self.words}\r\n".encode())
                    queued = [] if command == "EXEC" else queued
                elif command == "MULTI":
                    queued = []
                    writer.write(b"+OK\r\n")
                elif command == "EXEC":
                    aborted = b"-EXECABORT Transaction discarded because of previous errors.\r\n"
                    whole = b"*%d\r\n" % len(queued) + b"".join(queued)
                    writer.write(aborted if self.refused is not None else whole)
                    queued = None
                elif queued is not None:
                    queued.append(b":1\r\n")
                    writer.write(b"+QUEUED\r\n")
                else:
                    writer.write(_REPLIES.get(command, b"+OK\r\n"))
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def _read(reader):
    """Return the name of the next command; None at the end."""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        if not (count := (await reader.readline())[1:]):
            return None
        parts = []
        for _ in range(int(count)):
            size = int((await reader.readline())[1:])
            parts.append((await reader.readexactly(size + 2))[:-2])
        return parts[0].decode().upper()
    return None
