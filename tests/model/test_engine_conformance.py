"""What every engine keeps to: the one of this machine, a slow one, one that fails, and the tests' own.

`FAITHFUL` engines read clips and questions; the small ones of other tests answer without looking, so
what an answer may draw on is asked of the faithful alone.
"""

import asyncio
from contextlib import aclosing
from dataclasses import replace
from itertools import pairwise
from math import inf

import pytest
import torch

from benchmarks.harness.slow_service import SlowEngine
from memory.errors import StoreUnavailable
from memory.local_store import LocalStore
from model.engine.contract import Engine, Past
from model.engine.local import LocalEngine
from model.errors import ModelError, NothingSeen
from model.types import Clip, ClipTokens, Encoded, Finish, Question, Turn, Words
from model.video_chat import VideoChat
from model.zoo.tiny import tiny
from tests.stream.fakes import FakeEngine
from tests.stream.lives import SlowEngine as CountingEngine
from tests.web.cluster.clusters import Cluster
from tests.web.fakes import EchoEngine


class Unsteady(VideoChat):
    """A network that fails at the first try of everything, every second time."""

    def __init__(self):
        super().__init__(tiny())
        self._tries = {"encode": 0, "ask": 0}

    def encode(self, clips):
        self._fail("encode")
        return super().encode(clips)

    def ask(self, *about):
        self._fail("ask")
        return super().ask(*about)

    def _fail(self, what):
        self._tries[what] += 1
        if self._tries[what] % 2:
            raise RuntimeError(f"no {what} at the first try")


FAITHFUL = {
    "local": lambda: LocalEngine(VideoChat(tiny())),
    "slow": lambda: SlowEngine(LocalEngine(VideoChat(tiny())), 0.001),
    "failing": lambda: LocalEngine(Unsteady()),
    "cluster": Cluster,
}
OWN = {"echo": EchoEngine, "fake": FakeEngine, "counting": CountingEngine}


@pytest.fixture(params=[*FAITHFUL, *OWN])
async def engine(request):
    made = {**FAITHFUL, **OWN}[request.param]()
    yield made
    await made.close()


@pytest.fixture(params=FAITHFUL)
async def faithful(request):
    made = FAITHFUL[request.param]()
    yield made
    await made.close()


def clip(number, frames=4):
    pixels = torch.full((frames, 32, 32, 3), number % 250, dtype=torch.uint8)
    return Clip(pixels, 4.0 * number, 4.0 * number + 3)


async def persistently(call):
    """Do as the service does: what fails is tried again."""
    for _ in range(9):
        try:
            return await call()
        except ModelError as error:
            if error.code != "engine_failed":
                raise
    raise AssertionError("it fails nine times in a row")


async def encode(engine, one):
    return (await persistently(lambda: engine.encode(one))).tokens


@pytest.fixture
def store():
    return LocalStore("any", form="float16")


async def remember(store, clips, stream="a"):
    await store.begin(stream, 0.0)
    return [await store.append(stream, one, b"") for one in clips]


async def seen(engine, store, count, stream="a"):
    return await remember(store, [await encode(engine, clip(n)) for n in range(count)], stream)


async def pieces(engine, store, question, stream="a", **about):
    past = Past(stream, store, **about)

    async def ask():
        return [piece async for piece in engine.answer(past, question)]

    return await persistently(ask)


QUESTION = Question("What do you see?", tokens=3)


async def test_it_says_what_it_is(engine):
    assert isinstance(engine, Engine)
    assert engine.name
    assert engine.encoder
    assert engine.clips_at_most >= 1


@pytest.mark.parametrize("frames", [4, 1])
async def test_tokens_have_the_times_and_frames_of_their_clip(engine, frames):
    made = await encode(engine, clip(7, frames))
    assert isinstance(made, ClipTokens)
    assert (made.start, made.end, made.frames) == (28.0, 31.0, frames)
    assert made.values.ndim == 2


async def test_it_says_how_long_a_clip_waited(engine):
    made = await persistently(lambda: engine.encode(clip(1)))
    assert isinstance(made, Encoded)
    assert made.waited >= 0


async def test_many_clips_at_once_each_get_their_own_tokens(engine):
    made = await asyncio.gather(*(encode(engine, clip(number)) for number in range(6)))
    assert [tokens.start for tokens in made] == [4.0 * number for number in range(6)]


def spans(finish):
    return [(one.start, one.end) for one in finish.evidence]


async def test_whatever_memory_holds_when_it_is_asked_is_looked_at(engine, store):
    clips = await seen(engine, store, 3)
    assert spans((await pieces(engine, store, QUESTION))[-1]) == [(0, 3), (4, 7), (8, 11)]
    [newer] = await remember(store, [replace(clips[0], start=12.0, end=15.0)])
    assert (await pieces(engine, store, QUESTION))[-1].usage.end == newer.end
    with pytest.raises(NothingSeen):
        await pieces(engine, store, QUESTION, "never seen")


async def test_a_clip_it_learns_of_is_looked_at_once_whatever_it_does_with_it(engine, store):
    clips = await seen(engine, store, 3)
    for _ in range(2):
        for before, one in pairwise([None, *clips]):
            await engine.learn("a", one, None if before is None else before.end)
        finish = (await pieces(engine, store, QUESTION))[-1]
        assert spans(finish) == [(0, 3), (4, 7), (8, 11)]
    await engine.learn("b", clips[2], clips[1].end)  # it has not seen what comes before
    await remember(store, clips, "b")
    assert (await pieces(engine, store, QUESTION, "b"))[-1].usage.clips == 3


async def test_it_may_be_prepared_ahead_of_a_question(engine, store):
    await seen(engine, store, 2)
    assert await engine.prepare(Past("a", store)) is False
    assert await engine.prepare(Past("never seen", store)) is False
    assert (await pieces(engine, store, QUESTION))[-1].usage.clips == 2


async def test_a_past_that_changed_is_answered_from_as_it_is_now(engine, store):
    await seen(engine, store, 4)
    assert (await pieces(engine, store, QUESTION))[-1].usage.clips == 4
    await store.forget_range("a", 4.0, 7.0)
    assert spans((await pieces(engine, store, QUESTION))[-1]) == [(0, 3), (8, 11), (12, 15)]
    await store.forget("a")
    with pytest.raises(NothingSeen):
        await pieces(engine, store, QUESTION)


async def test_what_memory_forgot_before_anybody_asked_is_not_answered_from(engine, store):
    for before, one in pairwise([None, *await seen(engine, store, 4)]):
        await engine.learn("a", one, None if before is None else before.end)
    await store.forget_range("a", 0.0, 7.0)
    assert spans((await pieces(engine, store, QUESTION))[-1]) == [(8, 11), (12, 15)]


async def test_what_was_forgotten_is_read_again_where_memory_still_holds_it(engine, store):
    await seen(engine, store, 2)
    await pieces(engine, store, QUESTION)
    await engine.forget("a")
    await engine.forget("never seen")
    assert (await pieces(engine, store, QUESTION))[-1].usage.clips == 2


async def test_a_part_of_the_past_is_answered_from_as_if_there_were_no_other(engine, store):
    await seen(engine, store, 6)
    parts = ((4.0, 8.0), (20.0, inf))
    for once in (True, False):
        finish = (await pieces(engine, store, QUESTION, spans=parts, once=once))[-1]
        assert spans(finish) == [(4, 7), (8, 11), (20, 23)]
    assert (await pieces(engine, store, QUESTION))[-1].usage.clips == 6


async def test_what_goes_wrong_in_memory_is_said_as_memory_says_it(engine):
    class Away(LocalStore):
        async def clips(self, *_):
            raise StoreUnavailable("it is away")
            yield

    store = Away("any", form="float16")
    await seen(engine, store, 1)
    with pytest.raises(StoreUnavailable, match="it is away"):
        await pieces(engine, store, QUESTION)


@pytest.mark.parametrize("background", [False, True])
async def test_an_answer_is_words_and_one_finish_that_says_what_it_rests_on(
    engine, store, background
):
    await seen(engine, store, 3)
    question = Question(QUESTION.text, tokens=3, background=background)
    [*words, finish] = await pieces(engine, store, question)
    assert all(isinstance(piece, Words) for piece in words)
    assert isinstance(finish, Finish)
    assert finish.reason in {"stop", "length"}
    assert (finish.usage.clips, finish.usage.frames) == (3, 12)
    assert (finish.usage.start, finish.usage.end) == (0.0, 11.0)
    assert [(one.start, one.end) for one in finish.evidence] == [(0, 3), (4, 7), (8, 11)]
    assert sum(one.score for one in finish.evidence) == pytest.approx(1)


async def test_two_are_answered_at_once(engine, store):
    await seen(engine, store, 2)
    both = await asyncio.gather(pieces(engine, store, QUESTION), pieces(engine, store, QUESTION))
    assert [type(answer[-1]) for answer in both] == [Finish, Finish]


async def test_who_leaves_in_the_middle_harms_nobody(engine, store):
    await seen(engine, store, 2)

    async def leave():
        async with aclosing(
            engine.answer(Past("a", store), Question("one two three", tokens=50))
        ) as answer:
            await anext(answer)

    await persistently(leave)
    assert isinstance((await pieces(engine, store, QUESTION))[-1], Finish)


async def test_things_are_one_list_for_each_clip_or_not_to_be_had(engine, store):
    clips = await seen(engine, store, 2)
    said = await engine.things(clips)
    assert said is None or len(said) == 2


async def test_a_question_about_a_time_looks_at_that_time_alone(faithful, store):
    await seen(faithful, store, 4)
    ranged = Question("What?", tokens=1, since=5.0, until=8.0)
    [*_, finish] = await pieces(faithful, store, ranged)
    assert (finish.usage.start, finish.usage.end) == (4.0, 11.0)
    with pytest.raises(NothingSeen):
        await pieces(faithful, store, Question("What?", since=100.0))


async def test_earlier_lines_are_taken(faithful, store):
    await seen(faithful, store, 1)
    earlier = (Turn("user", "What?"), Turn("assistant", "That."))
    alone = (await pieces(faithful, store, QUESTION))[-1].usage.prompt_tokens
    after = Question(QUESTION.text, earlier, tokens=3)
    assert (await pieces(faithful, store, after))[-1].usage.prompt_tokens > alone


async def test_what_goes_wrong_is_an_engine_error_with_a_code(faithful, store):
    await seen(faithful, store, 1)
    for stream, text, code in (
        ("x", "What?", "nothing_seen"),
        ("a", "x" * 9999, "question_too_long"),
    ):
        with pytest.raises(ModelError) as caught:
            await pieces(faithful, store, Question(text), stream)
        assert caught.value.code == code


async def test_a_clip_that_is_no_clip_is_refused_and_the_next_is_taken(faithful):
    with pytest.raises((ValueError, ModelError)):
        await faithful.encode(clip(0, frames=5))
    assert (await encode(faithful, clip(1))).start == 4.0


async def test_answers_under_way_end_as_cancelled_when_it_is_closed(faithful, store):
    await seen(faithful, store, 1)
    long = Question("What?", tokens=500)
    asking = asyncio.ensure_future(pieces(faithful, store, long))
    await pieces(faithful, store, QUESTION)  # by then the other is being written
    await faithful.close()
    assert (await asking)[-1].reason in {"cancelled", "stop"}


async def test_a_network_that_fails_says_so_with_a_code_and_goes_on(store):
    engine = LocalEngine(Unsteady())
    try:
        with pytest.raises(ModelError, match=r"the network failed \(RuntimeError\)") as caught:
            await engine.encode(clip(0))
        assert caught.value.code == "engine_failed"
        await seen(engine, store, 1)
        with pytest.raises(ModelError, match="the network failed"):
            [piece async for piece in engine.answer(Past("a", store), QUESTION)]
        assert isinstance((await pieces(engine, store, QUESTION))[-1], Finish)
    finally:
        await engine.close()
