"""Clients come and go in numbers and in every way; in the end every place is free again."""

import asyncio
import base64
import io
import time

import pytest
from PIL import Image

from memory.embedded.server import EmbeddedRedis
from memory.redis.store import RedisStore
from tests.web.conftest import echo_service
from tests.web.fakes import EchoEngine

ROUNDS = 6
OF_EACH = 4
PAUSE = 0.03


@pytest.fixture
async def service(tmp_path):
    """A service whose memory is a real Redis: its client has ways of its own to be cancelled."""
    async with await EmbeddedRedis.start(tmp_path / "redis", megabytes=16) as server:
        store = RedisStore.connect(server.url, EchoEngine.encoder)
        async with echo_service(store=store) as service:
            yield service
        await store.close()


def picture():
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (10, 200, 10)).save(out, "JPEG")
    url = "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode()
    content = [{"type": "input_image", "image_url": url}]
    return {"type": "message", "role": "user", "content": content}


async def hangs_up(service, number):
    async with service.talk():
        pass


async def vanishes(service, number):
    async with service.talk() as talk:
        talk.connection.transport.abort()


async def vanishes_from_a_stream_that_is_not_there(service, number):
    async with service.talk(f"nowhere{number}") as talk:
        if number % 2:
            await talk.next_of("flashback.absent")
        talk.connection.transport.abort()


async def vanishes_in_the_middle_of_an_answer(service, number):
    async with service.talk() as talk:
        await talk.ask("what is this")
        talk.connection.transport.abort()


async def hangs_up_in_the_middle_of_an_answer(service, number):
    async with service.talk() as talk:
        await talk.ask("what is this")


async def sends_a_picture_and_vanishes(service, number):
    async with service.talk(f"sent{number}") as talk:
        await talk.say({"type": "conversation.item.create", "item": picture()})
        if number % 2:
            await talk.next_of("conversation.item.done")
        talk.connection.transport.abort()


async def leaves_before_the_handshake(service, number):
    host, port = service.address.split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    request = b"GET /v1/realtime?stream=cam HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    upgrade = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    key = b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    writer.write((request, request + upgrade, request + upgrade + key)[number % 3])
    await writer.drain()
    writer.transport.abort()


WAYS = [
    hangs_up,
    vanishes,
    vanishes_from_a_stream_that_is_not_there,
    vanishes_in_the_middle_of_an_answer,
    hangs_up_in_the_middle_of_an_answer,
    sends_a_picture_and_vanishes,
    leaves_before_the_handshake,
]


async def test_every_place_is_free_again_after_many_have_come_and_gone(service):
    await service.remember()
    here = service.services
    for _ in range(ROUNDS):
        # What ends during a pause of the event loop ends in the same breath as what it waits for.
        asyncio.get_running_loop().call_later(PAUSE, time.sleep, PAUSE)
        leaving = [way(service, number) for way in WAYS for number in range(OF_EACH)]
        await asyncio.gather(*leaving)
        await service.until(lambda: not len(here.talking))
    await service.until(lambda: not (len(here.asking) or len(here.feeding)))
    await service.until(lambda: not len(service.connections))
    names = [task.get_coro().__qualname__ for task in asyncio.all_tasks()]
    assert not [name for name in names if name.startswith(("Connection.", "PictureSource."))]
