"""A person's question never waits for what nobody waits for: it gets in between two of its layers.

Counted in steps of the engine, never in time.
"""

import asyncio

import pytest

from model.engine.local import LocalEngine
from model.language.decoder import no_hook
from tests.model.engines import Recording, ask, done_by, encoded, give, past, seen

LAYERS = 2
"""After so many layers of what is under way a person asks."""


class Interrupted(Recording):
    """Has somebody come after some layers of the first work of a kind that it does once armed."""

    def __init__(self, kind):
        super().__init__()
        self.kind, self.armed = kind, False
        self.come = lambda: None

    def _after_layers(self, kind, hook):
        if kind != self.kind or not self.armed:
            return hook
        self.armed, layers = False, 0

        def after():
            nonlocal layers
            layers += 1
            if layers == LAYERS:
                self.come()
            self.calls.append(("layer", layers))
            hook()

        return after

    def open(self, hook=no_hook):
        return super().open(self._after_layers("open", hook))

    def ask(self, history, question, hook=no_hook):
        return super().ask(history, question, self._after_layers("ask", hook))

    def extend(self, history, clips, hook=no_hook):
        super().extend(history, clips, self._after_layers("extend", hook))

    def evidence(self, asked, hook=no_hook):
        return super().evidence(asked, self._after_layers("evidence", hook))

    def step(self, readings, chosen, hook=no_hook):
        super().step(readings, chosen, self._after_layers("step", hook))


async def interrupt(kind, under_way, person):
    """Do what is `under_way`, and have a `person` ask amid it; return both answers and what was done."""
    chat = Interrupted(kind)
    engine, loop, asked, came = LocalEngine(chat), asyncio.get_running_loop(), [], asyncio.Event()

    def come():
        future = asyncio.run_coroutine_threadsafe(person(engine), loop)
        asked.append(asyncio.wrap_future(future, loop=loop))
        loop.call_soon_threadsafe(came.set)
        while not engine._questions.people:  # the engine's thread lets the loop take it
            pass

    try:
        await seen(engine, "a", 3)
        await seen(engine, "b", 2, seed=1)
        await ask(engine, "a")
        await ask(engine, "b")
        chat.calls.clear()
        chat.come, chat.armed = come, True
        first = await under_way(engine)
        await came.wait()
        return first, await asked[0], list(done_by(engine))
    finally:
        await engine.close()


async def alone(under_way):
    engine = LocalEngine(Recording())
    try:
        await seen(engine, "a", 3)
        await seen(engine, "b", 2, seed=1)
        return await under_way(engine)
    finally:
        await engine.close()


def verify(engine):
    return ask(engine, "a", text="Is there a dog?", background=True)


async def verify_an_event(engine):
    """Read some clips anew for a question, as a watch does."""
    name = past(engine, "a", spans=((4.0, 8.0),), once=True)
    return await ask(engine, "a", text="Is there a dog?", background=True, of=name)


def person(engine):
    return ask(engine, "b", text="person")


def between_layers(calls):
    """Return what was done from the layer at which a person came to the next one."""
    return calls[calls.index(("layer", LAYERS)) + 1 : calls.index(("layer", LAYERS + 1))]


@pytest.mark.parametrize("kind", ["ask", "step", "evidence"])
async def test_a_person_is_read_and_hears_a_word_between_two_layers_of_a_verification(kind):
    verified, heard, calls = await interrupt(kind, verify, person)
    between = between_layers(calls)
    assert between[0] == ("ask", "person")
    assert between[1][0] == "step", "which is behind the first word"
    assert (verified, heard) == (await alone(verify), await alone(person))


@pytest.mark.parametrize("kind", ["open", "extend"])
async def test_a_person_gets_in_between_two_layers_of_what_a_verification_reads_anew(kind):
    verified, heard, calls = await interrupt(kind, verify_an_event, person)
    assert between_layers(calls)[0] == ("ask", "person")
    assert (verified, heard) == (await alone(verify_an_event), await alone(person))


async def test_a_person_gets_in_between_two_layers_of_a_history_that_nobody_asks_about():
    async def learn(engine):
        await give(engine, "c", encoded(2))

    _, heard, calls = await interrupt("extend", learn, person)
    assert between_layers(calls)[0] == ("ask", "person")
    assert heard == await alone(person)


async def test_what_a_person_asks_about_is_read_before_a_verification_goes_on():
    async def person_behind(engine):
        await give(engine, "d", encoded(2))
        return await ask(engine, "d", text="person")

    verified, heard, calls = await interrupt("ask", verify, person_behind)
    between = between_layers(calls)
    assert between[0] == ("extend", 2)
    assert calls.index(("ask", "person")) < calls.index(("layer", LAYERS + 2))
    assert (verified, heard) == (await alone(verify), await alone(person_behind))


async def test_a_person_who_asks_about_the_history_that_is_being_read_waits_until_it_has_been():
    async def learn(engine):
        await give(engine, "c", encoded(2))

    async def about_the_same(engine):
        return await ask(engine, "c", text="person")

    _, heard, calls = await interrupt("extend", learn, about_the_same)
    assert ("ask", "person") not in between_layers(calls)

    async def in_turn(engine):
        await learn(engine)
        return await about_the_same(engine)

    assert heard == await alone(in_turn)


async def test_a_word_of_every_persons_answer_is_written_with_each_layer_of_a_verification():
    _, _, calls = await interrupt("ask", verify, person)
    after = calls[calls.index(("layer", LAYERS + 1)) + 1 :]
    assert after[0] == ("step", 1)
