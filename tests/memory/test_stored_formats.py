"""What each version stored is read by this one, and what this one stores is written down."""

import base64
import json
import shutil

import pytest
import torch
from fakeredis import FakeAsyncRedis, FakeServer

from memory.backup import examine, restore
from memory.errors import StoreUnavailable
from memory.redis.layout import StreamKeys
from memory.redis.store import RedisStore
from memory.store import RECORD_VERSION, Moment
from stream.watches import records
from stream.watches.book import KINDS
from tests.memory.conftest import ENCODER
from tests.memory.stored_formats import (
    BEGAN,
    EVENT,
    STARTS,
    STORED,
    TODAY,
    TOKEN,
    WATCH,
    clip,
    jpeg,
    load,
    today,
)  # fmt: skip
from tests.memory.test_backup import NAMES
from web.access.tokens import TokenFile

VERSIONS = sorted(path.stem for path in STORED.glob("*.json") if "tokens" not in path.name)
BACKUPS = sorted(path.stem for path in STORED.glob("*.backup"))
TOKEN_FILES = sorted(STORED.glob("*.tokens.json"))


DOCUMENTS = [f"flashback:{{:{kind}}}:documents" for kind in ("watch", "watch-event")]


def documents(kept):
    """Return the JSON documents of a hash that was dumped."""
    return {name: json.loads(base64.b64decode(text)) for name, text in kept["value"].items()}


@pytest.fixture
async def redis():
    async with FakeAsyncRedis(server=FakeServer()) as redis:
        yield redis


@pytest.fixture
def store(redis):
    return RedisStore(redis, ENCODER)


async def remembers(store, starts):
    """Check that clips of `starts` are remembered with their pictures, near enough for eight bits."""
    clips = [kept async for kept in store.clips("door")]
    assert [(kept.start, kept.end) for kept in clips] == [(start, start + 3) for start in starts]
    for kept in clips:
        assert (kept.values - clip(kept.start).values).abs().max() < 0.01
        assert await store.thumbnail("door", kept.start) == jpeg(kept.start)
    assert await store.moments("door") == [Moment(kept.start, kept.end) for kept in clips]


@pytest.mark.parametrize("version", VERSIONS)
async def test_what_a_version_stored_is_read_and_goes_on(redis, store, version):
    await load(redis, json.loads((STORED / f"{version}.json").read_text()))
    await remembers(store, STARTS)
    record = await store.find("door")
    assert (record.began, record.clips, record.end) == (BEGAN, len(STARTS), 15.0)
    await store.begin("door", 5000.0)
    await store.append("door", clip(20.0), jpeg(20.0))
    await remembers(store, (*STARTS, 20.0))
    record = await store.find("door")
    assert (record.began, record.version) == (BEGAN, RECORD_VERSION)
    assert await store.forget_range("door", 0.0, 3.0) == 1
    await remembers(store, (*STARTS[1:], 20.0))
    await store.forget("door")
    assert await store.streams() == []


@pytest.mark.parametrize("version", [one for one in VERSIONS if not one.startswith("0.1.0")])
async def test_what_people_asked_for_once_is_there(redis, store, version):
    await load(redis, json.loads((STORED / f"{version}.json").read_text()))
    [watch] = await store.documents().newest("watch", 9)
    [event] = await store.documents().newest("watch-event", 9)
    assert records.watches.decode(watch.document) == WATCH
    assert records.events.decode(event.document) == EVENT
    assert await store.recordings().get("door", "event-1") == b"a film"
    assert (await store.find("door")).keep == 3600.0


@pytest.mark.parametrize("version", BACKUPS)
async def test_a_backup_of_a_version_is_restored(store, version):
    path = STORED / f"{version}.backup"
    contents = await examine(path, NAMES)
    assert sum(contents.streams.values()) == len(STARTS)
    await restore(store, store.documents(), path, (), KINDS)
    await remembers(store, STARTS)
    [watch] = await store.documents().newest("watch", 9)
    assert records.watches.decode(watch.document) == WATCH


@pytest.mark.parametrize("file", TOKEN_FILES, ids=lambda file: file.name)
def test_the_tokens_of_a_version_let_in(file, tmp_path):
    copied = shutil.copy(file, tmp_path / "tokens.json")
    assert TokenFile(copied).read() == (TOKEN,)


async def test_what_this_version_stores_is_what_is_written_down_of_it():
    written = json.loads((STORED / f"{TODAY}.json").read_text())
    now = json.loads(json.dumps(await today()))
    for key in DOCUMENTS:  # of these a new field with a default is no new form
        before, after = (documents(kept.pop(key)) for kept in (written, now))
        assert {name: {**after[name], **before[name]} for name in before} == after
    assert now == written, (
        "The form of stored data changed. Does this version still read what the one before wrote? Then "
        "run `python -m tests.memory.stored_formats`; see docs/decisions/0048"
    )


async def test_what_a_newer_version_stored_is_refused_in_words(redis, store):
    await load(redis, json.loads((STORED / f"{TODAY}.json").read_text()))
    await redis.hset(StreamKeys.of("door").record, b"version", RECORD_VERSION + 1)
    with pytest.raises(StoreUnavailable, match="newer version"):
        await store.find("door")


def test_values_are_those_that_were_stored():
    assert torch.equal(clip(0.0).values[0, :2], torch.tensor([0.0, 0.0625]).half())
