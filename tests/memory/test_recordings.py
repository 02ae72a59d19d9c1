"""What every store does with recordings: in this process, in an imitation of Redis, in the real one."""

import pytest

from memory.recordings import LARGEST_RECORDING, Recorded
from tests.memory.test_store import filled

FILM = b"\x00\x00\x00\x18ftypisom a film"


@pytest.fixture
async def filmed(store):
    """A stream with three clips and a recording of the middle one."""
    await filled(store, 0.0, 4.0, 8.0)
    await store.recordings().put("a", Recorded("event", 4.0, 5.5), FILM)
    return store


async def test_a_recording_comes_back_whole(filmed):
    recordings = filmed.recordings()
    assert await recordings.get("a", "event") == FILM
    assert await recordings.keys("a") == {"event"}
    assert await recordings.get("a", "other") is None
    assert await recordings.get("b", "event") is None
    await recordings.remove("a", "event")
    await recordings.remove("a", "event")
    assert await recordings.keys("a") == frozenset()


@pytest.mark.parametrize(
    ("since", "until", "stays"), [(0, 3.9, True), (5.6, 9, True), (0, 4, False), (5.5, 9, False)]
)
async def test_it_goes_with_anything_that_it_shows(filmed, since, until, stays):
    await filmed.forget_range("a", since, until)
    assert await filmed.recordings().keys("a") == (frozenset(["event"]) if stays else frozenset())


async def test_it_goes_with_its_stream_and_none_is_kept_of_one_that_is_gone(filmed):
    await filmed.forget("a")
    assert await filmed.recordings().get("a", "event") is None
    with pytest.raises(KeyError):
        await filmed.recordings().put("a", Recorded("late", 8.0, 9.0), FILM)
    await filmed.begin("a", 2000.0)
    assert await filmed.recordings().keys("a") == frozenset()


async def test_one_that_is_too_large_is_refused(store):
    await filled(store, 0.0)
    with pytest.raises(ValueError, match=str(LARGEST_RECORDING)):
        await store.recordings().put("a", Recorded("x", 0.0, 1.0), bytes(LARGEST_RECORDING + 1))
