"""A running service on loopback, with a small engine and a store in this process."""

import asyncio
import json
import socket
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import torch
import uvicorn

from memory.local_documents import LocalDocuments
from memory.local_store import LocalStore
from model.types import ClipTokens
from stream.webrtc.whip_client import Player
from tests.stream.videos import write_video
from tests.waiting import holds
from tests.web.fakes import EchoEngine
from tests.websocket import connect
from web.app import create_app
from web.composition.building import build_services
from web.http.middleware.connections import Connections
from web.http.middleware.serving import server_config
from web.realtime.connection import RECEIVE_LIMIT
from web.services import CLOCKS
from web.settings import Settings


class Service:
    """A service under test and what is behind it."""

    def __init__(self, url, services, engine, connections):
        self.url = url
        self.services = services
        self.engine = engine
        self.store = services.store
        self.connections = connections

    @property
    def address(self):
        return self.url.removeprefix("http://")

    async def until(self, condition):
        """Wait until something holds that has no event to wait for."""
        await holds(condition)

    async def all_free(self):
        """Wait until nobody feeds or watches anything and every place is free."""
        here = self.services
        await self.until(lambda: not (len(here.feeding) or here.registry.fed or len(here.senders)))
        await self.until(lambda: not (len(here.viewing) or len(here.viewers)))

    def client(self, **options):
        # How quick an answer is depends on the machine; every test has a limit of its own.
        return httpx.AsyncClient(base_url=self.url, timeout=None, **options)

    @asynccontextmanager
    async def talk(self, stream="cam", **options):
        address = f"ws://{self.address}/v1/realtime?stream={stream}"
        async with connect(address, **options) as connection:
            talk = Talk(connection)
            await talk.hear("session.created")
            yield talk

    async def remember(self, stream="cam", clips=1):
        await remember(self.store, stream, clips)


async def remember(store, stream="cam", clips=1):
    """Put so many clips of `stream` into `store`."""
    await store.begin(stream, CLOCKS.wall())
    for place in range(clips):
        tokens = ClipTokens(
            values=torch.full((1, 3), 0.5, dtype=torch.float16),
            start=4.0 * place,
            end=4.0 * place + 3,
        )
        await store.append(stream, tokens, b"jpeg of %d" % place)


class Talk:
    """One client's side of the WebSocket."""

    def __init__(self, connection):
        self.connection = connection

    async def say(self, event):
        await self.connection.send(json.dumps(event))

    async def next(self):
        return json.loads(await self.connection.recv())

    async def hear(self, kind):
        """Return the next event of this kind; news, and the frame of an answer, may come in between."""
        while (event := await self.next())["type"] != kind:
            answers = event.get("item", {}).get("role") == "assistant"
            frame = answers or event["type"].startswith(("flashback.", "response.content_part."))
            assert frame, f"{event} instead of {kind}"
        return event

    async def next_of(self, kind):
        """Return the next event of this kind, whatever comes before it."""
        while (event := await self.next())["type"] != kind:
            pass
        return event

    async def refusal(self):
        return (await self.hear("error"))["error"]

    async def add(self, text):
        content = [{"type": "input_text", "text": text}]
        item = {"type": "message", "role": "user", "content": content}
        await self.say({"type": "conversation.item.create", "item": item})
        await self.hear("conversation.item.added")
        return await self.hear("conversation.item.done")

    async def ask(self, text):
        await self.add(text)
        await self.say({"type": "response.create"})
        return await self.hear("response.created")

    async def until_done(self):
        """Return the text that came in pieces, and the response at its end."""
        text = ""
        while (event := await self.next())["type"] != "response.done":
            if event["type"] == "response.output_text.delta":
                text += event["delta"]
        return text, event["response"]


class Server(uvicorn.Server):
    """One that says when it takes connections."""

    def __init__(self, config):
        super().__init__(config)
        self.taking = asyncio.Event()

    async def startup(self, sockets=None):
        await super().startup(sockets)
        self.taking.set()


@asynccontextmanager
async def hosting(app, connections, certificate=None):
    """Run `app` on a free port of loopback; yield its URL. A certificate, with its key, encrypts."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = server_config(app, connections, message_limit=RECEIVE_LIMIT)
    config.ssl_certfile = certificate
    server = Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        async with asyncio.timeout(60):
            await server.taking.wait()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def echo_service(
    clocks=CLOCKS,
    limits=None,
    store=None,
    certificate=None,
    documents=None,
    engine=None,
    **settings,
):
    engine = engine or EchoEngine()
    store = store or LocalStore(engine.encoder, exact=engine.exact_columns)
    # Not the tokens of whoever runs the tests.
    chosen = Settings.from_env({}, **{"token_file": Path("/nonexistent/tokens.json")} | settings)
    documents = documents or LocalDocuments()
    app = create_app(
        chosen, lambda: build_services(chosen, engine, store, documents, clocks), clocks=clocks
    )
    connections = Connections(app.state.rejections, **limits or {})
    async with hosting(app, connections, certificate) as url:
        await app.state.opened.wait()
        yield Service(url, app.state.services, engine, connections)


@pytest.fixture(scope="session")
def film(tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("films") / "film.mp4", seconds=3)


@pytest.fixture
async def player(film):
    async with Player(film) as player:
        yield player


@pytest.fixture
async def service():
    async with echo_service() as running:
        yield running
