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
_FORGETS = ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=True)

Name = Annotated[str, Field(description="Name of the stream, as list_streams says it.")]
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
    async def ask(stream: Name, question: Annotated[str, Field(description="In words.")]) -> str:
        """Ask about anything that a stream has shown: "Who came in the last ten minutes?"."""
        with _refusals():
            return await tools.ask(stream, question)

    @server.tool(annotations=_READS)
    async def what_happened_between(
        stream: Name,
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
    async def look_at_moment(stream: Name, at: _Clock = None) -> list[str | Image]:
        """Return the picture of a stream at a time; the newest without one."""
        with _refusals():
            told = await tools.look(stream, at)
        return [told.text, Image(data=told.jpeg, format="jpeg")]

    @server.tool(annotations=_FORGETS)
    async def forget_stream(stream: Name) -> str:
        """End a stream and delete everything it has shown, for good. Ask the user first."""
        with _refusals():
            return await tools.forget(stream)

    return server


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
