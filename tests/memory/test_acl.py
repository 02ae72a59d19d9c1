"""A user of Redis who may do only what this program needs."""

import pytest
from redis.asyncio import Redis

from memory.errors import StreamForgotten
from memory.redis.store import RedisStore
from memory.store import Moment
from tests.memory.conftest import ENCODER
from tests.memory.test_store import JPEG, clip

NEEDED = ["+@read", "+@write", "+@transaction", "+@connection", "+info", "-@scripting"]


async def test_a_user_without_scripts_and_administration_can_do_all_that_memory_needs(
    embedded, caplog
):
    async with Redis.from_url(embedded.url, driver_info=None) as admin:
        await admin.execute_command(
            "ACL", "SETUSER", "flashback", "on", ">s3cret", "~flashback:*", *NEEDED
        )
    url = embedded.url.replace("unix://", "unix://flashback:s3cret@")
    store = RedisStore.connect(url, ENCODER)
    await store.check()
    await store.begin("a", 1000.0)
    for start in (0.0, 4.0, 8.0):
        await store.append("a", clip(start), JPEG)
    await store.replace("a", Moment(0.0, 0.0), [clip(0.0)], generation=0, form="int4")
    assert await store.forget_range("a", 4.0, 5.0) == 1
    assert (await store.set_keep("a", 60.0)).keep == 60.0
    await store.compact()
    assert "stays in Redis's log for now" in caplog.text
    await store.forget("a")
    with pytest.raises(StreamForgotten):
        await store.append("a", clip(12.0), JPEG)
    assert await store.streams() == []
    await store.close()
