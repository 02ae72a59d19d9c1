"""SIGTERM: nobody new is sent here, what runs ends well, and a second signal waits for nothing."""

import asyncio
import signal
import socket
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import websockets

from memory.local_documents import LocalDocuments
from memory.local_store import LocalStore
from tests.stream.fakes import picture
from tests.waiting import holds
from tests.web.conftest import Service
from tests.web.fakes import EchoEngine
from web.access.quotas import Quota
from web.access.tokens import Caller
from web.app import create_app
from web.cli.stopping_server import StoppingServer
from web.composition.building import build_services
from web.errors import Full
from web.http.middleware.connections import Connections
from web.http.middleware.serving import server_config
from web.realtime.connection import RECEIVE_LIMIT
from web.settings import Settings

ANN = Caller("ann")


class Ending(Service):
    """A service and the server that ends it."""

    def __init__(self, url, app, engine, connections, server, serving):
        super().__init__(url, app.state.services, engine, connections)
        self.server, self.serving = server, serving

    async def over(self):
        async with asyncio.timeout(60):
            await self.serving


@asynccontextmanager
async def serving(**settings):
    engine = EchoEngine()
    chosen = Settings(token_file=Path("/nonexistent/tokens.json"), **settings)
    store = LocalStore(engine.encoder)
    app = create_app(chosen, lambda: build_services(chosen, engine, store, LocalDocuments()))
    connections = Connections(app.state.rejections)
    server = StoppingServer(server_config(app, connections, message_limit=RECEIVE_LIMIT), app)
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await app.state.opened.wait()
        yield Ending(url, app, engine, connections, server, task)
    finally:
        server.stop(gently=False)
        await asyncio.wait([task])


async def test_ready_says_no_at_once_and_everything_else_goes_on_as_before():
    async with serving(drain_seconds=3600) as service, service.client() as client:
        await service.remember()
        assert (await client.get("/ready")).status_code == 200
        service.server.stop(gently=True)
        refused = await client.get("/ready")
        assert refused.status_code == 503
        assert "is stopping" in refused.json()["detail"]
        async with service.talk() as talk:
            await talk.ask("still here")
            assert (await talk.until_done())[0] == "still here "
        assert not service.serving.done()


async def test_an_answer_that_is_being_written_ends_and_no_other_is_begun():
    async with serving(finish_seconds=3600) as service, service.client() as client:
        await service.remember()
        service.engine.gate.clear()
        async with service.talk() as talk, service.talk() as late:
            await talk.ask("one two three")
            await talk.next_of("response.output_text.delta")
            service.server.stop(gently=True)
            await holds(lambda: service.services.asking._closed)
            await late.ask("and me")
            assert (await late.next_of("error"))["error"]["message"].startswith("The service is st")
            asked = {"model": "echo@cam", "messages": [{"role": "user", "content": "and me"}]}
            assert (await client.post("/v1/chat/completions", json=asked)).status_code == 503
            with pytest.raises(websockets.InvalidStatus):
                async with service.talk():
                    pass
            service.engine.gate.set()
            text, response = await talk.until_done()
            assert (text, response["status"]) == ("two three ", "completed")
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await talk.next_of("never")
            assert closed.value.rcvd.code == 1012
        await service.over()


async def test_an_answer_that_takes_too_long_is_cut():
    async with serving(finish_seconds=0) as service:
        await service.remember()
        service.engine.gate.clear()
        async with service.talk() as talk:
            await talk.ask("one two")
            await talk.next_of("response.output_text.delta")
            service.server.stop(gently=True)
            with pytest.raises(websockets.ConnectionClosed):
                await talk.next_of("response.done")
        await service.over()


async def test_a_stream_is_closed_with_the_clip_that_was_begun_written():
    async with serving() as service:
        live = await service.services.registry.open("cam")
        feed = live.open_feed("webrtc")
        slot = feed.offer(0.0)
        feed.push(slot, picture())
        service.server.stop(gently=True)
        await service.over()
        assert feed.closed
        assert len(await service.store.moments("cam")) == 1


@pytest.mark.parametrize("settings", [{"drain_seconds": 3600}, {"finish_seconds": 3600}])
async def test_a_second_signal_waits_for_nothing(settings):
    async with serving(**settings) as service:
        await service.remember()
        service.engine.gate.clear()
        async with service.talk() as talk:
            await talk.ask("one two")
            await talk.next_of("response.output_text.delta")
            service.server.stop(gently=True)
            service.server.stop(gently=True)
            await service.over()


async def test_who_stops_it_by_hand_does_not_wait_for_answers():
    async with serving(drain_seconds=3600, finish_seconds=3600) as service:
        await service.remember()
        service.engine.gate.clear()
        async with service.talk() as talk:
            await talk.ask("one two")
            await talk.next_of("response.output_text.delta")
            service.server.stop(gently=False)
            await service.over()


class Told(StoppingServer):
    """Notes how it was told to stop."""

    def stop(self, *, gently):
        self.gently = gently


@pytest.mark.parametrize(("number", "gently"), [(signal.SIGTERM, True), (signal.SIGINT, False)])
def test_kill_is_gentle_and_ctrl_c_is_not(number, gently):
    app = create_app(Settings())
    server = Told(
        server_config(app, Connections(app.state.rejections), message_limit=RECEIVE_LIMIT), app
    )
    server.handle_exit(number, None)
    assert server.gently is gently


async def test_places_that_are_given_no_more_are_refused_in_words_and_emptied():
    places = Quota("questions", total=3, each=3)
    await places.wait_empty()
    first, second = places.acquire(1, ANN), places.acquire(2, ANN)
    places.close("The service is stopping.")
    with pytest.raises(Full, match="stopping"):
        places.acquire(3, ANN)
    waiting = asyncio.create_task(places.wait_empty())
    first.release()
    await asyncio.sleep(0)
    assert not waiting.done()
    second.release()
    second.release()
    await waiting
