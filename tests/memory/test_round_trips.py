"""How often Redis is waited for: a clip crosses the network three times, a deletion twice."""

import pytest
from redis.asyncio import ConnectionPool, Redis, UnixDomainSocketConnection

from memory.redis.store import RedisStore
from memory.store import Moment
from tests.memory.conftest import ENCODER
from tests.memory.test_store import JPEG, clip


class Counting(UnixDomainSocketConnection):
    """Counts what is sent: each time the answer is waited for before more is."""

    trips = 0

    async def send_packed_command(self, command, check_health=True):
        Counting.trips += 1
        await super().send_packed_command(command, check_health)


async def trips(call):
    Counting.trips = 0
    await call
    return Counting.trips


@pytest.fixture
async def store(embedded):
    path = embedded.url.removeprefix("unix://")
    pool = ConnectionPool(Counting, path=path, driver_info=None)
    store = RedisStore(Redis.from_pool(pool), ENCODER)
    await store.begin("a", 1000.0)
    await store.append("a", clip(0.0), JPEG)
    yield store
    await store.close()


async def test_a_clip_is_looked_up_written_and_known_to_be_on_disk_in_three_round_trips(store):
    assert await trips(store.append("a", clip(4.0), JPEG)) == 3
    assert await trips(store.append("a", clip(2.0), JPEG)) == 3, "also one that changes the past"
    assert await store.moments("a") == [Moment(0.0, 1.5), Moment(2.0, 3.5), Moment(4.0, 5.5)]


async def test_a_stream_is_deleted_in_two_round_trips_and_unlisted_in_a_third(store):
    assert await trips(store.forget("a")) == 3
