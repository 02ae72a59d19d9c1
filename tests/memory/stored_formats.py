"""Data as each version stored it, frozen in `stored/`, and how today's is made.

    python -m tests.memory.stored_formats      # writes stored/unreleased.* anew

`0.1.0.json` was written by the first code of that version, `0.1.0-frames.json` by its last, which counted
the frames of a clip. Once a version is released its files are renamed to it and never written again; see
docs/decisions/0048-every-versions-data-is-kept.md.
"""

import asyncio
import base64
import json
import shutil
import tempfile
from pathlib import Path

import torch
from fakeredis import FakeAsyncRedis, FakeServer

from memory.backup import backup
from memory.documents import Entry
from memory.recordings import Recorded
from memory.redis.store import RedisStore
from model.types import ClipTokens
from stream.watches import records
from stream.watches.book import KINDS
from stream.watches.condition import Clause, Condition
from tests.memory.conftest import ENCODER
from web.access.limits import Limits
from web.access.tokens import TokenFile, TokenRecord

STORED = Path(__file__).parent / "stored"
BEGAN, STARTS = 1000.25, (0.0, 4.0, 8.0, 12.0)
TODAY = "unreleased"


def clip(start: float) -> ClipTokens:
    values = torch.arange(32).reshape(4, 8) / 16 + start / 64
    return ClipTokens(values.half(), start, start + 3)


def jpeg(start: float) -> bytes:
    return b"jpeg of %d" % start


async def fill(store: RedisStore) -> None:
    """Store all that there is to store."""
    await store.begin("door", BEGAN)
    for start in STARTS:
        await store.append("door", clip(start), jpeg(start))
    await store.append("door", clip(16.0), jpeg(16.0))
    await store.forget_range("door", 16.0, 17.0)
    await store.set_keep("door", 3600.0)
    await store.recordings().put("door", Recorded("event-1", 3.0, 9.0), b"a film")
    documents = store.documents()
    await documents.put("watch", Entry("w1", 5.0, records.watches.encode(WATCH)), 10)
    await documents.put("watch-event", Entry("e1", 6.0, records.events.encode(EVENT)), 10)


WATCH = records.Watch(
    "w1", "Tell me when a dog is there", ("door",), Condition((Clause(("dog",)),)), created=5.0
)
EVENT = records.Event(
    "e1", "w1", WATCH.question, "door", 6.0, 4.0, 8.0, 12.0, False, 0.9,
    evidence=(records.Sighting(4.0, 7.0, 0.9),), film=True,
)  # fmt: skip
TOKEN = TokenRecord(
    name="ann", digest="a" * 64, may=("watch", "ask"), streams=("door-*",), expires=9e9,
    limits=Limits(streams=2),
)  # fmt: skip


async def dump(redis: FakeAsyncRedis) -> dict[str, dict[str, object]]:
    """Return every key with its kind and value, as JSON takes it."""
    found = {}
    for key in sorted(await redis.keys()):
        kind = (await redis.type(key)).decode()
        if kind == "hash":
            value = {_text(f): _text(v) for f, v in sorted((await redis.hgetall(key)).items())}
        elif kind == "zset":
            value = {
                _text(m): score for m, score in await redis.zrange(key, 0, -1, withscores=True)
            }
        else:
            value = _text(await redis.get(key))
        found[key.decode()] = {"kind": kind, "value": value}
    return found


async def load(redis: FakeAsyncRedis, kept: dict[str, dict[str, object]]) -> None:
    """Put back what `dump` returned."""
    for key, entry in kept.items():
        value = entry["value"]
        if entry["kind"] == "hash":
            await redis.hset(key, mapping={_bytes(f): _bytes(v) for f, v in value.items()})
        elif entry["kind"] == "zset":
            await redis.zadd(key, {_bytes(member): score for member, score in value.items()})
        else:
            await redis.set(key, _bytes(value))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)


async def today() -> dict[str, dict[str, object]]:
    """Return what this version stores."""
    async with FakeAsyncRedis(server=FakeServer()) as redis:
        await fill(RedisStore(redis, ENCODER))
        return await dump(redis)


async def _write() -> None:
    (STORED / f"{TODAY}.json").write_text(json.dumps(await today(), indent=1) + "\n")
    (STORED / f"{TODAY}.tokens.json").unlink(missing_ok=True)
    TokenFile(STORED / f"{TODAY}.tokens.json").add(TOKEN)
    (STORED / f"{TODAY}.tokens.lock").unlink(missing_ok=True)
    async with FakeAsyncRedis(server=FakeServer()) as redis:
        store = RedisStore(redis, ENCODER)
        await fill(store)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "backup")
            await backup(store, store.documents(), path, kinds=KINDS)
            await asyncio.to_thread(shutil.copy, path, STORED / f"{TODAY}.backup")


if __name__ == "__main__":
    asyncio.run(_write())
