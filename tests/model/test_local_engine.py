"""The engine's turns: who waits for whom, and what happens when something goes wrong."""

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest
import torch

from model.engine import history_cache
from model.engine.clips import BATCH, MAX_WAITING_CLIPS
from model.engine.local import TRIES, LocalEngine
from model.errors import EngineBusy, ModelError, NothingSeen
from model.types import Clip, ClipTokens, Finish, Question, Sampling, Turn
from model.video_chat import VideoChat
from model.zoo.tiny import tiny
from tests.model.engines import (
    CHAT,
    Recording,
    ask,
    at_rest,
    clip,
    done_by,
    encoded,
    give,
    past,
    reach,
    seen,
)


@pytest.fixture
async def recorded():
    made = LocalEngine(Recording())
    yield made
    await made.close()


@pytest.fixture
async def engine():
    made = LocalEngine(CHAT)
    yield made
    await made.close()


async def test_an_answer_ends_with_what_it_rests_on(engine):
    await seen(engine, "a", 5)
    _, finish = await ask(engine)
    assert isinstance(finish, Finish)
    assert [e.start for e in finish.evidence] == [0.0, 4.0, 8.0, 12.0, 16.0]
    assert sum(e.score for e in finish.evidence) == pytest.approx(1, abs=1e-4)
    assert (finish.usage.clips, finish.usage.frames, finish.usage.end) == (5, 20, 19.0)


async def test_the_evidence_is_each_clips_share_of_the_attention_in_one_pass_by_an_empty_ones(
    engine,
):
    clips = await seen(engine, "a", 7)
    _, finish = await ask(engine)

    def shares(text):
        reading = CHAT.read_once(clips, Question(text))
        attended = reading.selection
        visual = attended.places >= 0
        return torch.zeros(7).index_add(0, attended.clips[visual], attended.scores[visual])

    sums = shares("what?") / shares("")
    expected = (sums / sums.sum()).tolist()
    assert [part.score for part in finish.evidence] == pytest.approx(expected, abs=1e-4)
    assert max(expected) > 1.3 * min(expected), "the shares differ, or nothing was compared"
    assert [(part.start, part.end) for part in finish.evidence] == [(c.start, c.end) for c in clips]
    _, about = await ask(engine, since=8.0, until=19.0)
    assert [part.start for part in about.evidence] == [8.0, 12.0, 16.0]
    assert sum(part.score for part in about.evidence) == pytest.approx(1, abs=1e-4)


async def test_frames_that_were_repeated_to_fill_a_clip_are_not_counted(engine):
    whole = await seen(engine, "a", 2)
    short = Clip(torch.zeros(3, 24, 32, 3, dtype=torch.uint8), 8.0, 10.0)
    tokens = (await engine.encode(short)).tokens
    assert (whole[0].frames, tokens.frames) == (4, 3)
    await give(engine, "a", [tokens])
    _, finish = await ask(engine)
    assert (finish.usage.clips, finish.usage.frames) == (3, 11)
    _, finish = await ask(engine, since=8.0)
    assert finish.usage.frames == 3


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
    await engine.learn("a", clips[-1], clips[-1].end)
    await engine.learn("a", clips[-1], clips[-2].end)
    await engine.learn("a", clips[-1], None)
    _, finish = await ask(engine)
    assert finish.usage.clips == 3
    assert reach(engine, "a") == clips[-1].end


async def test_a_rebuilt_history_answers_like_the_live_one(engine):
    clips = []
    for number in range(4):
        clips.append((await engine.encode(clip(number))).tokens)
        await give(engine, "a", clips[-1:])
        if number == 1:
            await ask(engine)
    live = await ask(engine, tokens=20)
    await engine.forget("a")
    assert reach(engine, "a") is None
    rebuilt = await ask(engine, tokens=20)
    assert rebuilt[0] == live[0]
    for ours, theirs in zip(rebuilt[1].evidence, live[1].evidence, strict=True):
        assert ours.score == pytest.approx(theirs.score, abs=1e-4)


async def test_closing_an_answer_stops_the_writing(engine):
    await seen(engine, "a", 2)
    async with aclosing(engine.answer(past(engine), Question("what?", tokens=400))) as answer:
        await anext(answer)
    # Served after the next turn begins, by which time the closed answer must be gone.
    await ask(engine, tokens=1)
    assert len(engine._generator) == 0


async def test_a_bad_clip_fails_alone(engine):
    bad = Clip(torch.zeros(4, 0, 32, 3, dtype=torch.uint8), 0.0, 3.0)
    results = await asyncio.gather(
        *(engine.encode(c) for c in (clip(0), bad, clip(1))), return_exceptions=True
    )
    assert [type(r).__name__ for r in results] == ["Encoded", "ValueError", "Encoded"]


async def test_too_many_clips_are_refused_not_queued_without_end(engine):
    with at_rest(engine):  # the thread cannot take any meanwhile
        tasks = [
            asyncio.ensure_future(engine.encode(clip(n))) for n in range(MAX_WAITING_CLIPS + 3)
        ]
        await asyncio.sleep(0)
    results = await asyncio.gather(*tasks, return_exceptions=True)
    refused = [r for r in results if isinstance(r, EngineBusy)]
    assert 1 <= len(refused) <= 3


async def test_a_question_that_is_too_long_is_refused_with_the_numbers(engine):
    await seen(engine, "a", 1)
    with pytest.raises(ModelError, match=r"has \d+ tokens, at most 1024"):
        [_ async for _ in engine.answer(past(engine), Question("why " * 1000))]


async def test_histories_beyond_the_budget_are_given_up_oldest_first():
    small = LocalEngine(CHAT, history_bytes=1)
    try:
        await seen(small, "a", 2)
        await ask(small, "a")
        await seen(small, "b", 2)
        await ask(small, "b")
        assert (reach(small, "a"), reach(small, "b")) == (None, 7.0)
    finally:
        await small.close()


async def test_histories_within_the_budget_are_kept_and_those_asked_about_last_stay_longest():
    [one] = encoded(1)
    roomy = LocalEngine(CHAT, history_bytes=1 << 30)
    try:
        for stream in "abc":
            await give(roomy, stream, [one])
            await ask(roomy, stream, tokens=1)
        two = roomy.history_bytes * 2 // 3
    finally:
        await roomy.close()
    small = LocalEngine(CHAT, history_bytes=two)
    try:
        for stream in "ab":
            await give(small, stream, [one])
        for stream in "aba":
            await ask(small, stream, tokens=1)
        await give(small, "c", [one])
        await ask(small, "c", tokens=1)
        assert [reach(small, stream) for stream in "abc"] == [3.0, None, 3.0]
        assert small.history_bytes <= two
    finally:
        await small.close()


async def test_a_background_clip_never_costs_the_stream_that_is_asked_about_its_history():
    small = LocalEngine(CHAT, history_bytes=1)
    try:
        clips = encoded(4)
        await give(small, "b", clips[:2])
        await ask(small, "b", tokens=1)
        await give(small, "a", clips[:2])
        await ask(small, "a", tokens=1)
        for stream in "ba":
            await give(small, stream, clips[2:])  # its history was given up, perhaps
        for stream in "aab":
            _, finish = await ask(small, stream, tokens=1)
            assert finish.usage.end == clips[-1].end
    finally:
        await small.close()


async def test_a_history_that_is_always_given_up_first_ends_in_a_refusal(engine, monkeypatch):
    await seen(engine, "a", 1)
    tries, bring = [], engine._pulling.bring

    async def in_vain(past):
        tries.append(past.name)
        reach = await bring(past)
        await engine.forget(past.stream)
        return reach

    monkeypatch.setattr(engine._pulling, "bring", in_vain)
    with pytest.raises(EngineBusy, match="all the room"):
        await ask(engine, "a")
    assert tries == ["a"] * TRIES


async def test_one_history_never_takes_more_than_its_share_of_the_memory(monkeypatch):
    monkeypatch.setattr(history_cache, "_FEWEST", 4)
    budget = 40 * CHAT.clip_bytes
    engine = LocalEngine(CHAT, history_bytes=budget)
    try:
        tokens = (encoded(1))[0]
        for number in range(120):
            start = 4.0 * number
            await give(engine, "a", [ClipTokens(tokens.values, start, start + 3)])
            _, finish = await ask(engine, tokens=1)
            assert finish.usage.clips <= 24
        while finish.usage.end < 4.0 * 119 + 3:
            _, finish = await ask(engine, tokens=1)
        assert engine.clips_at_most == 13
    finally:
        await engine.close()


async def test_a_step_of_every_answer_comes_first_then_a_question_then_clips_then_what_lags(
    recorded,
):
    calls = done_by(recorded)
    for stream in "abc":
        await seen(recorded, stream, 1)
        await ask(recorded, stream, tokens=1)
    calls.clear()
    with at_rest(recorded):  # everything is there before the thread may look
        asked = [asyncio.ensure_future(ask(recorded, s, text=s, tokens=9)) for s in "abc"]
        clips = [asyncio.ensure_future(recorded.encode(clip(n, 9))) for n in range(BATCH + 2)]
        await give(recorded, "d", [ClipTokens(torch.zeros(16, 32), 0.0, 3.0)])
        await asyncio.sleep(0)
    await asyncio.gather(*asked, *clips)
    # What lags for nobody gives way from its first layer on: the first words come in between.
    assert calls[:3] == [("ask", "a"), ("encode", [0.0, 4.0, 8.0, 12.0]), ("step", 1)]
    assert calls[3:6] == [("ask", "b"), ("encode", [16.0, 20.0]), ("step", 2)]
    assert calls[6:9] == [("step", 2), ("ask", "c"), ("step", 3)]
    assert ("extend", 1) in calls[9:]
    assert max(count for what, count in calls if what == "step") == 3, "written in one batch"


async def test_a_closed_answer_has_at_most_one_more_token_written(recorded):
    await seen(recorded, "a", 2)
    async with aclosing(recorded.answer(past(recorded), Question("what?", tokens=400))) as answer:
        await anext(answer)
    written = sum(what == "step" for what, _ in done_by(recorded))
    await ask(recorded, tokens=1)
    await recorded.close()
    assert sum(what == "step" for what, _ in done_by(recorded)) <= written + 1


@pytest.mark.parametrize("temperature", [1e-38, 1e-9, 2.0])
async def test_no_temperature_harms_the_engine(engine, temperature):
    await seen(engine, "a", 1)
    await ask(engine, sampling=Sampling(temperature))
    coldest, _ = await ask(engine, sampling=Sampling(1e-38))
    assert coldest == (await ask(engine))[0]


@pytest.mark.parametrize("step", ["ask", "step", "evidence"])
async def test_what_fails_fails_for_the_one_who_asked_alone(recorded, step):
    await seen(recorded, "a", 1)
    recorded._chat.fails = {step}
    with pytest.raises(ModelError, match="RuntimeError"):
        await ask(recorded, tokens=3)
    recorded._chat.fails = set()
    assert (await ask(recorded))[1].usage.clips == 1


async def test_an_engine_that_fails_outside_any_answer_says_so_and_goes_on(recorded, monkeypatch):
    await seen(recorded, "a", 1)

    def broken(stream, until):
        raise RuntimeError("nobody expected this")

    with monkeypatch.context() as patched:
        patched.setattr(recorded._histories, "is_behind", broken)
        with pytest.raises(ModelError, match="the network failed"):
            await ask(recorded)
    assert (await ask(recorded))[1].usage.clips == 1


async def test_clips_that_wait_when_the_engine_closes_are_told():
    engine = LocalEngine(CHAT)
    with at_rest(engine):
        waiting = [asyncio.ensure_future(engine.encode(clip(n))) for n in range(9)]
        await asyncio.sleep(0)
        engine._closing = True
    results = await asyncio.gather(*waiting, return_exceptions=True)
    await engine.close()
    assert {type(result) for result in results} == {EngineBusy}


def test_what_the_assistant_said_is_never_put_into_the_mouth_of_the_user():
    said = [Turn("user" if n % 2 == 0 else "assistant", f"line {n} " * 40) for n in range(40)]
    seen_by = CHAT._seen
    asked = Question("where?", conversation=tuple(said[1:]))
    history = CHAT.open()
    CHAT.extend(history, [ClipTokens(torch.zeros(16, 32), 0.0, 3.0)])
    suffix = CHAT._suffix(asked, seen_by(history, range(1)))
    text = b"".join(CHAT.prompt.tokenizer.piece(token) for token in suffix).decode()
    first = text.split("seconds. ")[1].split()[1]
    assert int(first) % 2 == 0
    assert text.count("line") > 40


async def test_closing_ends_answers_as_cancelled_and_refuses_more():
    engine = LocalEngine(CHAT)
    await seen(engine, "a", 1)
    async with aclosing(engine.answer(past(engine), Question("what?", tokens=500))) as answer:
        await anext(answer)
        await engine.close()
        rest = [piece async for piece in answer]
    assert rest[-1].reason in {"cancelled", "length", "stop"}
    with pytest.raises(EngineBusy):
        await engine.encode(clip(0))


async def test_a_stream_that_outgrows_its_positions_goes_on_with_what_is_old_folded():
    parts = tiny()
    short = replace(parts.config, language=replace(parts.config.language, max_positions=1836))
    engine = LocalEngine(VideoChat(replace(parts, config=short)))
    try:
        tokens = (await engine.encode(clip(0))).tokens
        clips = [ClipTokens(tokens.values, 4.0 * n, 4.0 * n + 3) for n in range(150)]
        ends, finish = [], None
        for one in clips:
            await give(engine, "a", [one])
            _, finish = await ask(engine, tokens=1)
            ends.append(finish.usage.end)
            assert reach(engine, "a") == one.end
        assert ends == [one.end for one in clips], "what was given before it is looked at"
        assert (finish.usage.start, finish.usage.frames) == (0.0, 600)
        assert 1 < finish.usage.clips < 60
        assert reach(engine, "a") == clips[-1].end
        usage = (await ask(engine, tokens=1))[1].usage  # by now perhaps the successor answers
        assert (usage.end, usage.frames) == (clips[-1].end, 600), "all known, and once"
    finally:
        await engine.close()


async def test_a_flood_of_clips_is_looked_at_from_its_oldest_to_its_newest():
    parts = tiny()
    short = replace(parts.config, language=replace(parts.config.language, max_positions=1836))
    engine = LocalEngine(VideoChat(replace(parts, config=short)))
    try:
        tokens = (await engine.encode(clip(0))).tokens
        clips = [ClipTokens(tokens.values, 4.0 * n, 4.0 * n + 3) for n in range(300)]
        await give(engine, "a", clips[:10])
        await give(engine, "a", clips[10:])
        _, finish = await ask(engine, tokens=1)
        assert (finish.usage.end, finish.usage.frames) == (clips[-1].end, 1200)
        assert finish.usage.clips > 10
    finally:
        await engine.close()


async def test_a_clip_has_waited_until_the_network_began_with_its_batch():
    """What waits for the second batch waited for the first one to be encoded."""
    chat, now = Recording(), [0.0]

    def encode(clips):
        now[0] += 1.0
        return Recording.encode(chat, clips)

    chat.encode = encode
    engine = LocalEngine(chat, monotonic=lambda: now[0])
    try:
        with at_rest(engine):  # the thread cannot take any meanwhile
            waiting = [asyncio.ensure_future(engine.encode(clip(n))) for n in range(2 * BATCH)]
            await asyncio.sleep(0)
        waited = [made.waited for made in await asyncio.gather(*waiting)]
    finally:
        await engine.close()
    assert waited == [0.0] * BATCH + [1.0] * BATCH


def test_the_tokens_of_a_clip_hold_no_memory_of_those_encoded_with_it():
    for tokens in CHAT.encode([clip(n) for n in range(4)]):
        assert tokens.values.untyped_storage().nbytes() == tokens.values.nbytes
