"""What a question looks at after a restart, and when streams compete for memory: real parts, tiny."""

import asyncio
from dataclasses import replace

import pytest
import torch

from memory.local_store import LocalStore
from model import shelf
from model.engine import EngineBusy, HistoryGone, NothingSeen
from model.local_engine import LocalEngine
from model.tiny import tiny
from model.types import ClipTokens, Question
from model.video_chat import VideoChat
from stream.recall import PAGE, TRIES, Recall

PARTS = tiny()
SHORT = replace(
    PARTS,
    config=replace(PARTS.config, language=replace(PARTS.config.language, max_positions=2636)),
)
"""Of whose positions about a hundred and sixty clips take all."""


@pytest.fixture
async def engine():
    made = LocalEngine(VideoChat(SHORT))
    yield made
    await made.close()


async def remembered(store, stream, count, first=0):
    await store.begin(stream, 0.0)
    clips = [
        ClipTokens(torch.full((16, 32), 0.01 * (n % 7)), 4.0 * n, 4.0 * n + 3)
        for n in range(first, first + count)
    ]
    for clip in clips:
        await store.append(stream, clip, b"")
    return clips


async def last_piece(recall):
    return [piece async for piece in recall.ask(Question("what?", tokens=1))][-1]


async def test_a_long_stream_is_answered_from_its_newest_part_after_a_restart(engine):
    store = LocalStore(engine.encoder)
    clips = await remembered(store, "a", 2000)
    finish = await last_piece(Recall("a", engine, store))
    assert finish.usage.end == clips[-1].end
    assert finish.usage.clips == engine.capacity


async def test_a_history_that_lags_by_more_than_it_holds_is_made_anew_from_the_newest(engine):
    store = LocalStore(engine.encoder)
    await remembered(store, "a", 5)
    recall = Recall("a", engine, store)
    assert (await last_piece(recall)).usage.clips == 5
    clips = await remembered(store, "a", engine.capacity + 3, first=5)
    finish = await last_piece(recall)
    assert (finish.usage.end, finish.usage.clips) == (clips[-1].end, engine.capacity)
    clips += await remembered(store, "a", 2, first=engine.capacity + 8)
    finish = await last_piece(recall)
    assert (finish.usage.end, finish.usage.clips) == (clips[-1].end, engine.capacity + 2)


async def test_streams_that_share_too_little_memory_are_all_answered_from_all_they_showed(
    monkeypatch,
):
    monkeypatch.setattr(shelf, "FEWEST", 1000)
    engine = LocalEngine(VideoChat(PARTS), history_bytes=1)
    try:
        store = LocalStore(engine.encoder)
        recalls = {name: Recall(name, engine, store) for name in "abc"}
        for count, name in enumerate("abc", 3):
            await remembered(store, name, count)
        for _ in range(4):
            answers = await asyncio.gather(
                *(answered(recalls[name]) for name in "abc"), return_exceptions=True
            )
            assert any(not isinstance(clips, Exception) for clips in answers)
            for clips, expected in zip(answers, (3, 4, 5), strict=True):
                # Refused in words that say why, or answered from everything; never from a part.
                assert clips == expected or isinstance(clips, EngineBusy)
    finally:
        await engine.close()


async def answered(recall):
    return (await last_piece(recall)).usage.clips


async def test_a_history_given_up_between_two_pages_is_made_again_without_a_hole(engine):
    class Crowded(LocalStore):
        """Other streams need the engine's memory while a second page is read."""

        crowded = True

        async def clips(self, stream, after=float("-inf"), until=float("inf")):
            count = 0
            async for tokens in super().clips(stream, after, until):
                count += 1
                if self.crowded and count == PAGE + 2:
                    self.crowded = False
                    engine.forget(stream)
                yield tokens

    store = Crowded(engine.encoder)
    await remembered(store, "a", engine.capacity)
    assert engine.capacity > PAGE + 2
    finish = await last_piece(Recall("a", engine, store))
    assert (finish.usage.start, finish.usage.clips) == (0.0, engine.capacity)


class Giving:
    """An engine whose memory other streams take just before, or after, it is given clips."""

    def __init__(self, engine, *, before=0, after=0):
        self._engine, self.before, self.after = engine, before, after
        self.capacity, self.reach = engine.capacity, engine.reach
        self.answer, self.forget = engine.answer, engine.forget

    def extend(self, stream, clips, after=None):
        self.before -= 1
        if self.before == 0:
            self._engine.forget(stream)
        self._engine.extend(stream, clips, after)
        self.after -= 1
        if self.after == 0:
            self._engine.forget(stream)


async def test_a_clip_that_comes_as_the_history_is_given_up_does_not_begin_one_with_a_hole(engine):
    store = LocalStore(engine.encoder)
    clips = await remembered(store, "a", 3)
    recall = Recall("a", Giving(engine, before=2), store)
    await recall.catch_up()
    [newest] = await remembered(store, "a", 1, first=3)
    recall.learn(newest, after=clips[-1].end)
    finish = await last_piece(recall)
    assert (finish.usage.start, finish.usage.clips) == (0.0, 4)


async def test_a_history_given_up_before_the_question_is_not_taken_for_a_stream_without_clips(
    engine,
):
    store = LocalStore(engine.encoder)
    await remembered(store, "a", 3)
    finish = await last_piece(Recall("a", Giving(engine, after=1), store))
    assert finish.usage.clips == 3
    with pytest.raises(NothingSeen, match="Nothing has been seen on this stream yet"):
        await last_piece(Recall("b", Giving(engine), store))


async def test_a_history_that_goes_again_and_again_ends_in_a_refusal(engine):
    tries = []

    class Crowded(LocalStore):
        async def moments(self, stream, after=float("-inf"), limit=1000):
            tries.append(stream)
            return await super().moments(stream, after, limit)

    class Gone:
        """An engine whose memory is always taken by others before a question comes first."""

        capacity = engine.capacity

        def reach(self, stream):
            return engine.reach(stream)

        def extend(self, stream, clips, after=None):
            engine.extend(stream, clips, after)

        async def answer(self, stream, question):
            raise HistoryGone
            yield

    store = Crowded(engine.encoder)
    await remembered(store, "a", 2)
    with pytest.raises(EngineBusy, match="take all the memory"):
        await last_piece(Recall("a", Gone(), store))
    assert len(tries) == TRIES
