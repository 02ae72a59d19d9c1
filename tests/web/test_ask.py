"""Asking a stream, whoever asks: what comes, how long it took, and why nothing comes."""

from contextlib import aclosing

import pytest

from memory.errors import EncoderMismatch, StoreUnavailable
from memory.local_store import LocalStore
from model.errors import EngineBusy, ModelError, NothingSeen
from model.types import Finish, Question, Words
from stream.errors import UnknownStream
from stream.registry import Registry
from stream.settings import StreamSettings
from tests.web.conftest import remember
from tests.web.fakes import EchoEngine
from web.ask import Stopwatch, ask_whole, failing_as_asked
from web.errors import Full, Refusal

HELLO = Question("hello old world")


class Ticking:
    """A clock that is a second further whenever it is looked at."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        self.now += 1
        return self.now


@pytest.fixture
def engine():
    return EchoEngine()


@pytest.fixture
async def live(engine):
    """A stream that has shown two clips."""
    clock, store = Ticking(), LocalStore(engine.encoder)
    registry = Registry(
        engine=engine, store=store, settings=StreamSettings(), wall=clock, monotonic=clock
    )
    await remember(store, clips=2)
    yield await registry.open("cam")
    await registry.close()


async def test_words_come_one_by_one_and_the_last_piece_says_what_they_rest_on(live):
    async with aclosing(live.ask(HELLO)) as pieces:
        *words, last = [piece async for piece in pieces]
    assert words == [Words("hello "), Words("old "), Words("world ")]
    assert isinstance(last, Finish)
    assert len(last.evidence) == 2


async def test_a_whole_answer_says_when_its_first_word_came_and_when_its_last(live):
    answered = await ask_whole(live, HELLO, Stopwatch(Ticking()))
    assert (answered.text, answered.finish.reason) == ("hello old world", "stop")
    assert (answered.first_token_ms, answered.total_ms) == (1000, 2000)


async def test_an_answer_that_is_closed_early_is_closed_in_the_engine(live, engine):
    engine.gate.clear()
    async with aclosing(live.ask(HELLO)) as pieces:
        assert await anext(pieces) == Words("hello ")
    assert engine.closed_early.is_set()


async def test_an_engine_that_fails_fails_what_was_asked(live, engine):
    engine.failure, stopwatch = (
        ModelError("no more memory", code="engine_failed"),
        Stopwatch(Ticking()),
    )
    with pytest.raises(Refusal, match="the log of the service") as failure:
        await ask_whole(live, HELLO, stopwatch)
    assert (failure.value.code, failure.value.status) == ("engine_failed", 500)
    assert failure.value.__cause__ is engine.failure
    assert stopwatch.first_token_ms is None


@pytest.mark.parametrize(
    ("error", "code", "status", "text"),
    [
        (UnknownStream("cam"), "nothing_seen", 404, "yet of a stream of this name"),
        (NothingSeen(), "nothing_seen", 404, "Nothing has been seen yet"),
        (
            NothingSeen.in_range("It goes from 3 to {9} s.", (3, 9)),
            "nothing_seen",
            404,
            "It goes from 3 to {9}",
        ),
        (StoreUnavailable("Redis is away."), "memory_unavailable", 503, "soon. Redis is away."),
        (EncoderMismatch(), "foreign_memory", 500, "by another vision encoder"),
        (Full("This token has its 2."), "engine_busy", 503, "This token has its 2."),
        (EngineBusy(), "engine_busy", 503, "Too many questions"),
        (
            ModelError("900 of 512 tokens", code="question_too_long"),
            "question_too_long",
            400,
            "(900 of 512 tokens)",
        ),
    ],
)
def test_every_failure_has_a_code_a_status_and_what_to_do(error, code, status, text):
    with pytest.raises(Refusal) as failure, failing_as_asked():
        raise error
    assert (failure.value.code, failure.value.status) == (code, status)
    assert text in str(failure.value)


def test_what_is_no_failure_of_a_question_is_left_alone():
    with pytest.raises(ZeroDivisionError), failing_as_asked():
        raise ZeroDivisionError
