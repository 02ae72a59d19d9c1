"""What a question looks at after a restart, and when streams compete for memory: real parts, tiny."""

import asyncio
from dataclasses import replace

import pytest
import torch

from memory.local_store import LocalStore
from model import shelf
from model.engine import EngineBusy, HistoryGone
from model.local_engine import LocalEngine
from model.tiny import tiny
from model.types import ClipTokens, Question
from model.video_chat import VideoChat
from stream.recall import TRIES, Recall

PARTS = tiny()
SHORT = replace(
    PARTS,
    config=replace(PARTS.config, language=replace(PARTS.config.language, max_positions=1836)),
)
"""Of whose positions about sixty clips take all."""


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

        def extend(self, stream, clips):
            engine.extend(stream, clips)

        async def answer(self, stream, question):
            raise HistoryGone
            yield

    store = Crowded(engine.encoder)
    await remembered(store, "a", 2)
    with pytest.raises(EngineBusy, match="take all the memory"):
        await last_piece(Recall("a", Gone(), store))
    assert len(tries) == TRIES
