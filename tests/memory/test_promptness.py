"""How long a silent Redis is waited for."""

import asyncio

import pytest

from memory.errors import StoreUnavailable
from memory.redis.errors import Promptness


@pytest.fixture
def waited(monkeypatch):
    """Return what notes how long each call was given, none of which is answered."""
    given = []
    timeout = asyncio.timeout

    def at_once(seconds):
        given.append(seconds)
        return timeout(0)

    monkeypatch.setattr(asyncio, "timeout", at_once)
    return given


async def ask(promptness, answers):
    async with promptness.expected():
        if not answers:
            await asyncio.Event().wait()


async def test_calls_that_wait_for_one_another_do_not_add_up_while_redis_is_silent(waited):
    promptness = Promptness(2.0)
    for _ in range(3):
        with pytest.raises(StoreUnavailable, match="did not answer in time"):
            await ask(promptness, answers=False)
    assert waited == [2.0, 0.2, 0.2]
    await ask(promptness, answers=True)
    await ask(promptness, answers=True)
    assert waited[3:] == [0.2, 2.0], "it has the whole time again once it answered"
