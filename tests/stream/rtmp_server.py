"""An RTMP server on loopback that plays what a test gives it (RTMP 1.0, Adobe, December 2012)."""

import socket
import struct
import threading
from contextlib import contextmanager, suppress

HANDSHAKE = 1536
CHUNK = 60_000
SET_CHUNK_SIZE, WINDOW, COMMAND = 1, 5, 20
HEADS = {0: 11, 1: 7, 2: 3, 3: 0}


class Stage:
    """Plays FLV tags to each who comes, and hangs up.

    Args:
        acts: What each in turn is played, parts of FLV files; the last is played to all others.
        waits: Is called between two parts.
    """

    def __init__(self, *acts, waits=lambda: None):
        self.acts, self.waits, self.asked = list(acts), waits, []

    @contextmanager
    def serve(self):
        """Serve on loopback and give the URL."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listening = threading.Thread(target=self._listen, args=(listener,))
            listening.start()
            try:
                yield f"rtmp://127.0.0.1:{listener.getsockname()[1]}/live/cam"
            finally:
                listener.shutdown(socket.SHUT_RDWR)
                listening.join()

    def _listen(self, listener):
        with suppress(OSError):
            while True:
                peer, _ = listener.accept()
                with peer, peer.makefile("rb") as words, suppress(OSError, EOFError, ValueError):
                    peer.settimeout(60)
                    self._play(peer, words)

    def _play(self, peer, words):
        words.read(1 + HANDSHAKE)
        peer.sendall(b"\3" + bytes(2 * HANDSHAKE))
        words.read(HANDSHAKE)
        peer.sendall(message(WINDOW, struct.pack(">I", 2_500_000)))
        peer.sendall(message(SET_CHUNK_SIZE, struct.pack(">I", CHUNK)))
        for name, number in commands(words):
            self.asked.append(name)
            if name == "connect":
                peer.sendall(
                    command("_result", number, {}, {"code": "NetConnection.Connect.Success"})
                )
            elif name == "createStream":
                peer.sendall(command("_result", number, None, 1.0))
            elif name == "play":
                peer.sendall(command("onStatus", 0.0, None, {"code": "NetStream.Play.Start"}))
                break
        for part in self.acts.pop(0) if len(self.acts) > 1 else self.acts[0]:
            for kind, stamp, data in tags(part):
                peer.sendall(message(kind, data, stamp, stream=1))
            self.waits()
        peer.shutdown(socket.SHUT_WR)
        while words.read(CHUNK):  # closed with words unread, what was sent could be lost
            pass


def tags(film):
    """Yield the kind, the milliseconds and the data of each tag of an FLV."""
    at = 13
    while at < len(film):
        size = int.from_bytes(film[at + 1 : at + 4], "big")
        stamp = int.from_bytes(film[at + 7 : at + 8] + film[at + 4 : at + 7], "big")
        yield film[at], stamp, film[at + 11 : at + 11 + size]
        at += 11 + size + 4


def message(kind, data, stamp=0, stream=0):
    head = struct.pack(">I", stamp)[1:] + struct.pack(">I", len(data))[1:] + bytes([kind])
    return b"\x03" + head + struct.pack("<I", stream) + data


def command(name, number, *values):
    return message(COMMAND, b"".join(map(amf, (name, number, *values))))


def amf(value):
    match value:
        case str():
            return b"\2" + struct.pack(">H", len(value)) + value.encode()
        case float():
            return b"\0" + struct.pack(">d", value)
        case dict():
            fields = b"".join(amf(name)[1:] + amf(one) for name, one in value.items())
            return b"\3" + fields + b"\0\0\x09"
        case _:
            return b"\5"


def commands(words):
    """Yield the name and the number of each command that a client sends."""
    size, known = 128, {}
    while True:
        first = words.read(1)[0]
        head = words.read(HEADS[first >> 6])
        length, kind, data = known.get(first & 63, (0, 0, b""))
        if len(head) >= 7:
            length, kind, data = int.from_bytes(head[3:6], "big"), head[6], b""
        data += words.read(min(size, length - len(data)))
        known[first & 63] = length, kind, data
        if len(data) < length:
            continue
        known[first & 63] = length, kind, b""
        if kind == SET_CHUNK_SIZE:
            size = int.from_bytes(data, "big")
        elif kind == COMMAND:
            end = 3 + int.from_bytes(data[1:3], "big")
            yield data[3:end].decode(), struct.unpack(">d", data[end + 1 : end + 9])[0]
