"""Nobody starves: neither clips under a stream of questions, nor a question under many clips.

Counted in steps of the engine, never in time.
"""

import asyncio
from itertools import pairwise

import pytest
import torch

from model.engine.clips import BATCH, MAX_WAITING_CLIPS
from model.engine.folded_history import MANY_AT_ONCE
from model.engine.generation import (
    MAX_CONCURRENT,
    MAX_CONCURRENT_BACKGROUND,
    MAX_WAITING_BACKGROUND,
    MAX_WAITING_QUESTIONS,
)
from model.engine.local import LocalEngine
from model.errors import EngineBusy
from model.language.decoder import no_hook
from model.types import ClipTokens, Question
from tests.model.engines import (
    Recording,
    ask,
    at_rest,
    clip,
    done_by,
    give,
    give_from_any_thread,
    past,
    seen,
)

MANY = 40


@pytest.fixture
async def engine():
    made = LocalEngine(Recording())
    yield made
    await made.close()


def blank(number):
    return ClipTokens(torch.zeros(16, 32), 4.0 * number, 4.0 * number + 3)


class Flooded(Recording):
    """Is given as many clips of a stream as it has just read, while there are any."""

    def __init__(self, clips):
        super().__init__()
        self.engine, self.coming = None, clips

    def extend(self, history, clips, hook=no_hook):
        super().extend(history, clips, hook)
        more, self.coming = self.coming[: len(clips)], self.coming[len(clips) :]
        give_from_any_thread(self.engine, "a", more)


async def test_a_question_waits_for_the_clips_before_it_not_for_those_that_keep_coming():
    chat = Flooded([blank(n) for n in range(6, 6 + 4 * MANY)])
    chat.engine = engine = LocalEngine(chat)
    try:
        with at_rest(engine):  # everything is there before the thread may look
            await give(engine, "a", [blank(n) for n in range(6)])
            asked = asyncio.ensure_future(ask(engine, tokens=1))
            await asyncio.sleep(0)
        _, finish = await asked
    finally:
        await engine.close()
    before = [what for what, _ in chat.calls[: chat.calls.index(("ask", "what?"))]]
    assert before == ["extend"]
    assert finish.usage.clips >= 6


class Interrupted(Recording):
    """Has clips come while it reads a question, after each of its layers in turn."""

    def __init__(self):
        super().__init__()
        self.layers = 0
        self.come = lambda: None

    def ask(self, history, question, hook):
        return super().ask(history, question, self.after_a_layer(hook))

    def after_a_layer(self, hook):
        def after():
            self.layers += 1
            self.calls.append(("layer", self.layers))
            self.come()
            hook()

        return after


class InterruptedAtTheEnd(Interrupted):
    """Has a clip come while it works out what an answer rests on."""

    def ask(self, history, question, hook):
        return Recording.ask(self, history, question, hook)

    def evidence(self, asked, hook):
        return super().evidence(asked, self.after_a_layer(hook))


class InterruptedWhileItReads(Interrupted):
    """Has clips come while it reads a history that a question waits for."""

    def ask(self, history, question, hook):
        return Recording.ask(self, history, question, hook)

    def extend(self, history, clips, hook=no_hook):
        super().extend(history, clips, self.after_a_layer(hook))


async def ask_while_a_clip_comes(engine, chat):
    """Ask; the first time `chat` is interrupted a clip is given to encode. Return what was heard."""
    loop, encoding = asyncio.get_running_loop(), []

    def come():
        if not encoding:
            future = asyncio.run_coroutine_threadsafe(engine.encode(clip(0, 5)), loop)
            encoding.append(asyncio.wrap_future(future, loop=loop))
            while not engine._clips:  # the engine's thread lets the loop take it
                pass

    chat.come = come
    heard = await ask(engine)
    await asyncio.gather(*encoding)
    return heard


async def test_a_clip_that_comes_while_a_history_is_read_at_once_for_a_question_gets_in_between():
    chat = InterruptedWhileItReads()
    engine = LocalEngine(chat)
    try:
        await seen(engine, "a", MANY_AT_ONCE)
        undisturbed = await ask(engine)
        await engine.forget("a")
        chat.calls.clear()

        disturbed = await ask_while_a_clip_comes(engine, chat)
    finally:
        await engine.close()
    order = chat.calls
    assert order[0] == ("extend", MANY_AT_ONCE), "all in one go, as somebody waits for them"
    assert [what for what, _ in order[1:3]] == ["layer", "encode"]
    assert disturbed[0] == undisturbed[0]


@pytest.mark.parametrize("layers", [{2, 4}, {5}])
async def test_clips_that_come_while_a_question_is_read_get_in_once_between_two_of_its_layers(
    layers,
):
    chat = Interrupted()
    engine = LocalEngine(chat)
    loop, encoding = asyncio.get_running_loop(), []
    try:
        await seen(engine, "a", 3)
        undisturbed = await ask(engine)
        chat.calls.clear()
        chat.layers = 0

        def come():
            if chat.layers in layers:
                number = len(encoding)
                future = asyncio.run_coroutine_threadsafe(engine.encode(clip(number, 5)), loop)
                encoding.append(asyncio.wrap_future(future, loop=loop))
                while not engine._clips:  # the engine's thread lets the loop take it
                    pass

        chat.come = come
        disturbed = await ask(engine)
        await asyncio.gather(*encoding)
    finally:
        await engine.close()
    order = [what for what, _ in chat.calls]
    first = order.index("encode")
    assert order[:first] == ["ask", *["layer"] * min(layers)]
    # A question waits for one batch at most: the next clip has the following turn.
    assert order[first + 1 :].count("layer") == 5 - min(layers)
    assert "encode" not in order[first + 1 : order.index("step")]
    assert order.count("encode") == len(layers)
    assert disturbed == undisturbed


async def test_a_clip_that_comes_while_evidence_is_worked_out_gets_in_between_two_of_its_layers():
    chat = InterruptedAtTheEnd()
    engine = LocalEngine(chat)
    try:
        await seen(engine, "a", 3)
        undisturbed = await ask(engine)
        chat.calls.clear()
        chat.layers = 0

        disturbed = await ask_while_a_clip_comes(engine, chat)
    finally:
        await engine.close()
    order = [what for what, _ in chat.calls]
    last = order.index("evidence")
    assert order[last : last + 3] == ["evidence", "layer", "encode"]
    assert "layer" in order[last + 3 :]
    assert disturbed == undisturbed


async def test_a_stream_of_questions_does_not_starve_clips_nor_they_the_questions(engine):
    """Eight answers and more questions than can be begun; each turn has a batch of clips."""
    calls = done_by(engine)
    await seen(engine, "a", 2)
    calls.clear()
    with at_rest(engine):
        asked = [
            asyncio.ensure_future(ask(engine, tokens=40)) for _ in range(MAX_WAITING_QUESTIONS)
        ]
        clips = [asyncio.ensure_future(engine.encode(clip(n, 1))) for n in range(MAX_WAITING_CLIPS)]
        await asyncio.sleep(0)
    await asyncio.gather(*clips)
    upto = len(calls)
    await asyncio.gather(*asked)
    encoded = [n for n, (what, _) in enumerate(calls[:upto]) if what == "encode"]
    assert len(encoded) == MAX_WAITING_CLIPS // BATCH
    for before, after in pairwise(encoded):
        between = [what for what, _ in calls[before:after]]
        assert between.count("step") <= 1
        assert between.count("ask") <= 1
    asks = [n for n, (what, _) in enumerate(calls) if what == "ask"]
    for before, after in pairwise(asks[:MAX_CONCURRENT]):
        assert [what for what, _ in calls[before:after]].count("encode") <= 1
    for before, after in pairwise(asks[MAX_CONCURRENT:]):
        steps = [what for what, _ in calls[before:after]].count("step")
        assert steps <= 40, "the next question begins as soon as an answer has ended"


async def test_a_clip_nobody_waits_for_any_more_takes_no_place(engine):
    with at_rest(engine):  # the thread cannot take any meanwhile
        given_up = [asyncio.ensure_future(engine.encode(clip(n))) for n in range(MAX_WAITING_CLIPS)]
        await asyncio.sleep(0)
        for task in given_up:
            task.cancel()
        await asyncio.gather(*given_up, return_exceptions=True)
        wanted = asyncio.ensure_future(engine.encode(clip(70)))
        await asyncio.sleep(0)
    assert (await wanted).tokens.start == 4.0 * 70
    assert [about for what, about in done_by(engine) if what == "encode"] == [[280.0]]


async def test_a_question_nobody_waits_for_any_more_takes_no_place(engine):
    await seen(engine, "a", 1)
    with at_rest(engine):
        given_up = [
            asyncio.ensure_future(ask(engine, text="a")) for _ in range(MAX_WAITING_QUESTIONS)
        ]
        await asyncio.sleep(0)
        with pytest.raises(EngineBusy):
            await anext(engine.answer(past(engine), Question("one too many")))
        for task in given_up:
            task.cancel()
        await asyncio.gather(*given_up, return_exceptions=True)
        wanted = asyncio.ensure_future(ask(engine, text="b"))
        await asyncio.sleep(0)
    assert (await wanted)[1].usage.clips == 1
    assert [about for what, about in done_by(engine) if what == "ask"] == ["b"]


def texts(engine):
    return [about for what, about in done_by(engine) if what == "ask"]


async def test_a_person_comes_before_what_is_asked_in_the_background(engine):
    await seen(engine, "a", 1)
    with at_rest(engine):
        watches = [
            asyncio.ensure_future(ask(engine, text=f"watch {n}", background=True)) for n in range(2)
        ]
        await asyncio.sleep(0)
        person = asyncio.ensure_future(ask(engine, text="person"))
        await asyncio.sleep(0)
    await asyncio.gather(*watches, person)
    assert texts(engine) == ["person", "watch 0", "watch 1"]


async def test_the_background_waits_for_a_person_whose_history_is_not_read_yet(engine):
    await seen(engine, "a", 1)
    done_by(engine).clear()
    with at_rest(engine):
        watch = asyncio.ensure_future(ask(engine, text="watch", background=True))
        await give(engine, "b", [blank(n) for n in range(MANY_AT_ONCE + 4)])
        person = asyncio.ensure_future(ask(engine, "b", text="person"))
        await asyncio.sleep(0)
    await asyncio.gather(watch, person)
    assert texts(engine) == ["person", "watch"]
    before = [what for what, _ in done_by(engine)[: done_by(engine).index(("ask", "person"))]]
    assert before == ["extend"] * 2


async def test_the_background_leaves_most_places_to_people(engine):
    await seen(engine, "a", 1)
    done_by(engine).clear()
    with at_rest(engine):
        asked = [
            asyncio.ensure_future(ask(engine, background=True, tokens=20))
            for _ in range(MAX_CONCURRENT)
        ]
        await asyncio.sleep(0)
    await asyncio.gather(*asked)
    together = [about for what, about in done_by(engine) if what == "step"]
    assert max(together) == MAX_CONCURRENT_BACKGROUND


async def test_a_full_background_refuses_no_person(engine):
    await seen(engine, "a", 1)
    with at_rest(engine):
        watches = [
            asyncio.ensure_future(ask(engine, background=True, tokens=1))
            for _ in range(MAX_WAITING_BACKGROUND)
        ]
        await asyncio.sleep(0)
        with pytest.raises(EngineBusy):
            await anext(engine.answer(past(engine), Question("one too many", background=True)))
        person = asyncio.ensure_future(ask(engine, text="person"))
        await asyncio.sleep(0)
    await asyncio.gather(*watches, person)
    assert texts(engine)[0] == "person"
