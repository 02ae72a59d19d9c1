"""The official client of the Model Context Protocol uses the tools of `flashback mcp`, both ways."""

import asyncio
import json
import socket
import sys
from contextlib import asynccontextmanager
from datetime import datetime
from urllib.parse import urlsplit

import pytest
from mcp import Client, StdioServerParameters

from flashback_client import Flashback
from model.vision.things import Thing
from model.vision.vocabulary import word_table
from tests.clients.conftest import program
from tests.waiting import holds
from tests.web.conftest import Server, echo_service
from tests.web.test_tokens import made
from web.errors import Failed
from web.http.middleware.connections import Connections
from web.http.middleware.rejections import Rejections
from web.mcp.http import http_config, run_http
from web.mcp.server import make_server

DOG = word_table().number["dog"]
FLASHBACK = ("-m", "web.cli", "mcp")
ASKED = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
    "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"},
}}).encode()  # fmt: skip
LISTED = (
    b"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:1\r\nContent-Type: application/json\r\n"
    b"Accept: application/json, text/event-stream\r\nContent-Length: %d\r\n\r\n%s"
) % (len(ASKED), ASKED)


@asynccontextmanager
async def assistant(**settings):
    """A client of the tools, in this process, and the service behind them."""
    async with echo_service(**settings) as service:
        await service.remember(clips=6)
        with Flashback(service.url, settings.get("token")) as speaking:
            async with Client(make_server(speaking)) as client:
                yield client, service


async def said(client, tool, **arguments):
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    return result.content


async def test_an_assistant_lists_asks_looks_and_forgets():
    async with assistant(token="secret") as (client, service):
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == {
            "list_streams",
            "ask",
            "what_happened_between",
            "look_at_moment",
            "ask_all_cameras",
            "search_moments",
            "summarize",
            "watch",
            "list_watches",
            "list_events",
            "stop_watching",
            "forget_stream",
        }
        assert tools["forget_stream"].annotations.destructive_hint
        [listed] = await said(client, "list_streams")
        assert listed.text.startswith("cam: ended, 6 moments from 20")
        [answer] = await said(client, "ask", stream="cam", question="What came at 10 seconds?")
        assert answer.text.startswith("What was shown?\n\nLooked at ")
        words, picture = await said(client, "look_at_moment", stream="cam")
        assert words.text.startswith("cam at 20")
        assert (picture.type, picture.mime_type) == ("image", "image/jpeg")
        [gone] = await said(client, "forget_stream", stream="cam")
        assert "forgotten" in gone.text
        assert await service.store.find("cam") is None


async def test_an_assistant_asks_about_a_time_by_the_clock():
    async with assistant() as (client, service):
        began = (await service.store.find("cam")).began
        asked = {"stream": "cam", "start": "at nine"}
        result = await client.call_tool("what_happened_between", asked)
        assert result.is_error
        assert "is not a time: write it in ISO 8601" in result.content[0].text
        start, end = iso(began + 4), iso(began + 9)
        [answer] = await said(client, "what_happened_between", stream="cam", start=start, end=end)
        assert answer.text.startswith("What happened?\n")
        assert (service.engine.asked[-1].since, service.engine.asked[-1].until) == (
            pytest.approx(4, abs=0.01),
            pytest.approx(9, abs=0.01),
        )
        words, _ = await said(client, "look_at_moment", stream="cam", at=iso(began + 9.5))
        assert words.text == f"cam at {iso(began + 8)[:19]}{words.text[-6:]}"


async def test_an_assistant_watches_searches_and_asks_all_cameras():
    async with assistant() as (client, service):
        service.engine.things_of = lambda clip: [Thing(DOG, 0.9)] if clip.start >= 8 else []
        [made] = await said(client, "watch", question="when a dog is at the gate", stream="cam")
        key = made.text.split()[0]
        assert made.text == f"{key} (on) on cam: a dog; not matched: at the gate"
        assert [w.text for w in await said(client, "list_watches")] == [made.text]
        [none] = await said(client, "list_events")
        assert none.text == "No watch has seen anything yet."
        async for clip in service.store.clips("cam"):
            service.services.watcher.seen("cam", clip)
        await service.services.watcher.settle()
        [event] = await said(client, "list_events", watch=key)
        assert f" cam: when a dog is at the gate (goes on; {key})" in event.text
        await said(client, "stop_watching", watch=key)
        [none] = await said(client, "list_watches")
        assert none.text == "There are no watches."
        [found] = await said(client, "search_moments", words="dog")
        assert found.text.startswith("Looked for a dog; 1 found.\ncam: 20")
        [told] = await said(client, "summarize", stream="cam")
        assert told.text.endswith(": a dog")
        [answer] = await said(client, "ask_all_cameras", question="Where was the dog last seen?")
        assert answer.text.startswith("cam: From ")
        assert "\n\ncam (90% sure, seen last 20" in answer.text


def iso(unix):
    return datetime.fromtimestamp(unix).astimezone().isoformat()


async def test_the_tools_may_do_what_the_token_may(tmp_path):
    token = await made(tmp_path / "tokens.json", "guest", ("watch", "ask"), ("door-*",))
    async with echo_service(token_file=tmp_path / "tokens.json") as service:
        await service.remember("cam")
        await service.remember("door-1")
        with Flashback(service.url, token) as speaking:
            async with Client(make_server(speaking)) as client:
                [listed] = await said(client, "list_streams")
                assert listed.text.startswith("door-1: ")
                assert "cam" not in listed.text
                for tool, stream in (("forget_stream", "door-1"), ("look_at_moment", "cam")):
                    result = await client.call_tool(tool, {"stream": stream})
                    assert result.is_error
                    assert "This token" in result.content[0].text


@pytest.mark.parametrize("way", ["stdio", "http"])
async def test_the_command_is_a_server_on_its_standard_streams_and_on_a_port(
    way, tmp_path, unused_tcp_port
):
    (tmp_path / "token").write_text("secret\n")
    async with echo_service(token="secret") as service:
        await service.remember()
        options = [*FLASHBACK, "--server", service.url, "--token-file", str(tmp_path / "token")]
        if way == "stdio":
            server = StdioServerParameters(command=sys.executable, args=options)
            async with Client(server) as client:
                [listed] = await said(client, "list_streams")
        else:
            port = ("--port", str(unused_tcp_port))
            async with program(sys.executable, *options, *port) as process:
                async with asyncio.timeout(60):
                    listed = await over_http(unused_tcp_port, process)
    assert listed.text.startswith("cam: ")


async def over_http(port, process):
    async def listens():
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            assert process.returncode is None
            return False
        writer.close()
        return True

    await holds(listens)
    async with Client(f"http://127.0.0.1:{port}/mcp") as client:
        [listed] = await said(client, "list_streams")
    return listed


@asynccontextmanager
async def tools_over_http(**limits):
    """The tools on a port in this process, behind the service's own bounds: their URL and connections."""
    async with echo_service() as service:
        await service.remember()
        with Flashback(service.url) as speaking, socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            connections = Connections(Rejections(lambda: 0.0), **limits)
            server = Server(http_config(make_server(speaking), connections))
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            await server.taking.wait()
            try:
                yield f"http://127.0.0.1:{listener.getsockname()[1]}/mcp", connections
            finally:
                server.should_exit = True
                await serving


async def test_who_takes_no_answer_of_the_tools_keeps_no_place():
    async with tools_over_http(take_seconds=0.1) as (url, connections):
        with socket.socket() as silent:
            silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            silent.setblocking(False)
            loop, port = asyncio.get_running_loop(), urlsplit(url).port
            await loop.sock_connect(silent, ("127.0.0.1", port))
            await holds(lambda: len(connections))
            [connection] = connections
            connection.transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_SNDBUF, 4096
            )
            await loop.sock_sendall(silent, LISTED * 50)
            await holds(lambda: connections.rejections.total)
            await holds(lambda: not len(connections))
        async with Client(url) as client:
            [listed] = await said(client, "list_streams")
        assert listed.text.startswith("cam: ")


async def test_who_asks_the_tools_for_nothing_keeps_no_place():
    async with tools_over_http(seconds=0.05) as (url, connections):
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
        assert await reader.read() == b""
        writer.close()
        await holds(lambda: not len(connections))


async def test_a_port_of_the_tools_that_is_in_use_is_said():
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(Failed, match=r"in use\. Stop what uses it"),
    ):
        run_http(make_server(None), taken.getsockname()[1])
