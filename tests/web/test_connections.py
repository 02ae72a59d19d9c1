"""Strangers: connections of whom nobody has shown a token, and what they may cost."""

import asyncio
import errno
import json
import logging
import resource
import struct
import zlib
from contextlib import asynccontextmanager

import pytest

from tests.web.conftest import echo_service
from web.cli.server import most_connections, raise_file_limit, tell_once
from web.http.middleware.rejections import PAUSE_SECONDS, Rejections, ServerComplaints

HANDSHAKE = (
    "GET /v1/realtime?stream=cam HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate\r\n"
HEALTH = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@asynccontextmanager
async def connected(service):
    host, port = service.address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield reader, writer
    finally:
        writer.close()


def frame(opcode, data=b"", *, rsv1=False, fin=True):
    """Return a masked frame; the mask is zero."""
    first = opcode | (0x80 if fin else 0) | (0x40 if rsv1 else 0)
    size = len(data)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + struct.pack(">H", size)
    return bytes([first]) + length + b"\0\0\0\0" + data


async def test_a_request_that_does_not_come_is_not_waited_for():
    async with echo_service(limits={"seconds": 0.05}) as service:
        async with connected(service) as (reader, _):
            assert await reader.read() == b""
        async with connected(service) as (reader, writer):
            writer.write(b"GET / HTTP/1.1\r\nHost:")
            answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"did not arrive within 0.05 seconds" in answer


async def test_a_second_request_that_comes_in_drops_is_not_waited_for_either():
    async with (
        echo_service(limits={"seconds": 0.05}) as service,
        connected(service) as (reader, writer),
    ):
        writer.write(HEALTH)
        await reader.readuntil(b"}")
        writer.write(b"G")
        assert (await reader.read()).startswith(b"HTTP/1.1 408 ")


async def test_who_sits_there_without_a_request_gives_way_to_who_has_one():
    async with (
        echo_service(limits={"most": 3}) as service,
        connected(service) as (oldest, _),
        connected(service),
        connected(service),
        connected(service) as (reader, writer),
    ):
        writer.write(HEALTH)
        assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        assert await oldest.read() == b""


async def test_a_connection_too_many_is_refused_in_words_and_takes_nothing_from_those_at_work():
    async with echo_service(limits={"most": 1}) as service, service.talk() as talk:
        async with connected(service) as (reader, _):
            answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"Too many connections" in answer
        await talk.add("still here")


async def test_the_place_of_a_connection_is_free_again_once_it_is_gone():
    async with echo_service(limits={"most": 1}) as service:
        for _ in range(5):
            async with service.talk() as talk:
                await talk.add("here")
            await service.until(lambda: not len(service.connections))


async def test_nothing_is_unpacked(service):
    """A compressed message of 16 KB may hold 16 MB; so compression is not agreed to."""
    async with connected(service) as (reader, writer):
        writer.write(f"{HANDSHAKE}{DEFLATE}\r\n".encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 101 ")
        assert b"permessage-deflate" not in answer
        packer = zlib.compressobj(wbits=-15)
        bomb = packer.compress(bytes(1_000_000)) + packer.flush(zlib.Z_SYNC_FLUSH)
        writer.write(frame(1, bomb[:-4], rsv1=True))
        closed = await reader.read()
        assert struct.pack(">H", 1002) in closed[-60:]


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ("Origin: http://[\r\n", 403),
        ("Origin: \xff\r\n", 403),
        ("Host: [\r\n", 400),
        ("X: y\r\n" * 200, 431),
        (f"X: {'y' * 9000}\r\n", 431),
        ("Sec-WebSocket-Protocol: ,;\r\n", 400),
        (f"{DEFLATE}\r\n".replace("deflate", "deflate;;x="), 401),
        ("", 401),
    ],
)
async def test_no_handshake_of_a_stranger_writes_more_than_a_line(caplog, more, status):
    async with echo_service(token="secret") as service, connected(service) as (reader, writer):
        writer.write(f"{HANDSHAKE}{more}\r\n".encode("latin-1") + frame(1, b"x", rsv1=True))
        answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 %d " % status), answer
    assert not [r for r in caplog.records if r.exc_info]


@pytest.mark.parametrize("what", ["pings", "fragments", "messages"])
async def test_a_flood_of_small_frames_ends_the_connection_in_words(service, what):
    small = {"pings": frame(9), "fragments": frame(0, fin=False), "messages": frame(1, b"x")}[what]
    async with connected(service) as (reader, writer):
        writer.write(f"{HANDSHAKE}\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        writer.write(frame(1, b"x", fin=False) if what == "fragments" else b"")
        writer.write(small * 1000)
        assert (await reader.read()).endswith(b"too many frames")
    await service.until(lambda: len(service.services.talking) == 0)


async def test_a_client_whose_answer_to_a_ping_lies_unread_is_not_given_up(service):
    async with service.talk() as talk:
        [connection] = service.connections
        await service.until(lambda: connection.handshake_complete)
        connection.read_paused = True
        connection.keepalive_timeout()
        connection.read_paused = False
        connection.stop_keepalive()
        await talk.add("still here")
        connection.keepalive_timeout()
        await talk.connection.wait_closed()
        assert talk.connection.close_code == 1011


def test_what_strangers_do_is_told_once_a_minute_and_counted(caplog):
    now = [0.0]
    rejections = Rejections(lambda: now[0])
    for _ in range(1000):
        rejections.add("not HTTP")
    assert [r.getMessage() for r in caplog.records] == ["refused: not HTTP (1)"]
    now[0] = PAUSE_SECONDS
    rejections.add("not HTTP")
    assert caplog.records[-1].getMessage() == "refused: not HTTP (1000)"
    assert rejections.total == 1001


def test_complaints_of_the_server_about_clients_are_counted_the_others_logged():
    rejections = Rejections(lambda: 0.0)
    complaints = ServerComplaints(rejections)

    def record(message):
        return logging.LogRecord("uvicorn.error", logging.WARNING, "", 0, message, None, None)

    assert not complaints.filter(record("Invalid HTTP request received."))
    assert complaints.filter(record("Exception in ASGI application\n"))
    assert rejections.total == 1


async def test_a_want_of_files_is_told_once_and_other_errors_each(caplog):
    rejections, loop = Rejections(lambda: 0.0), asyncio.get_running_loop()
    for _ in range(100):
        context = {"message": "accept failed", "exception": OSError(errno.EMFILE, "too many")}
        tell_once(rejections, loop, context)
    assert [r.getMessage().partition(":")[0] for r in caplog.records] == ["refused"]
    tell_once(rejections, loop, {"message": "another error"})
    assert caplog.records[-1].getMessage().startswith("another error")


def test_this_process_may_open_as_many_files_as_the_system_allows():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(1000, before[0]), before[1]))
    try:
        files = raise_file_limit()
        assert files == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        assert files > 1000 or files == before[1]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_connections_leave_files_for_all_else():
    assert most_connections(64, 16_384) == 512
    assert most_connections(1000, 16_384) == 2000
    assert most_connections(64, 256) == 128


ASKED = [
    {
        "type": "conversation.item.create",
        "item": {
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": "Who is there?"}],
        },
    },
    {"type": "response.create"},
]
STEPS = [HANDSHAKE.encode(), b"\r\n", *(frame(1, json.dumps(event).encode()) for event in ASKED)]


@pytest.mark.parametrize("heard", [True, False], ids=["heard", "unheard"])
async def test_whoever_leaves_a_stream_that_is_not_there_at_any_step_gives_the_place_back(heard):
    async with echo_service() as service:
        for last in [*range(1, len(STEPS)), None]:
            for half in (False, True):
                async with connected(service) as (reader, writer):
                    writer.write(b"".join(STEPS[:last]).replace(b"stream=cam", b"stream=nowhere"))
                    if heard and last != 1:
                        await reader.readuntil(b"session.created")
                    if half:
                        writer.write(frame(1, b"never whole")[:5])
                        await writer.drain()
                    writer.transport.abort()
        await service.until(lambda: not len(service.services.talking))
        await service.until(lambda: not len(service.connections))
