"""What is read ahead after a restart: the streams that people asked about, the newest question first."""

import asyncio
import contextlib

import pytest

from memory.errors import StoreUnavailable
from memory.local_store import LocalStore
from model.errors import EngineBusy
from tests.web.conftest import Talk, remember
from tests.web.fakes import EchoEngine
from web.operations import read_ahead as reading
from web.operations.read_ahead import AskedStreams, read_ahead


class Reading(EchoEngine):
    """Says which histories were read, in their order."""

    history_budget = 100

    def __init__(self, each=0):
        super().__init__()
        self.read, self.each, self.fails = [], each, {}

    @property
    def history_bytes(self):
        return self.each * len(self.read)

    async def answer(self, past, question):
        assert question.background
        assert question.tokens == 0
        if (failure := self.fails.get(past.stream)) is not None:
            raise failure
        self.read.append(past.stream)
        async for piece in super().answer(past, question):
            yield piece


@pytest.fixture
async def store():
    store = LocalStore("echo-encoder")
    for number, name in enumerate(("garden", "hall", "door", "never", "empty")):
        await remember(store, name, clips=0 if name == "empty" else 2)
        if name != "never":
            await store.note_asked(name, 1000.0 + number)
    return store


async def test_the_newest_question_comes_first_and_what_nobody_asked_about_is_left(store):
    engine = Reading()
    await read_ahead(engine, store)
    assert engine.read == ["door", "hall", "garden"]


async def test_no_more_is_read_ahead_than_half_of_the_memory_for_histories(store):
    engine = Reading(each=51)
    await read_ahead(engine, store)
    assert engine.read == ["door"]


async def test_what_cannot_be_read_keeps_no_other_from_being_read(store):
    engine = Reading()
    engine.fails = {"door": EngineBusy("full"), "hall": StoreUnavailable("away")}
    await read_ahead(engine, store)
    assert engine.read == ["garden"]


async def test_a_store_that_is_away_keeps_no_service_from_starting():
    class Away(LocalStore):
        async def streams(self, after="", limit=None):
            raise StoreUnavailable("away")

    engine = Reading()
    await read_ahead(engine, Away("echo-encoder"))
    assert engine.read == []


async def test_a_question_is_noted_and_not_what_nobody_asked(service):
    await service.remember("cam")
    await service.remember("other")
    async with service.talk("cam") as talk:
        await ask(talk, "What is there?")

    async def noted():
        return (await service.store.find("cam")).asked is not None

    await service.until(noted)
    assert (await service.store.find("other")).asked is None


async def ask(talk: Talk, text: str) -> None:
    content = [{"type": "input_text", "text": text}]
    item = {"type": "message", "role": "user", "content": content}
    await talk.say({"type": "conversation.item.create", "item": item})
    await talk.say({"type": "response.create"})
    await talk.until_done()


async def test_notes_are_bounded_and_a_store_that_is_away_ends_nothing(monkeypatch):
    monkeypatch.setattr(reading, "_AT_MOST_EVERY", 0.0)
    written, tries = {}, []

    class Store(LocalStore):
        async def note_asked(self, stream, at):
            tries.append(stream)
            if len(tries) == 1:
                raise StoreUnavailable("away")
            written[stream] = at
            if stream == "last":
                done.set()

    done, asked = asyncio.Event(), AskedStreams(Store("echo-encoder"), lambda: 5.0)
    for number in range(100):
        asked.note(f"stream-{number}")
    asked.note("last")
    running = asyncio.create_task(asked.run())
    async with asyncio.timeout(60):
        await done.wait()
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    assert len(tries) == reading._STREAMS
    assert written["last"] == 5.0


async def test_a_deleted_stream_is_not_begun_by_a_note(store):
    await store.forget("door")
    await store.note_asked("door", 2000.0)
    assert await store.find("door") is None
