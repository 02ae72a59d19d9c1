"""What is kept over the service's life, and how its bounds are set."""

import asyncio

import pytest

from memory.local_store import LocalStore
from memory.retention import RetentionLimits
from tests.web.conftest import echo_service, remember
from tests.web.fakes import EchoEngine
from web.errors import BadValue
from web.operations.retention import limits
from web.services import CLOCKS, Clocks
from web.settings import Settings


def test_ages_are_read_as_people_write_them():
    ages = {"7d": 604_800, "12h": 43_200, "30m": 1800, "90s": 90, "90": 90}
    read = {text: Settings.from_env({"FLASHBACK_KEEP": text}).keep for text in ages}
    assert read == ages
    assert Settings.from_env({}).keep is None
    with pytest.raises(BadValue, match="such as 7d"):
        Settings.from_env({"FLASHBACK_KEEP": "a week"})
    with pytest.raises(BadValue, match="FLASHBACK_KEEP"):
        Settings.from_env({"FLASHBACK_KEEP": "0d"})


def test_the_embedded_redis_is_never_filled_and_an_external_one_is_its_operators():
    assert limits(Settings.from_env({"FLASHBACK_REDIS_MEMORY_MB": "100"})).total == 80 * 2**20
    external = {"FLASHBACK_REDIS_URL": "redis://elsewhere:6379"}
    assert limits(Settings.from_env(external)) == RetentionLimits()
    set_ = external | {"FLASHBACK_MEMORY_QUOTA_MB": "7", "FLASHBACK_STREAM_QUOTA_MB": "3"}
    assert limits(Settings.from_env(set_)) == RetentionLimits(each=3 * 2**20, total=7 * 2**20)


async def test_a_range_is_forgotten_over_http(service):
    await service.remember(clips=4)
    async with service.client() as client:
        reply = await client.delete("/v1/streams/cam", params={"since": 3.5, "until": 8})
        assert reply.status_code == 204
        moments = (await client.get("/v1/streams/cam/moments")).json()["moments"]
        assert [moment["start"] for moment in moments] == [0.0, 12.0]
        assert (await client.get("/v1/streams/cam/thumbnails/4.0.jpg")).status_code == 404
        reply = await client.delete("/v1/streams/cam", params={"since": 8, "until": 3})
        assert reply.status_code == 422
        reply = await client.delete("/v1/streams/nobody", params={"since": 8})
        assert reply.status_code == 404


async def test_how_long_a_stream_is_kept_is_set_over_http(service):
    await service.remember(clips=1)
    async with service.client() as client:
        reply = await client.patch("/v1/streams/cam", json={"keep_seconds": 3600})
        assert reply.json()["held"]["keep_seconds"] == 3600
        assert reply.json()["held"]["bytes"] > 0
        assert (await client.get("/v1/streams/cam")).json()["held"]["keep_seconds"] == 3600
        reply = await client.patch("/v1/streams/cam", json={"keep_seconds": 0})
        assert reply.status_code == 422
        assert (await client.patch("/v1/streams/no", json={"keep_seconds": 1})).status_code == 404


async def test_the_service_keeps_within_its_bounds_by_itself():
    store = LocalStore(EchoEngine.encoder)
    await remember(store, clips=3)
    await store.set_keep("cam", 1.0)
    forgotten = asyncio.Event()
    forget_range = store.forget_range

    async def noted(*args):
        dropped = await forget_range(*args)
        forgotten.set()
        return dropped

    store.forget_range = noted
    async with echo_service(store=store, clocks=Clocks(lambda: 4e9, CLOCKS.monotonic)):
        await asyncio.wait_for(forgotten.wait(), 60)
    assert await store.moments("cam") == []
