"""A backup holds what was remembered, all of it or nothing, and gives it back as it was."""

import asyncio
import re
from pathlib import Path

import pytest
import torch
from fakeredis import FakeAsyncRedis, FakeServer

from memory import backup as backup_module
from memory.archive import ArchivedClip, ArchiveWriter, read_parts
from memory.backup import backup, examine, restore
from memory.documents import Entry
from memory.errors import CorruptData, StoreError, StoreFull
from memory.redis import raw as redis_raw
from memory.redis.layout import DIRECTORY, StreamKeys, field
from memory.redis.store import RedisStore
from memory.store import Moment, StreamRecord
from model.types import ClipTokens
from tests.memory.conftest import ENCODER

NAMES = re.compile(r"[a-z]{1,8}")
KINDS = {"watch": 10}
CLIPS = 5


@pytest.fixture(autouse=True)
def small_pages(monkeypatch):
    """Fewer clips are read at once than there are."""
    for module in (redis_raw, backup_module):
        monkeypatch.setattr(module, "PAGE", 3)


def clip(start, value=0.5):
    return ClipTokens(torch.full((2, 8), value), start, start + 1.5)


def redis():
    return RedisStore(FakeAsyncRedis(server=FakeServer()), ENCODER)


@pytest.fixture
async def store():
    store = redis()
    await store.begin("door", 1000.0)
    for number in range(CLIPS):
        await store.append("door", clip(2.0 * number, number / 100), b"jpeg %d" % number)
    await store.set_keep("door", 3600.0)
    await store.begin("yard", 2000.0)
    await store.append("yard", clip(0.0), b"a yard")
    await store.documents().put("watch", Entry("w1", 1.0, {"says": "a dog"}), 10)
    yield store
    await store.close()


@pytest.fixture
async def other():
    other = redis()
    yield other
    await other.close()


async def everything(store, stream):
    clips = [c async for c in store.clips(stream)]
    moments = [(c.start, c.end, c.frames, c.values.tolist()) for c in clips]
    return moments, [await store.thumbnail(stream, c.start) for c in clips]


async def saved(store, tmp_path, *streams):
    path = tmp_path / f"{'-'.join(streams) or 'all'}.backup"
    await backup(store, store.documents(), path, streams, KINDS)
    return path


async def put_back(store, path, *streams, replace=False):
    await examine(path, NAMES)
    await restore(store, store.documents(), path, streams, KINDS, replace=replace)


async def test_everything_comes_back_as_it_was(store, other, tmp_path):
    path = await saved(store, tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    contents = await examine(path, NAMES)
    assert contents.totals() == {"streams": 2, "clips": CLIPS + 1, "documents": 1}
    await put_back(other, path)
    for stream in ("door", "yard"):
        assert await everything(other, stream) == await everything(store, stream)
        was, now = await store.find(stream), await other.find(stream)
        assert (now.began, now.clips, now.end, now.bytes, now.keep) == (
            *(was.began, was.clips, was.end, was.bytes, was.keep),
        )
    assert (await other.documents().get("watch", "w1")).document == {"says": "a dog"}
    await other.append("door", clip(500.0), b"later")  # it goes on


async def test_one_stream_is_backed_up_or_put_back_alone(store, other, tmp_path):
    contents = await examine(await saved(store, tmp_path, "yard"), NAMES)
    assert (contents.streams, contents.documents) == ({"yard": 1}, 0)
    await put_back(other, await saved(store, tmp_path), "yard")
    assert [record.name for record in await other.streams()] == ["yard"]
    assert await other.documents().count("watch") == 0


async def test_what_is_there_already_is_not_touched(store, tmp_path):
    path = await saved(store, tmp_path)
    await store.forget("door")
    with pytest.raises(StoreError, match="yard"):
        await put_back(store, path)
    assert await store.find("door") is None
    await put_back(store, path, "door")
    assert (await store.find("door")).clips == CLIPS


async def test_a_watch_that_was_changed_since_is_not_touched(store, other, tmp_path):
    path = await saved(store, tmp_path)
    await other.documents().put("watch", Entry("w1", 1.0, {"says": "a cat"}), 10)
    with pytest.raises(StoreError, match="w1"):
        await put_back(other, path)
    assert await other.streams() == []
    await put_back(other, path, replace=True)
    assert (await other.documents().get("watch", "w1")).document == {"says": "a dog"}


async def test_asked_for_it_takes_the_place_of_what_is_there(store, tmp_path):
    path = await saved(store, tmp_path, "door")
    was = await everything(store, "door")
    await store.append("door", clip(0.0, 0.9), b"another")
    await store.append("door", clip(900.0), b"newer")
    before = await store.find("door")
    await put_back(store, path, replace=True)
    assert await everything(store, "door") == was
    # Histories made of what was there are out of date.
    assert (await store.find("door")).generation > before.generation


async def test_a_stream_of_the_first_version_is_backed_up(other, tmp_path):
    redis = FakeAsyncRedis(server=FakeServer())
    old = RedisStore(redis, ENCODER)
    await old.begin("old", 5.0)
    kept = await old.append("old", clip(1.0), b"jpeg")
    [member] = await redis.zrange(StreamKeys.of("old").clips, 0, -1)
    await redis.zrem(StreamKeys.of("old").clips, member)
    await redis.zadd(StreamKeys.of("old").clips, {member[:16]: 1.0})  # start and end alone
    await redis.delete(StreamKeys.of("old").record)
    await put_back(other, await saved(old, tmp_path))
    [again] = [c async for c in other.clips("old")]
    assert torch.equal(again.values, kept.values)
    await redis.aclose()


class Folding(RedisStore):
    """A store whose past is changed by somebody while it is read, so many times."""

    times = 1

    def raw(self):
        pages, store = super().raw(), self

        class Changing:
            async def pages(self, stream):
                async for page in pages.pages(stream):
                    if store.times:
                        store.times -= 1
                        now = await store.find(stream)
                        span = Moment(0.0, 2.0)
                        await store.replace(stream, span, [clip(0.0)], generation=now.generation)
                    yield page

        return Changing()


@pytest.mark.parametrize(("times", "ends"), [(1, True), (10**6, False)])
async def test_what_is_folded_meanwhile_is_read_again_or_said(store, other, tmp_path, times, ends):
    folding = Folding(store._nodes, ENCODER)
    folding.times = times
    if ends:
        await put_back(other, await saved(folding, tmp_path))
        assert await everything(other, "door") == await everything(store, "door")
    else:
        with pytest.raises(StoreError, match="stop the service"):
            await saved(folding, tmp_path)
        assert list(tmp_path.iterdir()) == []


async def test_a_file_is_never_overwritten_and_names_are_checked(store, tmp_path):
    path = await saved(store, tmp_path)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="there already"):
        await saved(store, tmp_path)
    assert path.read_bytes() == before
    with pytest.raises(StoreError, match="no stream called cellar; there is door, yard"):
        await saved(store, tmp_path, "cellar")


async def test_what_fills_memory_leaves_no_half_of_a_stream(store, other, tmp_path, monkeypatch):
    path = await saved(store, tmp_path)
    raw, added = other.raw(), []

    async def add(stream, clips):
        added.append(len(clips))
        if len(added) > 1:
            raise StoreFull
        await type(raw).add(raw, stream, clips)

    monkeypatch.setattr(other, "raw", lambda: raw)
    monkeypatch.setattr(raw, "add", add, raising=False)
    with pytest.raises(StoreFull):
        await put_back(other, path)
    assert await other.find("door") is None


@pytest.mark.parametrize("at", ["the first clips", "the end"])
async def test_a_stream_deleted_while_it_is_put_back_is_not_left_by_half(
    store, other, tmp_path, at
):
    path, raw = await saved(store, tmp_path), other.raw()

    class Slow(type(raw)):
        async def add(self, stream, clips):
            if at == "the first clips":
                await other.forget(stream)
            await super().add(stream, clips)
            await other.forget(stream)

    other.raw = lambda: Slow(other._nodes)
    with pytest.raises(StoreError, match="door was deleted while it was put back"):
        await put_back(other, path)
    assert await other.streams() == []


def damaged(path: Path, at: int, byte: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= byte
    path.write_bytes(data)


async def test_no_bit_may_change_and_nothing_may_be_missing(store, tmp_path):
    path = await saved(store, tmp_path, "yard")
    whole = path.read_bytes()
    for at in range(0, len(whole), 17):
        damaged(path, at, 0x10)
        with pytest.raises(CorruptData):
            await examine(path, NAMES)
        path.write_bytes(whole[:at])
        with pytest.raises(CorruptData):
            await examine(path, NAMES)
        path.write_bytes(whole)
    path.write_bytes(whole + b"more")
    with pytest.raises(CorruptData, match="checksum"):
        await examine(path, NAMES)


async def made(tmp_path, *parts):
    return await asyncio.to_thread(written, tmp_path / "made", parts)


def written(path, parts):
    with path.open("wb+") as file:
        writer = ArchiveWriter(file)
        writer.write(parts)
        writer.finish()
    return path


def read(path):
    with path.open("rb") as file:
        return list(read_parts(file))


async def test_a_name_that_no_stream_may_have_is_refused(tmp_path):
    with pytest.raises(CorruptData, match="no stream may be called"):
        await examine(await made(tmp_path, StreamRecord("}:record", 0.0, 0, None)), NAMES)


async def test_a_clip_that_is_none_is_refused_though_its_checksum_is_right(store, tmp_path):
    stream, real = await asyncio.to_thread(read, await saved(store, tmp_path, "yard"))
    false = ArchivedClip(real.kept, real.tokens[:-1] + b"\x7f" * 8, b"")
    with pytest.raises(CorruptData, match="cannot be read"):
        await examine(await made(tmp_path, stream, false), NAMES)


async def test_keys_of_a_restored_stream_are_those_of_any_other(store, other, tmp_path):
    await put_back(other, await saved(store, tmp_path))

    async def lying(store):
        redis = (await store._nodes.servers())[0]
        keys = StreamKeys.of("door")
        return (
            await redis.zrange(keys.clips, 0, -1, withscores=True),
            await redis.hget(keys.tokens, field(4.0)),
            await redis.hget(DIRECTORY, "door"),
        )

    assert await lying(other) == await lying(store)
