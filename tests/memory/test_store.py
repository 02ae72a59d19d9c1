"""What every clip store must do: in this process, in an imitation of Redis, in the real one."""

import pytest
import torch

from memory.codec import LARGEST_THUMBNAIL
from memory.store import Moment
from model.types import ClipTokens

JPEG = b"\xff\xd8 a picture \xff\xd9"


def clip(start: float, end: float | None = None, value: float = 1.0) -> ClipTokens:
    return ClipTokens(torch.full((2, 3), value), start, start + 1.5 if end is None else end)


async def filled(store, *starts: float, stream: str = "a"):
    await store.begin(stream, 1000.0)
    for start in starts:
        await store.append(stream, clip(start), JPEG)
    return store


async def starts(store, stream: str = "a", **span: float) -> list[float]:
    return [tokens.start async for tokens in store.clips(stream, **span)]


async def test_clips_come_back_oldest_first_whatever_the_order_of_arrival(store):
    await filled(store, 8.0, 0.0, 4.0)
    assert await starts(store) == [0.0, 4.0, 8.0]


async def test_values_and_times_survive(store):
    await store.begin("a", 0.0)
    await store.append("a", clip(0.1, 0.3, value=0.25), JPEG)
    [back] = [tokens async for tokens in store.clips("a")]
    assert (back.start, back.end) == (0.1, 0.3)
    assert torch.equal(back.values.float(), torch.full((2, 3), 0.25))


async def test_a_clip_without_tokens_is_remembered(store):
    await store.begin("a", 0.0)
    await store.append("a", ClipTokens(torch.zeros(0, 8), 0.0, 1.0), JPEG)
    [back] = [tokens async for tokens in store.clips("a")]
    assert back.values.shape == (0, 8)


async def test_after_leaves_out_its_own_clip_and_until_keeps_it(store):
    await filled(store, 0.0, 4.0, 8.0)
    assert await starts(store, after=0.0, until=8.0) == [4.0, 8.0]
    assert await starts(store, until=7.999) == [0.0, 4.0]
    assert await starts(store, after=8.0) == []


async def test_more_clips_than_a_page_come_back_once_each(store):
    times = [index / 3 for index in range(100)]
    await filled(store, *times)
    assert await starts(store) == times


async def test_a_clip_that_arrives_while_reading_is_not_read_twice(store):
    await filled(store, *map(float, range(40)))
    seen = []
    async for tokens in store.clips("a"):
        if tokens.start == 5.0:
            await store.append("a", clip(5.0, value=9.0), JPEG)
            await store.append("a", clip(99.0), JPEG)
        seen.append(tokens.start)
    assert [start for start in seen if start != 99.0] == list(map(float, range(40)))


async def test_the_same_start_replaces_clip_span_and_thumbnail(store):
    await filled(store, 0.0, 4.0)
    await store.append("a", clip(4.0, 4.75, value=7.0), b"new")
    back = [tokens async for tokens in store.clips("a")]
    assert [(c.start, c.end, float(c.values[0, 0])) for c in back] == [
        (0.0, 1.5, 1.0),
        (4.0, 4.75, 7.0),
    ]
    assert await store.moments("a") == [Moment(0.0, 1.5), Moment(4.0, 4.75)]
    assert await store.thumbnail("a", 4.0) == b"new"


async def test_minus_zero_is_the_same_moment_as_zero(store):
    await filled(store, 0.0)
    await store.append("a", clip(-0.0, 1.0), b"new")
    assert await store.thumbnail("a", 0.0) == b"new"
    assert len(await store.moments("a")) == 1


async def test_moments_are_the_newest_ones_oldest_first(store):
    await filled(store, 0.0, 4.0, 8.0)
    assert await store.moments("a", limit=2) == [Moment(4.0, 5.5), Moment(8.0, 9.5)]
    assert await store.moments("a", after=4.0) == [Moment(8.0, 9.5)]
    assert await store.moments("a", limit=0) == []
    assert await store.moments("a", limit=1, until=4.0) == [Moment(4.0, 5.5)]
    assert await store.moments("a", after=0.0, until=7.9) == [Moment(4.0, 5.5)]
    assert await store.moments("a", until=-1.0) == []


async def test_thumbnails_are_kept_byte_for_byte(store):
    await filled(store, 0.0)
    assert await store.thumbnail("a", 0.0) == JPEG
    assert await store.thumbnail("a", 1.0) is None
    assert await store.thumbnail("nobody", 0.0) is None


async def test_a_stream_begins_once(store):
    first = await store.begin("a", 1000.25)
    assert (first.name, first.began, first.clips, first.end) == ("a", 1000.25, 0, None)
    await store.append("a", clip(3.0), JPEG)
    again = await store.begin("a", 2000.0)
    assert (again.began, again.clips, again.end) == (1000.25, 1, 4.5)


async def test_streams_are_listed_by_name(store):
    await filled(store, 0.0, stream="b")
    await filled(store, 0.0, 4.0, stream="a")
    assert [(r.name, r.clips, r.end) for r in await store.streams()] == [
        ("a", 2, 5.5),
        ("b", 1, 1.5),
    ]


async def test_streams_are_listed_in_parts(store):
    for name in ("c", "a", "b", "B-1"):
        await filled(store, 0.0, stream=name)

    async def names(*args, **kwargs):
        return [record.name for record in await store.streams(*args, **kwargs)]

    assert await names() == ["B-1", "a", "b", "c"]
    assert await names(limit=2) == ["B-1", "a"]
    assert await names("a", 1) == ["b"]
    assert await names("aa") == ["b", "c"]
    assert await names("c") == []


async def test_one_stream_is_found_by_its_name(store):
    await filled(store, 0.0, 4.0)
    found = await store.find("a")
    assert (found.name, found.began, found.clips, found.end) == ("a", 1000.0, 2, 5.5)
    assert await store.find("nobody") is None
    await store.forget("a")
    assert await store.find("a") is None


async def test_no_streams_is_an_empty_list(store):
    assert await store.streams() == []


async def test_streams_do_not_see_each_other(store):
    await filled(store, 0.0, stream="a")
    await store.begin("b", 0.0)
    assert await starts(store, "b") == []
    assert await store.moments("b") == []
    assert await store.thumbnail("b", 0.0) is None


async def test_an_unknown_stream_has_no_clips(store):
    assert await starts(store, "nobody") == []
    assert await store.moments("nobody") == []


async def test_forget_is_complete_and_repeatable(store):
    await filled(store, 0.0)
    await filled(store, 0.0, stream="b")
    await store.forget("a")
    await store.forget("a")
    assert await starts(store, "a") == []
    assert await store.thumbnail("a", 0.0) is None
    assert [record.name for record in await store.streams()] == ["b"]


async def test_a_forgotten_stream_begins_anew(store):
    await filled(store, 0.0)
    await store.forget("a")
    with pytest.raises(KeyError):
        await store.append("a", clip(4.0), JPEG)
    assert (await store.begin("a", 5.0)).began == 5.0


async def test_a_clip_of_a_stream_that_never_began_is_refused(store):
    with pytest.raises(KeyError):
        await store.append("nobody", clip(0.0), JPEG)


async def test_what_cannot_be_stored_leaves_nothing_behind(store):
    await filled(store, 0.0)
    with pytest.raises(ValueError, match="float16"):
        await store.append("a", clip(4.0, value=1e9), JPEG)
    assert await store.moments("a") == [Moment(0.0, 1.5)]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
async def test_a_clip_of_values_that_are_no_numbers_is_refused(store, value):
    await filled(store, 0.0)
    with pytest.raises(ValueError, match="float16"):
        await store.append("a", clip(4.0, value=value), JPEG)
    assert await store.moments("a") == [Moment(0.0, 1.5)]


async def test_a_thumbnail_has_a_ceiling(store):
    await filled(store, 0.0)
    with pytest.raises(ValueError, match=str(LARGEST_THUMBNAIL + 1)):
        await store.append("a", clip(4.0), bytes(LARGEST_THUMBNAIL + 1))
    assert await store.moments("a") == [Moment(0.0, 1.5)]
