"""What a pretended Redis stands on: a server of loopback that ends with all that it serves."""

import asyncio


class LoopbackRedis:
    """Has `serve(reader, writer)` answer every connection; `url` says where."""

    def __init__(self):
        self._tasks = set()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._begin, "127.0.0.1", 0)
        self.url = f"redis://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/0"
        return self

    async def __aexit__(self, *_):
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _begin(self, reader, writer):
        self._tasks.add(asyncio.current_task())
        await self.serve(reader, writer)
