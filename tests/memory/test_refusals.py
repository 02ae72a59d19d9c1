"""What Redis may refuse in the middle of a change, and what is said of it."""

import pytest

from memory.errors import StoreFull, StoreUnavailable
from memory.redis.store import RedisStore
from tests.memory.refusing import RefusingRedis
from tests.memory.test_redis_store import ENCODER, clip

REFUSALS = {
    "READONLY You can't write against a read only replica.": "is a read-only replica",
    "MASTERDOWN Link with MASTER is down": "has lost its master",
    "LOADING Redis is loading the dataset in memory": "still reading its data",
    "NOAUTH Authentication required.": "refused the user or password",
    "WRONGPASS invalid username-password pair or user is disabled.": "refused the user or password",
    "NOPERM User default has no permissions to run the 'hset' command": "no permissions to run",
    "OOM command not allowed when used memory > 'maxmemory'.": "has reached its memory limit",
    "MISCONF Redis is configured to save RDB snapshots, but cannot": "cannot write to its disk",
    "NOREPLICAS Not enough good replicas to write.": "Not enough good replicas",
    "ERR max number of clients reached": "as many connections as it may have",
}
"""What it says, and what of our sentence."""


@pytest.mark.parametrize("words", REFUSALS, ids=lambda words: words.split()[0])
@pytest.mark.parametrize("command", ["WATCH", "ZRANGE", "HSET"])
async def test_what_is_refused_in_the_middle_of_a_change_is_said_soon_and_then_forgotten(
    command, words
):
    async with RefusingRedis(command, words) as redis:
        store = RedisStore.connect(redis.url, ENCODER)
        with pytest.raises((StoreUnavailable, StoreFull), match=REFUSALS[words]):
            await store.append("a", clip(0.0), b"")
        assert redis.connections <= 6  # it is tried once more, not over and over
        redis.refused = None
        await store.append("a", clip(0.0), b"")
        await store.close()
