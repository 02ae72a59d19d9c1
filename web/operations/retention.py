"""Keeps what is remembered within its bounds while the service runs.

Several processes may do so on one store: each change says which past it was made from, and whoever
comes second leaves it be.
"""

import asyncio
import logging
from functools import partial

from memory.errors import StoreUnavailable
from memory.retention import Retention, RetentionLimits
from memory.store import ClipStore
from model.engine.contract import Engine
from model.folding.pair import join_pair
from stream.frames.timeline import Clock
from stream.registry import Registry
from web.settings import Settings

log = logging.getLogger(__name__)

_EVERY = 15.0
"""Seconds. Thirty-two cameras show no more than 40 MB in it."""
_SHARE = 0.8
"""Of the embedded Redis: the rest is for what Redis needs beside the clips, and for what comes in
between two rounds."""


def limits(settings: Settings) -> RetentionLimits:
    """Return the bounds under `settings`."""
    total = settings.memory_quota_mb
    if total is None and settings.redis_url is None:
        total = int(settings.redis_memory_mb * _SHARE)
    return RetentionLimits(
        each=_bytes(settings.stream_quota_mb), total=_bytes(total), keep=settings.keep
    )


async def keep_within(
    settings: Settings, engine: Engine, store: ClipStore, registry: Registry, wall: Clock
) -> None:
    """Look again and again, until cancelled, whether what is remembered is too much or too old."""
    join = partial(join_pair, engine.rows)
    retention = Retention(store, limits(settings), frames=engine.frames_per_clip, join=join)
    while True:
        try:
            await retention.enforce(wall())
            await registry.list()  # what has changed is in every stream's status
        except StoreUnavailable as error:
            log.debug("what is remembered is not looked through: %s", error)
        await asyncio.sleep(_EVERY)


def _bytes(megabytes: int | None) -> int | None:
    return None if megabytes is None else megabytes * 2**20
