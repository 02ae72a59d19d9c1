"""The tools behind the Model Context Protocol, by the official SDK: stdio, or HTTP on loopback.

https://modelcontextprotocol.io/specification
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from mcp.server import MCPServer
from mcp.server.mcpserver import Image
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import Field

from flashback_client import Flashback, FlashbackError
from web.mcp.tools import Tools

_INSTRUCTIONS = (
    "Cameras and other live video that a Flashback service watches and remembers. Ask about anything "
    "a stream has shown, now or hours ago; words of time in a question are understood. Its model is "
    "small: ask short, plain questions, one at a time, and look at a moment where it matters."
)
_READS = ToolAnnotations(read_only_hint=True)
_WATCHES = ToolAnnotations(read_only_hint=False, destructive_hint=False)
_FORGETS = ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=True)

_Name = Annotated[str, Field(description="Name of the stream, as list_streams says it.")]
_SomeName = Annotated[
    str | None, Field(description="Name of a stream, as list_streams says it; none is every one.")
]
_Clock = Annotated[
    str | None,
    Field(
        description="A time in ISO 8601, such as 2026-11-27T14:05:10+01:00; without a zone local."
    ),
]


def make_server(service: Flashback) -> MCPServer:
    """Return the server whose tools use `service`."""
    tools = Tools(service)
    server: MCPServer = MCPServer("flashback", instructions=_INSTRUCTIONS, log_level="WARNING")

    @server.tool(annotations=_READS)
    async def list_streams() -> str:
        """List the streams, how each is doing, and from when to when it is remembered."""
        with _refusals():
            return await tools.list_streams()

    @server.tool(annotations=_READS)
    async def ask(stream: _Name, question: Annotated[str, Field(description="In words.")]) -> str:
        """Ask about anything that a stream has shown: "Who came in the last ten minutes?"."""
        with _refusals():
            return await tools.ask(stream, question)

    @server.tool(annotations=_READS)
    async def what_happened_between(
        stream: _Name,
        start: _Clock = None,
        end: _Clock = None,
        question: Annotated[
            str, Field(description="What to ask about that time.")
        ] = "What happened?",
    ) -> str:
        """Ask what a stream showed from one time to another; without one of them up to its end."""
        with _refusals():
            return await tools.ask(stream, question, start, end)

    @server.tool(annotations=_READS)
    async def look_at_moment(stream: _Name, at: _Clock = None) -> list[str | Image]:
        """Return the picture of a stream at a time; the newest without one."""
        with _refusals():
            told = await tools.look(stream, at)
        return [told.text, Image(data=told.jpeg, format="jpeg")]

    _add_lookback(server, tools)
    _add_watches(server, tools)

    @server.tool(annotations=_FORGETS)
    async def forget_stream(stream: _Name) -> str:
        """End a stream and delete everything it has shown, for good. Ask the user first."""
        with _refusals():
            return await tools.forget(stream)

    return server


def _add_lookback(server: MCPServer, tools: Tools) -> None:
    @server.tool(annotations=_READS)
    async def ask_all_cameras(question: Annotated[str, Field(description="In words.")]) -> str:
        """Ask every camera one question: "Where was the dog last seen?". Slower than asking one."""
        with _refusals():
            return await tools.ask_all(question)

    @server.tool(annotations=_READS)
    async def search_moments(
        words: Annotated[str, Field(description='What a moment shows, such as "red car".')],
        stream: _SomeName = None,
    ) -> str:
        """Find moments by the things that they show, on one stream or all, the surest first."""
        with _refusals():
            return await tools.search(words, stream)

    @server.tool(annotations=_READS)
    async def summarize(stream: _Name, start: _Clock = None, end: _Clock = None) -> str:
        """Say in order what a stream showed from one time to another, by the things in its moments."""
        with _refusals():
            return await tools.summarize(stream, start, end)


def _add_watches(server: MCPServer, tools: Tools) -> None:
    @server.tool(annotations=_WATCHES)
    async def watch(
        question: Annotated[str, Field(description='Such as "Tell me when a person is there".')],
        stream: _SomeName = None,
    ) -> str:
        """Have the service watch for something from now on; list_events says what was seen."""
        with _refusals():
            return await tools.watch(question, stream)

    @server.tool(annotations=_READS)
    async def list_watches() -> str:
        """List what is watched for."""
        with _refusals():
            return await tools.list_watches()

    @server.tool(annotations=_READS)
    async def list_events(
        watch: Annotated[str | None, Field(description="Id of a watch; none is all.")] = None,
    ) -> str:
        """List what watches have seen, the newest first."""
        with _refusals():
            return await tools.list_events(watch)

    @server.tool(annotations=_FORGETS)
    async def stop_watching(
        watch: Annotated[str, Field(description="Id, as list_watches says it.")],
    ) -> str:
        """End a watch; what it told stays."""
        with _refusals():
            return await tools.stop_watching(watch)


@contextmanager
def _refusals() -> Iterator[None]:
    """Tell the assistant why something is refused, in the service's own words.

    Raises:
        ToolError: In place of a refusal.
    """
    try:
        yield
    except FlashbackError as error:
        raise ToolError(str(error)) from None
