"""A word that the network fails on: nothing is left of it, and nobody else suffers."""

import asyncio
import logging
from contextvars import ContextVar

import pytest
import torch

from model.engine.local import LocalEngine
from model.language import kv_cache
from model.language.decoder import no_hook
from model.types import Question
from tests.model.engine_lives import Fragile
from tests.model.engines import CHAT, Recording, ask, at_rest, encoded, give

LAYERS = CHAT.parts.config.language.layers
TEXTS = ["what?", "Where is it now?", "and before?"]


def asked(chat, clips, text):
    history = chat.open()
    chat.extend(history, clips)
    return chat.ask(history, Question(text)).reading


@pytest.mark.parametrize("layers", range(LAYERS))
@pytest.mark.parametrize("rows", [1, 2, 256])
def test_a_step_that_fails_in_any_layer_changes_nothing(layers, rows, monkeypatch):
    monkeypatch.setattr(kv_cache, "_FIRST", rows)
    monkeypatch.setattr(kv_cache, "_LARGEST", rows)
    chat, clips = Fragile(8192), encoded(3)
    broken = [asked(chat, clips, text) for text in TEXTS[:2]]
    whole = [asked(CHAT, clips, text) for text in TEXTS[:2]]
    for word in (3, 1, 4):
        chat.passes = layers
        with pytest.raises(torch.OutOfMemoryError):
            chat.reader.step(broken, [word, word + 1])
        chat.reader.step(broken, [word, word + 1])
        CHAT.reader.step(whole, [word, word + 1])
        for ours, theirs in zip(broken, whole, strict=True):
            assert torch.equal(ours.logits, theirs.logits)
            assert ours.positions == theirs.positions


class Spoiled(Recording):
    """Cannot write on from one of the questions; any batch that holds its answer fails."""

    spoiled = None

    def ask(self, history, question, hook):
        found = super().ask(history, question, hook)
        if question.text == TEXTS[1]:
            self.spoiled = found.reading
        return found

    def step(self, readings, chosen, hook=no_hook):
        if any(reading is self.spoiled for reading in readings):
            raise RuntimeError("no word on this")
        super().step(readings, chosen, hook)


async def test_an_answer_that_fails_among_others_fails_alone():
    engine, chat = LocalEngine(CHAT), Spoiled()
    spoiled = LocalEngine(chat)
    try:
        for one in (engine, spoiled):
            await give(one, "a", encoded(4))
        alone = [await ask(engine, text=text, tokens=12) for text in TEXTS]
        with at_rest(spoiled):
            asking = [asyncio.ensure_future(ask(spoiled, text=t, tokens=12)) for t in TEXTS]
            await asyncio.sleep(0)
        first, second, third = await asyncio.gather(*asking, return_exceptions=True)
    finally:
        await engine.close()
        await spoiled.close()
    assert second.code == "engine_failed"
    assert (first[0], third[0]) == (alone[0][0], alone[2][0])


async def test_what_is_logged_of_an_answer_that_fails_stands_where_it_was_asked():
    asked_for = ContextVar("asked_for", default=None)
    logged = []

    class Notes(logging.Handler):
        def emit(self, record):
            logged.append((record.getMessage(), asked_for.get()))

    async def ask_as(name, text):
        asked_for.set(name)
        return await ask(engine, text=text, tokens=12)

    engine = LocalEngine(Spoiled())
    notes = Notes()
    logging.getLogger("model").addHandler(notes)
    try:
        await give(engine, "a", encoded(4))
        asking = [ask_as(f"request {n}", text) for n, text in enumerate(TEXTS)]
        await asyncio.gather(*asking, return_exceptions=True)
    finally:
        logging.getLogger("model").removeHandler(notes)
        await engine.close()
    assert logged == [("an answer failed", "request 1")]


async def test_answers_go_on_after_the_memory_of_a_step_ran_out():
    chat = Fragile(8192)
    engine = LocalEngine(chat)
    try:
        await give(engine, "a", encoded(4))
        alone = [await ask(engine, text=text, tokens=30) for text in TEXTS]
        with at_rest(engine):
            asking = [asyncio.ensure_future(ask(engine, text=t, tokens=30)) for t in TEXTS]
            await asyncio.sleep(0)
            # Three questions are read, one in a turn, then comes the first step of all three.
            chat.passes = (1 + 2 + 2) * LAYERS + LAYERS // 2
        together = await asyncio.gather(*asking)
    finally:
        await engine.close()
    assert chat.passes is None, "it failed"
    assert [text for text, _ in together] == [text for text, _ in alone]


@pytest.mark.parametrize("length", [0, 2, 3, 7, 10])
def test_rows_that_are_cut_away_leave_their_place_to_others(length, monkeypatch):
    monkeypatch.setattr(kv_cache, "_FIRST", 3)
    monkeypatch.setattr(kv_cache, "_LARGEST", 4)
    blocks, rows = kv_cache.Blocks(), torch.arange(20.0)[:, None]
    blocks.append(rows[:10])
    blocks.cut(length)
    assert blocks.length == length
    blocks.append(rows[10:])
    assert blocks.rows(0, blocks.length).tolist() == [*rows[:length].tolist(), *rows[10:].tolist()]
