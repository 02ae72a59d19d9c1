"""What every document store must do: in this process, in an imitation of Redis, in the real one."""

import pytest
from fakeredis import FakeAsyncRedis

from memory.documents import LARGEST_DOCUMENT, Entry
from memory.errors import StoreError, StoreUnavailable
from memory.local_documents import LocalDocuments
from memory.redis.store import RedisStore


@pytest.fixture(params=["local", "fake_redis"])
async def documents(request):
    if request.param == "local":
        yield LocalDocuments()
    else:
        async with FakeAsyncRedis() as redis:
            yield RedisStore(redis, "encoder", within=30).documents()


async def filled(documents, count, keep=100):
    for number in range(count):
        await documents.put("a", Entry(f"k{number}", float(number), {"n": number}), keep)


async def test_a_document_comes_back_as_it_was_and_the_last_one_of_a_key_wins(documents):
    kept = Entry("key", 7.5, {"text": "ä", "list": [1, None, {"x": 0.1}]})
    await documents.put("a", Entry("key", 1.0, {"old": True}), 10)
    await documents.put("a", kept, 10)
    assert await documents.get("a", "key") == kept
    assert await documents.newest("a", 10) == [kept]
    assert await documents.get("a", "other") is None
    assert await documents.newest("b", 10) == []


async def test_the_newest_and_the_lowest_come_first_and_no_more_than_asked(documents):
    await filled(documents, 5)
    assert [kept.key for kept in await documents.newest("a", 2)] == ["k4", "k3"]
    assert [kept.key for kept in await documents.newest("a", 9, after=2.0)] == ["k4", "k3"]
    assert [kept.key for kept in await documents.lowest("a", 2)] == ["k0", "k1"]


async def test_beyond_what_is_kept_the_lowest_makes_room(documents):
    await filled(documents, 5, keep=3)
    assert [kept.key for kept in await documents.lowest("a", 9)] == ["k2", "k3", "k4"]
    assert await documents.count("a") == 3
    assert await documents.get("a", "k0") is None


async def test_what_is_removed_is_gone(documents):
    await filled(documents, 2)
    assert await documents.remove("a", "k0")
    assert not await documents.remove("a", "k0")
    assert [kept.key for kept in await documents.newest("a", 9)] == ["k1"]


async def test_a_document_that_is_too_large_is_refused(documents):
    with pytest.raises(StoreError, match="more than the"):
        await documents.put("a", Entry("k", 0.0, {"x": "x" * LARGEST_DOCUMENT}), 9)
    assert await documents.count("a") == 0


async def test_the_real_redis_does_the_same(embedded):
    store = RedisStore.connect(embedded.url, "encoder")
    documents = store.documents()
    await filled(documents, 5, keep=3)
    assert [kept.key for kept in await documents.newest("a", 9, after=2.0)] == ["k4", "k3"]
    assert (await documents.get("a", "k2")).document == {"n": 2}
    assert await documents.remove("a", "k2")
    assert await documents.count("a") == 2
    assert await documents.add("a", "k", {"n": 2}, {"n": 5}) == {"n": 7}
    assert await documents.sums("a") == {"k": {"n": 7}}
    assert await store.streams() == []
    await store.close()


async def test_what_cannot_be_read_is_passed_over(caplog):
    async with FakeAsyncRedis() as redis:
        documents = RedisStore(redis, "encoder", within=30).documents()
        await filled(documents, 2)
        await redis.hset("flashback:{:a}:documents", "k1", b"not json")
        assert [kept.key for kept in await documents.newest("a", 9)] == ["k0"]
        assert "passed over" in caplog.text


async def test_a_store_that_is_away_says_so():
    store = RedisStore.connect("redis://127.0.0.1:1/0", "encoder")
    with pytest.raises(StoreUnavailable):
        await store.documents().count("a")
    await store.close()


async def test_numbers_are_added_up_whoever_counts(documents):
    nothing = {"fired": 0, "failed": 0}
    assert await documents.add("a", "w", {"fired": 1, "failed": 0}, nothing) == {
        "fired": 1,
        "failed": 0,
    }
    # What another process knows of it is older by now: it only begins what is not there.
    assert await documents.add("a", "w", {"fired": 2}, {"fired": 7}) == {"fired": 3}
    assert await documents.add("a", "v", {"fired": 1}, {"fired": 7}) == {"fired": 8}
    assert await documents.sums("a") == {"w": {"fired": 3, "failed": 0}, "v": {"fired": 8}}
    await documents.drop_sums("a", "w")
    await documents.drop_sums("a", "none")
    assert await documents.sums("a") == {"v": {"fired": 8}}
    assert await documents.sums("b") == {}
