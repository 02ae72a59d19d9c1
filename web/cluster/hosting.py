"""A host's part in a cluster while it runs: it renews its leases, and pulls what no other host does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from stream.registry import Registry
from web.cluster.homes import Homes
from web.cluster.shared_sources import SharedSources


@asynccontextmanager
async def hosting(homes: Homes, registry: Registry, sources: SharedSources) -> AsyncIterator[None]:
    """Take part, within; leases stay until `Homes.close`, for what is still to be written.

    Raises:
        BadSource: If one of the operator's sources is nothing that may be pulled.
    """

    def let_go(stream: str) -> None:
        registry.let_go(stream, f"Another host than {homes.url} took the stream over.")
        sources.lost(stream)

    await sources.look()
    tasks = [
        asyncio.create_task(homes.run(registry.fed_names, let_go)),
        asyncio.create_task(sources.run()),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
