"""What comes over connections is parsed in bites, so that nobody waits for what others send."""

import asyncio
import contextlib
import gc
import ssl

import pytest

from tests.stream.certificates import Certified
from tests.waiting import holds
from tests.web.conftest import echo_service
from tests.web.test_connections import HANDSHAKE, HEALTH, connected, frame
from tests.web.test_slow_readers import STYLE, asking
from web.cli.server import spare_what_is_loaded
from web.http.middleware import websocket_connection
from web.http.middleware.bites import BITES_PER_TURN, LONG_BITE, Bites, take_bite
from web.realtime import connection as realtime

CHUNKED = (
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)


async def test_a_turn_takes_so_many_bites_and_everyone_has_one_before_anyone_has_two():
    hungry, eaten = Bites(), []
    first = [lambda each=each: eaten.append(each) for each in range(100)]
    for bite in first:
        hungry.add(bite)
    hungry.add(first[-1])
    before = 0
    while len(hungry) or len(eaten) < 100:
        await asyncio.sleep(0)
        assert len(eaten) - before <= BITES_PER_TURN
        before = len(eaten)
    assert eaten == list(range(100))


async def test_a_bite_that_fails_and_one_that_is_taken_back_keep_no_other_from_its_own():
    hungry, eaten, failed = Bites(), [], []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failed.append(context))
    away = lambda: eaten.append("away")  # noqa: E731 - it is taken back by its identity
    for bite in ({}.popitem, away, lambda: eaten.append("last")):
        hungry.add(bite)
    hungry.remove(away)
    await holds(lambda: eaten)
    assert eaten == ["last"]
    assert len(failed) == 1


def test_many_short_lines_are_taken_in_short_bites_and_long_ones_at_once():
    chunks, picture = bytearray(b"1\r\nx\r\n" * 1000), bytearray(LONG_BITE + 5)
    assert len(take_bite(chunks)) + len(chunks) == 6000
    assert len(chunks) > 3000
    assert len(take_bite(picture)) == LONG_BITE
    assert take_bite(picture) == bytes(5)
    assert not picture


async def test_a_body_in_tiny_chunks_is_parsed_in_bites_and_arrives_whole(service):
    async with connected(service) as (reader, writer):
        [connection] = service.connections
        sizes, receive = [], connection.conn.receive_data
        connection.conn.receive_data = lambda data: (sizes.append(len(data)), receive(data))
        body = (
            b'{"model": "echo@nothing", "messages": [{"role": "user", "content": "hi"}]}'
            + b" " * 9000
        )
        writer.write(CHUNKED + b"".join(b"1\r\n%c\r\n" % each for each in body) + b"0\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 404 ")
    assert max(sizes) < 4096


async def test_headers_without_end_are_refused():
    async with echo_service() as service, connected(service) as (reader, writer):
        writer.write(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"a:\r\n" * 15_000 + b"\r\n")
        with contextlib.suppress(ConnectionResetError):  # it was still sending
            assert (await reader.readline()).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("encrypted", [False, True])
async def test_requests_sent_at_once_are_answered_one_after_another(tmp_path, encrypted):
    certified = Certified(tmp_path, "service")
    trusting = ssl.create_default_context(cafile=certified.certificate) if encrypted else None
    async with echo_service(certificate=certified.both if encrypted else None) as service:
        host, port = service.address.split(":")
        reader, writer = await asyncio.open_connection(host, int(port), ssl=trusting)
        writer.write(HEALTH * 40)
        for _ in range(40):
            assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
            await reader.readexactly(int(length))
        writer.close()
        await writer.wait_closed()


async def test_what_is_sent_while_no_answer_is_taken_is_not_read():
    async with echo_service() as service, asking(service, STYLE * 4000):
        [connection] = service.connections
        await service.until(lambda: connection.flow.write_paused)
        assert len(connection._arrived) <= LONG_BITE + 256 * 1024
        assert not connection.transport.is_reading()


async def test_a_request_that_came_before_the_end_is_begun(service):
    async with connected(service) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: elsewhere.example\r\nConnection: close\r\n\r\n")
        writer.write_eof()
        await reader.read()
    await service.until(lambda: not len(service.connections))
    assert not len(service.connections.bites)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (CHUNKED.replace(b"127.0.0.1", b"elsewhere.example"), 403),
        (b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", 200),
    ],
)
async def test_nonsense_behind_an_answered_request_writes_no_traceback(
    service, caplog, head, status
):
    async with connected(service) as (reader, writer):
        writer.write(head)
        answer = await reader.readline()
        with contextlib.suppress(ConnectionError):
            for _ in range(3):
                writer.write(b"\x01 nonsense\r\n\r\n")
                await writer.drain()
            await reader.read()
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    await service.until(lambda: not len(service.connections))
    assert not [record for record in caplog.records if record.exc_info]


async def test_of_many_messages_one_is_done_in_a_turn(service, monkeypatch):
    turns, at, parse = [0], [], realtime.parse

    async def count():
        while True:
            turns[0] += 1
            await asyncio.sleep(0)

    def noting(text):
        at.append(turns[0])
        return parse(text)

    monkeypatch.setattr(realtime, "parse", noting)
    counting = asyncio.create_task(count())
    async with connected(service) as (reader, writer):
        writer.write(f"{HANDSHAKE}\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        for _ in range(4):
            writer.write(frame(1, b'{"type": "x"}'.ljust(100)) * 60)
        for _ in range(240):
            await reader.readuntil(b"unknown_event")
    counting.cancel()
    assert len(set(at)) == len(at) == 240


async def test_a_message_of_many_bites_arrives_whole(service, monkeypatch):
    monkeypatch.setattr(websocket_connection, "LONG_BITE", 16 * 1024)
    async with service.talk() as talk:
        words = "word " * 40_000
        item = {
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": words}],
        }
        await talk.say({"type": "conversation.item.create", "item": item})
        assert "content" in (await talk.refusal())["message"]
        await talk.add("still here")


def test_what_is_loaded_is_left_out_of_collections():
    loaded = [[], {}]
    try:
        spare_what_is_loaded()
        assert not any(each is loaded for each in gc.get_objects())
    finally:
        gc.unfreeze()
