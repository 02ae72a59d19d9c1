"""The engine through lives of many kinds: whatever happened before, an answer is the right one."""

import asyncio
import gc
import logging
from dataclasses import replace

import pytest

from model.engine import history_cache
from model.errors import EngineBusy, ModelError, NothingSeen
from model.folding.fold import Fold
from model.history import History
from model.types import Question
from tests.model.engine_lives import Life, expected
from tests.model.small_networks import growing


@pytest.fixture(autouse=True)
def nothing_is_logged(caplog):
    """What is kept of a log holds all that an error met: histories too."""
    caplog.set_level(logging.CRITICAL + 1)


def check(life, told, *, whole):
    """Check one answer against what the stream had shown.

    Args:
        life: In which it was given.
        told: The question and its answer.
        whole: Whether a history always holds all that its stream showed.
    """
    question, finish = told.question, told.finish
    if told.given_up:
        return
    within = [
        clip
        for clip in told.clips
        if (question.since is None or clip.end >= question.since)
        and (question.until is None or clip.start <= question.until)
    ]
    if finish is None:
        assert isinstance(told.error, ModelError)
        assert told.error.code != "history_gone"
        if told.error.code == "engine_failed":
            assert life.broken
        if isinstance(told.error, NothingSeen) and whole:
            asked_about = [clip for clip in within if clip in told.clips[: told.at_least]]
            assert not asked_about
        return
    spans = [(clip.start, clip.end) for clip in within]
    usage, rests = finish.usage, [(part.start, part.end) for part in finish.evidence]
    covered = [clip for clip in within if rests[0][0] <= clip.start and clip.end <= rests[-1][1]]
    assert tiles(rests, covered), "clips of the range, or blocks of them, no gaps"
    assert (usage.start, usage.end, usage.clips) == (rests[0][0], rests[-1][1], len(rests))
    assert usage.frames == sum(clip.frames for clip in covered)
    assert sum(part.score for part in finish.evidence) == pytest.approx(1, abs=1e-4)
    assert all(part.score >= 0 for part in finish.evidence)
    assert usage.answer_tokens <= min(question.tokens, 512)
    assert finish.reason in ({"stop", "length", "cancelled"} if life.closed else {"stop", "length"})
    if whole:
        assert rests[0][0] == spans[0][0]
        assert len(covered) >= len([c for c in told.clips[: told.at_least] if c in within])
    if question.sampling is None and finish.reason != "cancelled":
        assert told.words in possible(life, told, covered, rests)


def tiles(spans, clips):
    """Say whether `spans` are `clips`, or runs of them, in order and without a gap."""
    starts, ends = [clip.start for clip in clips], [clip.end for clip in clips]
    bounds = [(starts.index(start), ends.index(end)) for start, end in spans]
    return [first for first, _ in bounds] == [0, *(last + 1 for _, last in bounds[:-1])]


def possible(life, told, covered, rests):
    """Yield what a greedy answer may be: that of the clips it rests on, as if there were no others."""
    fold = Fold(life.chat.parts.rows, life.engine._histories._plan)
    for clip in covered:
        fold.add(clip)
    read = covered if len(rests) == len(covered) else fold.tokens
    if [(one.start, one.end) for one in read] != rests:  # the successor had not caught up
        yield told.words
        return
    words = expected(read, replace(told.question, since=None, until=None))
    yield told.words if words is None else words


async def settle(life):
    """Wait until nothing is under way, then see that nothing is left of it."""
    await life.all_is_quiet()
    life.chat.passes = None
    for answer in life.unread:
        await answer.aclose()
    for stream in list(life.streams.values()):
        if stream.clips and not life.closed:
            await life._ask(stream, Question("what?", tokens=3), None)
            assert life.told[-1].finish is not None or isinstance(life.told[-1].error, EngineBusy)


def check_memory(life):
    """Nothing is left of what ended, and what is held is what is said to be held."""
    engine, entries = life.engine, life.engine._histories._entries
    assert len(engine._generator) == len(engine._questions) == len(engine._clips) == 0
    assert {name.partition("@")[0] for name in entries} <= set(life.names)
    histories = []
    for entry in entries.values():
        tensors = [clip.values for clip in [*entry._fold.tokens, *entry.waiting]]
        for one in (entry._serving, entry._successor):
            if one is not None and one.history is not None:
                histories.append(one.history)
                tensors += [b for grows in growing(one.history) for b in grows._blocks]
        storages = {id(one): one.nbytes for one in tensors}
        sizes = sum(block.sizes.nbytes for block in entry._fold.blocks)
        assert entry.bytes == sum(storages.values()) + sizes
    assert engine.history_bytes <= engine._histories._budget or len(entries) == 1
    gc.collect()
    alive = [o for o in gc.get_objects() if type(o) is History and o._reader is life.chat.reader]
    assert len(alive) == len(histories)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("budget", [1 << 30, 4_000_000, 1])
async def test_whatever_happened_before_an_answer_is_that_of_the_clips_alone(seed, budget):
    life = Life(seed, budget=budget)
    try:
        await life.live(100)
        await settle(life)
        assert life.engine._thread.is_alive()
    finally:
        await life.engine.close()
    for told in life.told:
        check(life, told, whole=True)
    assert sum(told.finish is not None for told in life.told) > 3
    check_memory(life)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("limits", [{"positions": 1536 + 120}, {"budget": 200_000}])
async def test_a_stream_that_outgrows_its_history_is_answered_from_all_of_it(
    seed, limits, monkeypatch
):
    monkeypatch.setattr(history_cache, "_FEWEST", 6)
    life = Life(seed, names="ab", **limits)
    try:
        await life.live(150, mishaps=False)
        await settle(life)
    finally:
        await life.engine.close()
    for told in life.told:
        check(life, told, whole=True)
    finished = [told.finish.usage for told in life.told if told.finish]
    assert any(usage.frames > 4 * usage.clips for usage in finished), "something was folded"
    check_memory(life)


@pytest.mark.parametrize("seed", range(6))
async def test_an_engine_closed_while_everything_runs_ends_everything(seed):
    life = Life(seed, budget=1 << 30 if seed % 2 else 1)
    await life.live(40)
    closing = asyncio.ensure_future(life.engine.close())
    life.closed = True
    await life.live(10)
    await closing
    await settle(life)
    assert not life.engine._thread.is_alive()
    for told in life.told:
        check(life, told, whole=True)
    assert (
        len(life.engine._generator) == len(life.engine._questions) == len(life.engine._clips) == 0
    )
