"""What every engine keeps to: the one of this machine, a slow one, one that fails, and the tests' own.

`FAITHFUL` engines read clips and questions; the small ones of other tests answer without looking, so
what an answer may draw on is asked of the faithful alone.
"""

import asyncio
import contextlib
from contextlib import aclosing

import pytest
import torch

from benchmarks.slow_service import SlowEngine
from model.engine.contract import Engine
from model.engine.local import LocalEngine
from model.errors import EngineError, EngineFailed, NothingSeen, QuestionTooLong
from model.types import Clip, ClipTokens, Finish, Question, Turn, Words
from model.video_chat import VideoChat
from model.zoo.tiny import tiny
from tests.stream.fakes import FakeEngine
from tests.stream.lives import SlowEngine as CountingEngine
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
        with contextlib.suppress(EngineFailed):
            return await call()
    raise AssertionError("it fails nine times in a row")


async def encode(engine, one):
    return await persistently(lambda: engine.encode(one))


async def seen(engine, count, stream="a"):
    clips = [await encode(engine, clip(number)) for number in range(count)]
    engine.extend(stream, clips)
    return clips


async def pieces(engine, question, stream="a"):
    async def ask():
        return [piece async for piece in engine.answer(stream, question)]

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


async def test_it_is_said_when_the_network_begins_with_a_clip(engine):
    said = []
    with contextlib.suppress(EngineFailed):
        await engine.encode(clip(1), lambda: said.append("begun"))
    assert said == ["begun"]


async def test_many_clips_at_once_each_get_their_own_tokens(engine):
    made = await asyncio.gather(*(encode(engine, clip(number)) for number in range(6)))
    assert [tokens.start for tokens in made] == [4.0 * number for number in range(6)]


async def test_a_history_reaches_as_far_as_it_was_given(engine):
    assert engine.reach("a") is None
    await seen(engine, 3)
    assert engine.reach("a") == 11.0
    assert engine.reach("b") is None


async def test_clips_that_are_known_do_no_harm(engine):
    clips = await seen(engine, 3)
    engine.extend("a", clips)
    engine.extend("a", [], None)
    assert engine.reach("a") == 11.0
    [*_, finish] = await pieces(engine, QUESTION)
    assert finish.usage.clips == 3


async def test_clips_that_would_leave_a_hole_are_passed_over(engine):
    clips = await seen(engine, 4, stream="other")
    engine.extend("a", clips[:2])
    engine.extend("a", clips[3:], after=11.0)
    assert engine.reach("a") == 7.0
    engine.extend("new", clips[3:], after=11.0)
    assert engine.reach("new") is None


async def test_what_was_forgotten_is_gone_and_can_be_given_again(engine):
    clips = await seen(engine, 2)
    engine.forget("a")
    engine.forget("never seen")
    assert engine.reach("a") is None
    with pytest.raises(NothingSeen):
        await pieces(engine, QUESTION)
    engine.extend("a", clips)
    assert engine.reach("a") == 7.0


@pytest.mark.parametrize("background", [False, True])
async def test_an_answer_is_words_and_one_finish_that_says_what_it_rests_on(engine, background):
    await seen(engine, 3)
    question = Question(QUESTION.text, tokens=3, background=background)
    [*words, finish] = await pieces(engine, question)
    assert all(isinstance(piece, Words) for piece in words)
    assert isinstance(finish, Finish)
    assert finish.reason in {"stop", "length"}
    assert (finish.usage.clips, finish.usage.frames) == (3, 12)
    assert (finish.usage.start, finish.usage.end) == (0.0, 11.0)
    assert [(one.start, one.end) for one in finish.evidence] == [(0, 3), (4, 7), (8, 11)]
    assert sum(one.score for one in finish.evidence) == pytest.approx(1)


async def test_two_are_answered_at_once(engine):
    await seen(engine, 2)
    both = await asyncio.gather(pieces(engine, QUESTION), pieces(engine, QUESTION))
    assert [type(answer[-1]) for answer in both] == [Finish, Finish]


async def test_who_leaves_in_the_middle_harms_nobody(engine):
    await seen(engine, 2)

    async def leave():
        async with aclosing(engine.answer("a", Question("one two three", tokens=50))) as answer:
            await anext(answer)

    await persistently(leave)
    assert isinstance((await pieces(engine, QUESTION))[-1], Finish)


async def test_words_and_things_are_one_for_each_clip_or_not_to_be_had(engine):
    clips = await seen(engine, 2)
    for told in (engine.words, engine.things):
        said = await told(clips)
        assert said is None or len(said) == 2


async def test_a_question_about_a_time_looks_at_that_time_alone(faithful):
    await seen(faithful, 4)
    ranged = Question("What?", tokens=1, since=5.0, until=8.0)
    [*_, finish] = await pieces(faithful, ranged)
    assert (finish.usage.start, finish.usage.end) == (4.0, 11.0)
    with pytest.raises(NothingSeen):
        await pieces(faithful, Question("What?", since=100.0))


async def test_earlier_lines_are_taken(faithful):
    await seen(faithful, 1)
    earlier = (Turn("user", "What?"), Turn("assistant", "That."))
    alone = (await pieces(faithful, QUESTION))[-1].usage.prompt_tokens
    after = Question(QUESTION.text, earlier, tokens=3)
    assert (await pieces(faithful, after))[-1].usage.prompt_tokens > alone


async def test_what_goes_wrong_is_an_engine_error_with_a_code(faithful):
    await seen(faithful, 1)
    for stream, text, kind in (("x", "What?", NothingSeen), ("a", "x" * 9999, QuestionTooLong)):
        with pytest.raises(EngineError) as caught:
            await pieces(faithful, Question(text), stream)
        assert isinstance(caught.value, kind)
        assert caught.value.code


async def test_a_clip_that_is_no_clip_is_refused_and_the_next_is_taken(faithful):
    with pytest.raises((ValueError, EngineFailed)):
        await faithful.encode(clip(0, frames=5))
    assert (await encode(faithful, clip(1))).start == 4.0


async def test_answers_under_way_end_as_cancelled_when_it_is_closed(faithful):
    await seen(faithful, 1)
    long = Question("What?", tokens=500)
    asking = asyncio.ensure_future(pieces(faithful, long))
    await pieces(faithful, QUESTION)  # by then the other is being written
    await faithful.close()
    assert (await asking)[-1].reason in {"cancelled", "stop"}


async def test_a_network_that_fails_says_so_with_a_code_and_goes_on():
    engine = LocalEngine(Unsteady())
    try:
        with pytest.raises(EngineFailed, match=r"the network failed \(RuntimeError\)") as caught:
            await engine.encode(clip(0))
        assert caught.value.code == "engine_failed"
        await seen(engine, 1)
        with pytest.raises(EngineFailed):
            [piece async for piece in engine.answer("a", QUESTION)]
        assert isinstance((await pieces(engine, QUESTION))[-1], Finish)
    finally:
        await engine.close()
