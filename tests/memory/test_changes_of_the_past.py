"""What every clip store does when the past changes: generation, replacement, forgetting."""

import pytest
import torch

from memory.errors import PastChanged, StreamForgotten
from memory.store import Moment
from model.types import ClipTokens
from tests.memory.test_store import JPEG, clip, filled, starts


async def generation(store, stream: str = "a") -> int:
    return (await store.find(stream)).generation


async def test_the_newest_clip_is_no_change_of_the_past_and_any_other_is(store):
    await filled(store, 0.0, 4.0, 8.0)
    assert await generation(store) == 0
    await store.append("a", clip(8.0), JPEG)
    assert await generation(store) == 0, "its first reply was lost"
    await store.append("a", clip(2.0), JPEG)
    assert await generation(store) == 1
    await store.append("a", clip(8.0, value=2.0), JPEG)
    assert await generation(store) == 2


async def test_what_append_returns_is_what_is_read(store):
    await store.begin("a", 0.0)
    values = torch.randn(4, 33, generator=torch.Generator().manual_seed(3))
    kept = await store.append("a", ClipTokens(values, 0.0, 1.5, frames=3), JPEG)
    [back] = [tokens async for tokens in store.clips("a")]
    assert torch.equal(kept.values, back.values)
    assert (kept.start, kept.end, kept.frames) == (back.start, back.end, back.frames)


async def test_clips_take_the_place_of_others_at_once(store):
    await filled(store, 0.0, 4.0, 8.0, 12.0)
    both = ClipTokens(torch.full((2, 3), 5.0), 4.0, 9.5, frames=8)
    record = await store.replace("a", Moment(4.0, 8.0), [both], generation=0)
    back = [tokens async for tokens in store.clips("a")]
    assert [(c.start, c.end, c.frames) for c in back] == [
        (0.0, 1.5, 4),
        (4.0, 9.5, 8),
        (12.0, 13.5, 4),
    ]
    assert float(back[1].values[0, 0]) == 5.0
    assert (record.generation, record.clips, record.folded_until) == (1, 3, 9.5)
    assert await store.thumbnail("a", 4.0) == JPEG
    assert await store.thumbnail("a", 8.0) is None


async def test_what_was_made_from_another_past_replaces_nothing(store):
    await filled(store, 0.0, 4.0)
    await store.append("a", clip(2.0), JPEG)
    with pytest.raises(PastChanged, match="generation 1"):
        await store.replace("a", Moment(0.0, 4.0), [clip(0.0, 6.0)], generation=0)
    assert await starts(store) == [0.0, 2.0, 4.0]


async def test_a_clip_outside_of_what_it_replaces_is_refused(store):
    await filled(store, 0.0, 4.0)
    with pytest.raises(ValueError, match=r"a clip at 8\.0 s cannot replace"):
        await store.replace("a", Moment(0.0, 4.0), [clip(8.0)], generation=0)
    assert await starts(store) == [0.0, 4.0]


async def test_nothing_may_take_the_place_of_clips(store):
    await filled(store, 0.0, 4.0)
    record = await store.replace("a", Moment(0.0, 0.0), [], generation=0)
    assert await starts(store) == [4.0]
    assert record.folded_until is None


async def test_clips_with_fewer_bits_are_said_to_be_so(store):
    await filled(store, 0.0, 4.0)
    before = (await store.find("a")).bytes
    wide = ClipTokens(torch.ones(2, 64), 0.0, 1.5)
    await store.append("a", wide, JPEG)
    record = await store.replace("a", Moment(0.0, 0.0), [wide], generation=1, form="int4")
    assert (record.coarse_until, record.folded_until) == (1.5, None)
    assert [kept.form for kept in await store.kept("a")] == ["int4", "int8"]
    assert record.bytes == sum(kept.bytes for kept in await store.kept("a")) > before


async def test_bytes_follow_what_is_kept(store):
    await filled(store, 0.0, 4.0, 8.0)
    await store.append("a", clip(4.0, value=2.0), b"another picture")
    await store.forget_range("a", 8.0, 9.0)
    kept = await store.kept("a")
    assert [k.start for k in kept] == [0.0, 4.0]
    assert [k.thumbnail for k in kept] == [len(JPEG), len(b"another picture")]
    assert (await store.find("a")).bytes == sum(k.bytes for k in kept)


async def test_a_range_is_forgotten_with_whatever_reaches_into_it(store):
    await filled(store, 0.0, 4.0, 8.0, 12.0)
    assert await store.forget_range("a", 5.0, 8.0) == 2
    assert await starts(store) == [0.0, 12.0]
    assert await store.thumbnail("a", 4.0) is None
    assert await generation(store) == 1
    assert await store.forget_range("a", 2.0, 3.0) == 0
    assert await store.forget_range("nobody", 2.0, 3.0) == 0
    assert await generation(store) == 1, "nothing changed"


async def test_until_when_all_was_forgotten_is_said(store):
    await filled(store, 0.0, 4.0, 8.0)
    await store.forget_range("a", 8.0, 9.0)
    assert (await store.find("a")).forgotten_until is None
    await store.forget_range("a", float("-inf"), 4.0)
    assert (await store.find("a")).forgotten_until == 5.5


async def test_how_long_a_stream_is_kept_is_remembered(store):
    await filled(store, 0.0)
    assert (await store.set_keep("a", 3600.0)).keep == 3600.0
    assert (await store.find("a")).keep == 3600.0
    assert (await store.set_keep("a", None)).keep is None
    with pytest.raises(KeyError):
        await store.set_keep("nobody", 1.0)


async def test_a_deleted_stream_stays_deleted_until_it_is_begun_deliberately(store):
    await filled(store, 0.0)
    await store.append("a", clip(-1.0), JPEG)
    await store.forget("a")
    with pytest.raises(StreamForgotten):
        await store.append("a", clip(4.0), JPEG)
    with pytest.raises(StreamForgotten):
        await store.resume("a", 1000.0)
    assert await store.find("a") is None
    record = await store.begin("a", 2000.0)
    assert (record.began, record.clips) == (2000.0, 0)
    assert record.generation > 1, "another past than before the deletion"
    await store.append("a", clip(4.0), JPEG)


async def test_a_stream_that_the_store_lost_is_resumed_as_it_began(store):
    assert (await store.resume("a", 1000.0)).began == 1000.0
    await store.append("a", clip(0.0), JPEG)
    assert (await store.resume("a", 5.0)).clips == 1


async def test_columns_that_must_be_exact_are_read_as_they_were(store):
    values = torch.randn(4, 40, generator=torch.Generator().manual_seed(5))
    values[:, -12:] = torch.randint(0, 580, (4, 12), generator=torch.Generator().manual_seed(6))
    store._exact = 12
    await store.begin("a", 0.0)
    await store.append("a", ClipTokens(values, 0.0, 1.5), JPEG)
    await store.replace(
        "a", Moment(0.0, 0.0), [t async for t in store.clips("a")], generation=0, form="int4"
    )
    [back] = [tokens async for tokens in store.clips("a")]
    assert torch.equal(back.values[:, -12:].float(), values[:, -12:])
    assert not torch.equal(back.values.float(), values.half().float())
