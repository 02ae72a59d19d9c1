"""Opens a host's part of a cluster: Ray, this host's replicas, and the engine that asks all of them."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from threading import current_thread, main_thread

from memory.documents import DocumentStore, Entry
from memory.redis.store import RedisStore
from web.cluster.actor import ReplicaOrder
from web.cluster.engine import ClusterEngine
from web.cluster.members import Members
from web.cluster.ray_environment import set_defaults
from web.cluster.replica import Kind
from web.errors import WebError
from web.identifiers import new_id
from web.operations.log_lines import log_as_json
from web.settings import Settings


@asynccontextmanager
async def open_cluster(
    settings: Settings, redis_url: str, progress: Callable[[str], None] = lambda _: None
) -> AsyncIterator[ClusterEngine]:
    """Join or start Ray and this host's replicas; yield the engine, and end the replicas after use.

    Args:
        settings: What was set from outside.
        redis_url: The memory that all hosts share.
        progress: Told in words what is being done.

    Raises:
        WebError: If Ray or a replica cannot be started.
        StoreUnavailable: If Redis cannot be reached.
    """
    if settings.ray_address:
        await check_reachable(settings.ray_address)
    set_defaults()
    # Late: Ray reads its environment when it is imported.
    from web.cluster.ray_replicas import RayReplicas, start_ray, stop_ray

    store = RedisStore.connect(redis_url, "any")
    try:
        name = await cluster_name(store.documents(), time.time())
    finally:
        await store.close()
    progress("Joining Ray…" if settings.ray_address else "Starting Ray…")
    # In a thread: it takes seconds, and in the main one it would take over our signals.
    as_json = settings.log == "json"
    await asyncio.to_thread(start_ray, settings.ray_address, name, json=as_json)
    if as_json:
        log_as_json()  # anew: Ray has added lines of its own form
    _keep_sigterm()
    members = Members()
    replicas = RayReplicas(members, new_id("host")[-8:])
    try:
        counts: Mapping[Kind, int] = {
            "encoder": settings.cluster_encoders,
            "answerer": settings.cluster_answerers,
        }
        facts = await replicas.start(_order(settings, redis_url), counts, progress)
        engine = ClusterEngine(members, facts, time.monotonic)
        try:
            yield engine
        finally:
            await engine.close()
    finally:
        await replicas.close(settings.finish_seconds)
        await asyncio.to_thread(stop_ray)


def _keep_sigterm() -> None:
    """Take SIGTERM back from Ray: its own handler prints a stack, and aborts us three seconds later."""
    if current_thread() is main_thread():  # elsewhere signals are nobody's to set
        signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM))


async def check_reachable(address: str, within: float = 5.0) -> None:
    """Make sure that something listens where Ray is said to be: Ray itself would try for minutes.

    Raises:
        WebError: If nothing does. An address of another form is Ray's affair.
    """
    host, _, port = address.rpartition(":")
    if not host or "://" in address or not port.isdigit():
        return
    try:
        async with asyncio.timeout(within):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except (OSError, TimeoutError, OverflowError) as error:
        raise WebError(
            f"nothing answers at {address}, where FLASHBACK_RAY_ADDRESS says that Ray is "
            f"({type(error).__name__}): run `ray start --head` there, or correct the address",
            code="cluster_unavailable",
        ) from None
    writer.close()
    await writer.wait_closed()


def _order(settings: Settings, redis_url: str) -> ReplicaOrder:
    here = max(1, settings.cluster_encoders + settings.cluster_answerers)
    return ReplicaOrder(
        model=settings.model,
        history_bytes=settings.history_bytes,
        visual_budget=settings.visual_budget or None,
        as_released=settings.as_released,
        stretch=settings.stretch,
        cache=settings.cache,
        stored_values=settings.stored_values,
        redis_url=redis_url,
        threads=max(1, (os.cpu_count() or 1) // here),
        log=settings.log,
    )


_NAME_KIND = "cluster"
_PLACES = 8


async def cluster_name(documents: DocumentStore, now: float) -> str:
    """Return what the hosts on one Redis call themselves in Ray; the first of them makes it up.

    Two clusters on one Ray do not meet, and hosts need not be told which one they belong to.

    Raises:
        StoreUnavailable: If Redis cannot be reached.
    """
    if not await documents.lowest(_NAME_KIND, 1):
        await documents.put(_NAME_KIND, Entry(new_id("cluster"), now, {}), _PLACES)
    # Read again: of several hosts that began together all find the same one.
    [first, *_] = await documents.lowest(_NAME_KIND, 1)
    return f"flashback-{first.key}"
