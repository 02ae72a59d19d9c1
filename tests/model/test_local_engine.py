"""The engine's turns: who waits for whom, and what happens when something goes wrong."""

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest
import torch

from model.engine import EngineBusy, NothingSeen, QuestionTooLong
from model.local_engine import CLIPS_WAITING, LocalEngine
from model.tiny import tiny
from model.types import Clip, ClipTokens, Finish, Question, Words
from model.video_chat import VideoChat

CHAT = VideoChat(tiny())


@pytest.fixture
async def engine():
    made = LocalEngine(CHAT)
    yield made
    await made.close()


def clip(number, seed=0):
    generator = torch.Generator().manual_seed(1000 * seed + number)
    pixels = torch.randint(0, 256, (4, 24, 32, 3), dtype=torch.uint8, generator=generator)
    return Clip(pixels, 4.0 * number, 4.0 * number + 3)


async def seen(engine, stream, count, seed=0):
    clips = await asyncio.gather(*(engine.encode(clip(n, seed)) for n in range(count)))
    engine.extend(stream, clips)
    return clips


async def ask(engine, stream="a", **about):
    pieces = [p async for p in engine.answer(stream, Question("what?", **({"tokens": 6} | about)))]
    return "".join(p.text for p in pieces if isinstance(p, Words)), pieces[-1]


async def test_an_answer_ends_with_what_it_rests_on(engine):
    await seen(engine, "a", 5)
    _, finish = await ask(engine)
    assert isinstance(finish, Finish)
    assert [e.start for e in finish.evidence] == [0.0, 4.0, 8.0, 12.0, 16.0]
    assert sum(e.score for e in finish.evidence) == pytest.approx(1, abs=1e-4)
    assert (finish.usage.clips, finish.usage.frames, finish.usage.end) == (5, 20, 19.0)


async def test_without_clips_the_engine_says_that_nothing_was_seen(engine):
    with pytest.raises(NothingSeen):
        await ask(engine)
    await seen(engine, "a", 2)
    with pytest.raises(NothingSeen):
        await ask(engine, since=100.0)


async def test_answers_of_several_streams_written_together_equal_those_written_alone(engine):
    for number, stream in enumerate("abc"):
        await seen(engine, stream, 2 + number, seed=number)
    together = await asyncio.gather(*(ask(engine, stream, tokens=12) for stream in "abc"))
    alone = [await ask(engine, stream, tokens=12) for stream in "abc"]
    assert [text for text, _ in together] == [text for text, _ in alone]


async def test_clips_given_twice_are_read_once(engine):
    clips = await seen(engine, "a", 3)
    engine.extend("a", clips)
    _, finish = await ask(engine)
    assert finish.usage.clips == 3
    assert engine.reach("a") == clips[-1].end


async def test_a_rebuilt_history_answers_like_the_live_one(engine):
    clips = []
    for number in range(4):
        clips.append(await engine.encode(clip(number)))
        engine.extend("a", clips[-1:])
        if number == 1:
            await ask(engine)
    live = await ask(engine, tokens=20)
    engine.forget("a")
    assert engine.reach("a") is None
    engine.extend("a", clips)
    rebuilt = await ask(engine, tokens=20)
    assert rebuilt[0] == live[0]
    for ours, theirs in zip(rebuilt[1].evidence, live[1].evidence, strict=True):
        assert ours.score == pytest.approx(theirs.score, abs=1e-4)


async def test_closing_an_answer_stops_the_writing(engine):
    await seen(engine, "a", 2)
    async with aclosing(engine.answer("a", Question("what?", tokens=400))) as answer:
        await anext(answer)
    # Served after the next turn begins, by which time the closed answer must be gone.
    await ask(engine, tokens=1)
    assert engine._writing == []


async def test_a_bad_clip_fails_alone(engine):
    bad = Clip(torch.zeros(4, 0, 32, 3, dtype=torch.uint8), 0.0, 3.0)
    results = await asyncio.gather(
        *(engine.encode(c) for c in (clip(0), bad, clip(1))), return_exceptions=True
    )
    assert [type(r).__name__ for r in results] == ["ClipTokens", "ValueError", "ClipTokens"]


async def test_too_many_clips_are_refused_not_queued_without_end(engine):
    with engine._work:  # the thread cannot take any meanwhile
        tasks = [asyncio.ensure_future(engine.encode(clip(n))) for n in range(CLIPS_WAITING + 3)]
        await asyncio.sleep(0)
    results = await asyncio.gather(*tasks, return_exceptions=True)
    refused = [r for r in results if isinstance(r, EngineBusy)]
    assert 1 <= len(refused) <= 3


async def test_a_question_that_is_too_long_is_refused_with_the_numbers(engine):
    await seen(engine, "a", 1)
    with pytest.raises(QuestionTooLong, match=r"has \d+ tokens, at most 1024"):
        [_ async for _ in engine.answer("a", Question("why " * 1000))]


async def test_histories_beyond_the_budget_are_given_up_oldest_first():
    small = LocalEngine(CHAT, history_bytes=1)
    try:
        await seen(small, "a", 2)
        await ask(small, "a")
        await seen(small, "b", 2)
        await ask(small, "b")
        assert (small.reach("a"), small.reach("b")) == (None, 7.0)
    finally:
        await small.close()


async def test_closing_ends_answers_as_cancelled_and_refuses_more():
    engine = LocalEngine(CHAT)
    await seen(engine, "a", 1)
    async with aclosing(engine.answer("a", Question("what?", tokens=500))) as answer:
        await anext(answer)
        await engine.close()
        rest = [piece async for piece in answer]
    assert rest[-1].reason in {"cancelled", "length", "stop"}
    with pytest.raises(EngineBusy):
        await engine.encode(clip(0))


async def test_a_stream_that_outgrows_its_positions_goes_on_from_its_newer_half():
    parts = tiny()
    short = replace(parts.config, language=replace(parts.config.language, max_positions=1836))
    engine = LocalEngine(VideoChat(replace(parts, config=short)))
    try:
        tokens = await engine.encode(clip(0))
        clips = [ClipTokens(tokens.values, 4.0 * n, 4.0 * n + 3) for n in range(150)]
        ends, finish = [], None
        for one in clips:
            engine.extend("a", [one])
            _, finish = await ask(engine, tokens=1)
            ends.append(finish.usage.end)
        # A question never waits for the successor; it may miss the newest clips for a moment.
        assert ends == sorted(ends)
        while finish.usage.end < clips[-1].end:
            _, finish = await ask(engine, tokens=1)
        assert finish.usage.start > 0
        assert 1 < finish.usage.clips < 60
    finally:
        await engine.close()
