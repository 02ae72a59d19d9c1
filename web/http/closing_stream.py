"""An answer that is sent in pieces, and ends when nobody listens any more."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from fastapi.responses import StreamingResponse
from starlette.types import Send


class ClosingStream(StreamingResponse):
    """Pieces of a generator, which is closed when the client has left."""

    async def stream_response(self, send: Send) -> None:
        """Send the pieces."""
        source = self.body_iterator
        assert isinstance(source, AsyncGenerator)
        async with aclosing(source):
            await super().stream_response(send)
