"""Clients that ask and do not take the answer: they keep neither a place nor memory."""

import asyncio
import contextlib
import socket
import ssl
from contextlib import asynccontextmanager

import httpx
import pytest
from uvicorn.protocols.utils import ClientDisconnected

from tests.stream.certificates import Certified
from tests.web.conftest import echo_service
from tests.web.test_connections import HANDSHAKE, HEALTH, connected, frame
from web.http.middleware import websocket_connection
from web.http.middleware.untaken import Untaken

STYLE = b"GET /static/style.css HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@asynccontextmanager
async def asking(service, *requests):
    """Ask one after another and read nothing, over a connection with small buffers."""
    host, port = service.address.split(":")
    loop = asyncio.get_running_loop()

    async def ask(silent):
        with contextlib.suppress(ConnectionError):
            for request in requests:
                await loop.sock_sendall(silent, request)

    with socket.socket() as silent:
        silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        silent.setblocking(False)
        await loop.sock_connect(silent, (host, int(port)))
        await service.until(lambda: len(service.connections))
        for connection in service.connections:
            taken = connection.transport.get_extra_info("socket")
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        talking = asyncio.create_task(ask(silent))
        try:
            yield
        finally:
            talking.cancel()
            await asyncio.wait([talking])


async def test_a_stranger_who_takes_no_answer_keeps_no_place():
    async with (
        echo_service(token="secret", limits={"take_seconds": 0.1}) as service,
        asking(service, STYLE * 20),
    ):
        await service.until(lambda: service.connections.rejections.total)
        await service.until(lambda: not len(service.connections))


async def test_who_takes_no_answer_gives_way_to_who_has_a_request():
    async with echo_service(limits={"most": 1}) as service, asking(service, STYLE * 20):
        [silent] = service.connections
        await service.until(lambda: silent.flow.write_paused)
        async with connected(service) as (reader, writer):
            writer.write(HEALTH)
            assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")


async def test_what_waits_behind_a_closed_connection_is_not_waited_for():
    last = b"GET /static/style.css HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    async with echo_service(limits={"take_seconds": 0.1}) as service, asking(service, last):
        await service.until(lambda: not len(service.connections))


async def test_pings_are_not_answered_without_end_to_who_takes_nothing(monkeypatch):
    monkeypatch.setattr(websocket_connection, "_MOST_UNTAKEN", 8 * 1024)
    pings = frame(9, b"x" * 120) * 50
    shake = f"{HANDSHAKE}\r\n".encode()
    async with echo_service() as service, asking(service, shake, *[pings] * 500):
        await service.until(lambda: service.connections.rejections.total)
        await service.until(lambda: not len(service.services.talking))


async def test_an_encrypted_connection_is_let_write(tmp_path, caplog):
    certified = Certified(tmp_path, "service")
    trusting = ssl.create_default_context(cafile=certified.certificate)
    async with (
        echo_service(certificate=certified.both) as service,
        httpx.AsyncClient(verify=trusting, timeout=60) as client,
    ):
        for _ in range(2):
            answer = await client.get(f"https://{service.address}/static/style.css")
            assert answer.is_success
            assert len(answer.content) > 4096
        assert not any(each.flow.write_paused for each in service.connections)
    assert "failed" not in caplog.text


async def test_words_to_a_connection_that_is_closing_are_no_fault_of_ours(service):
    async with service.talk():
        [connection] = service.connections
        await service.until(lambda: connection.handshake_complete)
        connection.close_sent = True
        with pytest.raises(ClientDisconnected):
            await connection.send({"type": "websocket.send", "text": "one more word"})
        connection.close_sent = False


class Slow:
    """A transport whose client takes some of `sizes`, look by look."""

    def __init__(self, sizes):
        self.sizes = list(sizes)
        self.aborted = asyncio.Event()

    def get_write_buffer_size(self):
        return self.sizes.pop(0) if len(self.sizes) > 1 else self.sizes[0]

    def abort(self):
        self.aborted.set()


async def test_a_client_is_waited_for_as_long_as_it_takes_something():
    cut = []
    transport = Slow([500_000, 400_000, 400_000, 300_000, 300_000, 200_000])
    untaken = Untaken(transport, 0.001, lambda: cut.append(len(transport.sizes)))
    untaken.begin()
    async with asyncio.timeout(60):
        await transport.aborted.wait()
    assert cut == [1]
    untaken.end()
