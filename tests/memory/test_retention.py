"""What is kept of a stream past its quota and its age, and that its record says so."""

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from memory.local_store import LocalStore
from memory.retention import Retention, RetentionLimits, equal_bound, quotas, step_of
from memory.store import StreamRecord
from model.types import ClipTokens
from tests.memory.conftest import ENCODER

WHOLE = 4 * (4 + 64)  # bytes of four rows in int8
JPEG = b"jpeg"


def joined(one, other):
    return replace(one, end=other.end, frames=one.frames + other.frames)


def retention(store, **limits):
    return Retention(store, RetentionLimits(**limits), frames=4, join=joined)


async def show(store, first, last, stream="a", value=1.0):
    await store.begin(stream, 1000.0)
    for number in range(first, last):
        tokens = ClipTokens(torch.full((4, 64), value + number), 4.0 * number, 4.0 * number + 3)
        await store.append(stream, tokens, JPEG)


async def clips(store, stream="a"):
    return [tokens async for tokens in store.clips(stream)]


async def test_nothing_changes_within_the_quota(store):
    await show(store, 0, 20)
    before = await store.find("a")
    await retention(store, each=before.bytes).enforce(2000.0)
    assert await store.find("a") == before


async def test_past_the_quota_the_older_half_has_fewer_bits_and_says_so(store):
    await show(store, 0, 20)
    size = (await store.find("a")).bytes
    await retention(store, each=size - 1).enforce(2000.0)
    record = await store.find("a")
    kept = await store.kept("a")
    assert [clip.form for clip in kept] == ["int4"] * 11 + ["int8"] * 9
    assert (record.coarse_until, record.folded_until, record.forgotten_until) == (43.0, None, None)
    assert (record.clips, record.bytes) == (20, sum(clip.bytes for clip in kept))
    assert record.bytes < size


@pytest.fixture
def local():
    return LocalStore(ENCODER)


async def test_a_stream_that_never_ends_is_held_ever_more_coarsely_and_never_beyond_its_quota(
    local,
):
    await show(local, 0, 1)
    quota = 64 * (await local.find("a")).bytes
    keeper = retention(local, each=quota)
    for number in range(1, 800):
        await show(local, number, number + 1)
        await keeper.enforce(2000.0)
        assert (await local.find("a")).bytes <= quota
    kept = await local.kept("a")
    steps = [step_of(clip, 4) for clip in kept]
    assert steps == sorted(steps, reverse=True), "the older the coarser"
    assert set(steps) == {0, 1, 2, 3, 4, 5}
    assert all(one.end < other.start for one, other in pairwise(kept))
    record = await local.find("a")
    assert record.forgotten_until is not None
    assert record.forgotten_until < kept[0].start <= record.forgotten_until + 16 * 4
    assert record.forgotten_until < record.folded_until < record.coarse_until < record.end
    held = kept[-1].end - kept[0].start
    assert held > 2 * 64 * 4, "much longer than whole clips would be"
    assert sum(clip.frames for clip in kept) * 1.0 >= held * 0.9, "every clip that is held counts"


async def test_what_lies_far_apart_is_not_made_one(local):
    await local.begin("a", 0.0)
    for number in range(8):
        start = 1000.0 * number
        await local.append("a", ClipTokens(torch.ones(4, 64), start, start + 3), JPEG)
    size = (await local.find("a")).bytes
    await retention(local, each=size // 4).enforce(0.0)
    record = await local.find("a")
    assert record.bytes <= size // 4
    assert all(clip.end - clip.start == 3 for clip in await clips(local))
    assert record.forgotten_until is not None


async def test_all_streams_together_are_bounded_and_the_largest_gives_first(local):
    await show(local, 0, 30, stream="large")
    await show(local, 0, 4, stream="small")
    total = sum(record.bytes for record in await local.streams())
    await retention(local, total=total - 1).enforce(2000.0)
    large, small = await local.streams()
    assert large.coarse_until is not None
    assert small.coarse_until is None
    assert large.bytes + small.bytes < total


async def test_what_is_too_old_is_forgotten_in_every_stream_or_in_one(store):
    for stream in ("a", "b"):
        await show(store, 0, 10, stream=stream)
    await store.set_keep("b", 10.0)
    await retention(store, keep=20.0).enforce(now=1040.0)
    assert [clip.start for clip in await clips(store, "a")] == [24.0, 28.0, 32.0, 36.0]
    assert [clip.start for clip in await clips(store, "b")] == [32.0, 36.0]
    assert (await store.find("a")).forgotten_until == 23.0
    assert await store.thumbnail("a", 20.0) is None


async def test_another_process_that_changes_the_past_meanwhile_costs_nothing(local):
    await show(local, 0, 20)
    size = (await local.find("a")).bytes
    find = local.find

    async def behind(stream):
        record = await find(stream)
        return replace(record, generation=record.generation - 1)

    local.find = behind
    await retention(local, each=size // 2).enforce(2000.0)
    assert len(await clips(local)) == 20


@given(st.lists(st.integers(0, 100), max_size=8), st.integers(0, 400))
def test_an_equal_bound_takes_the_total_and_no_more(sizes, total):
    bound = equal_bound(sizes, total)
    assert sum(min(size, bound) for size in sizes) <= total + 1e-6
    if sum(sizes) > total:
        assert sum(min(size, bound) for size in sizes) == pytest.approx(total)


def test_a_bound_for_each_and_one_for_all_hold_together():
    records = [StreamRecord(name, 0.0, 1, 1.0, bytes=size) for name, size in
               [("a", 100), ("b", 40), ("c", 10)]]  # fmt: skip
    assert [(r.name, q) for r, q in quotas(records, RetentionLimits())] == []
    assert [(r.name, q) for r, q in quotas(records, RetentionLimits(each=60))] == [("a", 60)]
    assert [(r.name, q) for r, q in quotas(records, RetentionLimits(each=60, total=80))] == [
        ("a", 35),
        ("b", 35),
    ]
