import asyncio
import json
from contextlib import AsyncExitStack
from dataclasses import asdict, replace

import numpy as np
import pytest
import websockets
from starlette.websockets import WebSocket, WebSocketState

from model.errors import EngineBusy, ModelError
from model.types import Sampling
from tests.web.conftest import echo_service
from tests.web.fakes import EchoEngine
from tests.websocket import connect
from web.access.keys import LOCAL
from web.composition.building import QUESTIONS
from web.realtime import connection
from web.realtime.connection import Connection

pytestmark = pytest.mark.quick


async def test_a_question_is_answered_word_by_word_with_evidence_and_timings(service):
    await service.remember(clips=2)
    async with service.talk() as talk:
        await talk.ask("what is it")
        text, response = await talk.until_done()
    assert text == "what is it "
    assert response["status"] == "completed"
    assert response["output"][0]["content"] == [{"type": "output_text", "text": "what is it "}]
    assert [(e["start"], e["end"], e["score"]) for e in response["evidence"]] == [
        (0.0, 3.0, 0.5),
        (4.0, 7.0, 0.5),
    ]
    assert response["usage"]["clips"] == 2
    assert response["usage"]["total_tokens"] == 3 + 2 + 3
    assert 0 <= response["timings"]["first_token_ms"] <= response["timings"]["total_ms"]


async def test_a_question_before_anything_was_seen_says_so(service):
    async with service.talk() as talk:
        await talk.ask("what is it")
        error = await talk.refusal()
        _, response = await talk.until_done()
    assert error["code"] == "nothing_seen"
    assert "Nothing has been seen yet" in error["message"]
    assert response["status"] == "failed"
    assert response["status_details"]["error"]["code"] == "nothing_seen"


@pytest.mark.parametrize(
    ("failure", "code", "kind"),
    [
        (
            ModelError("has 2000 tokens", code="question_too_long"),
            "question_too_long",
            "invalid_request_error",
        ),
        (ModelError("RuntimeError", code="engine_failed"), "engine_failed", "server_error"),
        (EngineBusy("32 questions wait"), "engine_busy", "server_error"),
    ],
)
async def test_whatever_an_answer_meets_the_client_hears_it_and_can_go_on(
    service, failure, code, kind
):
    await service.remember()
    async with service.talk() as talk:
        service.engine.failure = failure
        await talk.ask("what is it")
        error = await talk.refusal()
        _, response = await talk.until_done()
        assert (error["code"], error["type"]) == (code, kind)
        assert response["status_details"]["error"]["code"] == code
        service.engine.failure = None
        await talk.ask("hello")
        assert (await talk.until_done())[0] == "hello "


async def test_of_a_stream_that_begins_after_the_connection_the_first_clip_is_told(
    service, monkeypatch
):
    monkeypatch.setattr(connection, "STATUS_SECONDS", 3600.0)
    async with service.talk() as talk, asyncio.timeout(60):
        await service.services.registry.open("another")
        live = await service.services.registry.open("cam")
        told = await talk.hear("flashback.stream")
        assert told["stream"]["name"] == "cam"
        feed = live.open_feed("webrtc")
        for number in range(8):
            slot = feed.offer(float(number))
            if slot is not None:
                feed.push(slot, np.zeros((32, 32, 3), dtype=np.uint8))
        feed.close("That was all.")
        assert (await talk.hear("flashback.moment"))["moment"]["start"] < 1.0


async def test_who_is_connected_hears_that_there_is_no_stream_and_that_there_is_none_any_more(
    service, monkeypatch
):
    monkeypatch.setattr(connection, "STATUS_SECONDS", 0.02)
    async with service.talk() as talk, asyncio.timeout(60):
        assert (await talk.next())["type"] == "flashback.absent"
        await service.services.registry.open("cam")
        began = (await talk.next())["stream"]["began"]
        await service.services.registry.forget("cam")
        while (event := await talk.next())["type"] != "flashback.absent":
            assert event["type"] == "flashback.stream"
        assert event["stream"] == "cam"
        await service.services.registry.open("cam")
        assert (await talk.next())["stream"]["began"] > began


async def test_a_stream_that_begins_after_the_connection_can_be_asked(service):
    async with service.talk() as talk:
        await service.remember()
        await talk.ask("hello")
        text, _ = await talk.until_done()
    assert text == "hello "


BAD_MESSAGES = {
    "no JSON": ("{", "invalid_json"),
    "deep JSON": ("[" * 100_000, "message_too_large"),
    "no object": ("[1]", "invalid_message"),
    "no type": ("{}", "unknown_event"),
    "an unknown type": ('{"type": "nope"}', "unknown_event"),
    "an unknown field": ('{"type": "response.cancel", "x": 1}', "unknown_parameter"),
    "a wrong value": (
        '{"type": "session.update", "session": {"temperature": 9}}',
        "invalid_value",
    ),
    "no penalty": (
        '{"type": "session.update", "session": {"repetition_penalty": 0}}',
        "invalid_value",
    ),
    "fewer than no token": (
        '{"type": "session.update", "session": {"top_k": -1}}',
        "invalid_value",
    ),
    "ten megabytes": ("x" * 10_000_000, "message_too_large"),
    "bytes": (b"\x00\x01", "invalid_message"),
}


@pytest.mark.parametrize("name", BAD_MESSAGES)
async def test_a_bad_message_gets_an_error_and_the_connection_lives_on(service, name):
    message, code = BAD_MESSAGES[name]
    async with service.talk() as talk:
        await talk.connection.send(message)
        error = await talk.refusal()
        assert error["code"] == code
        assert error["type"] == "invalid_request_error"
        await talk.add("still here")


async def test_an_error_names_the_field_and_the_event_it_is_about(service):
    async with service.talk() as talk:
        session = {"top_p": 0}
        await talk.say({"type": "session.update", "event_id": "mine", "session": session})
        error = await talk.refusal()
    assert error["param"] == "session.top_p"
    assert error["event_id"] == "mine"


async def test_only_one_answer_is_written_at_a_time(service):
    await service.remember()
    service.engine.gate.clear()
    async with service.talk() as talk:
        await talk.ask("one two")
        await talk.hear("response.output_text.delta")
        await talk.say({"type": "response.create", "event_id": "again"})
        error = await talk.refusal()
        assert error["code"] == "conversation_already_has_active_response"
        assert error["event_id"] == "again"
        service.engine.gate.set()
        text, _ = await talk.until_done()
    assert text == "two "


async def test_a_cancelled_answer_stops_and_the_next_question_is_answered(service):
    await service.remember()
    service.engine.gate.clear()
    async with service.talk() as talk:
        await talk.ask("one two")
        await talk.hear("response.output_text.delta")
        await talk.say({"type": "response.cancel"})
        _, response = await talk.until_done()
        assert response["status"] == "cancelled"
        assert response["status_details"]["reason"] == "client_cancelled"
        assert service.engine.closed_early.is_set()
        service.engine.gate.set()
        await talk.ask("again")
        text, _ = await talk.until_done()
    assert text == "again "


async def test_an_answer_cancelled_in_the_same_breath_ends_too_and_the_next_is_written(service):
    await service.remember()
    service.engine.gate.clear()
    async with service.talk() as talk:
        await talk.add("one two")
        await talk.say({"type": "response.create"})
        await talk.say({"type": "response.cancel"})
        created = await talk.hear("response.created")
        _, response = await talk.until_done()
        assert response["id"] == created["response"]["id"]
        assert response["status"] == "cancelled"
        service.engine.gate.set()
        await talk.ask("again")
        assert (await talk.until_done())[0] == "again "


async def test_cancelling_nothing_is_refused(service):
    async with service.talk() as talk:
        await talk.say({"type": "response.cancel"})
        assert (await talk.refusal())["code"] == "response_cancel_not_active"


async def test_a_listener_who_leaves_stops_the_answer(service):
    await service.remember()
    service.engine.gate.clear()
    async with service.talk() as talk:
        await talk.ask("one two")
        await talk.hear("response.output_text.delta")
    async with asyncio.timeout(60):
        await service.engine.closed_early.wait()


async def test_session_settings_shape_every_question_until_changed(service):
    await service.remember()
    async with service.talk() as talk:
        session = {"temperature": 0.5, "max_output_tokens": 7, "instructions": "Be brief."}
        await talk.say({"type": "session.update", "session": session})
        updated = (await talk.hear("session.updated"))["session"]
        assert (updated["temperature"], updated["max_output_tokens"]) == (0.5, 7)
        await talk.ask("what")
        await talk.until_done()
    question = service.engine.asked[0]
    assert (question.sampling, question.tokens) == (Sampling(0.5), 7)
    assert question.text == "Be brief.\nwhat"


async def test_a_session_begins_as_the_model_was_set_up_and_one_answer_may_differ(monkeypatch):
    as_set_up = Sampling(temperature=0.7, top_p=0.8, top_k=20, repetition_penalty=1.1)
    monkeypatch.setattr(EchoEngine, "sampling", as_set_up)
    async with echo_service() as service, service.talk() as talk:
        await service.remember()
        await talk.say({"type": "session.update", "session": {"max_output_tokens": 7}})
        session = (await talk.hear("session.updated"))["session"]
        assert Sampling(**{name: session[name] for name in asdict(as_set_up)}) == as_set_up
        await talk.ask("what")
        await talk.until_done()
        await talk.add("what")
        response = {"repetition_penalty": 1.0, "top_k": 3}
        await talk.say({"type": "response.create", "response": response})
        await talk.until_done()
    first, second = (question.sampling for question in service.engine.asked)
    assert first == as_set_up
    assert second == replace(as_set_up, repetition_penalty=1.0, top_k=3)


async def test_earlier_lines_go_along_with_a_question(service):
    await service.remember()
    async with service.talk() as talk:
        await talk.ask("first")
        await talk.until_done()
        await talk.ask("second")
        await talk.until_done()
    turns = [(turn.role, turn.text) for turn in service.engine.asked[1].conversation]
    assert turns == [("user", "first"), ("assistant", "first ")]


async def test_a_response_outside_the_conversation_sees_only_its_own_input(service):
    await service.remember()
    async with service.talk() as talk:
        await talk.ask("first")
        await talk.until_done()
        line = {
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": "alone"}],
        }
        wish = {"conversation": "none", "input": [line], "since": 1.5, "until": 3}
        await talk.say({"type": "response.create", "response": wish})
        text, _ = await talk.until_done()
    assert text == "alone "
    question = service.engine.asked[1]
    assert question.conversation == ()
    assert (question.since, question.until) == (1.5, 3)


async def test_a_response_without_a_question_is_refused(service):
    async with service.talk() as talk:
        await talk.say({"type": "response.create"})
        assert (await talk.refusal())["code"] == "no_question"


async def test_a_long_conversation_loses_its_oldest_lines_and_says_which(service):
    async with service.talk() as talk:
        first = await talk.add("line 0")
        for place in range(1, 40):
            await talk.add(f"line {place}")
        content = [{"type": "input_text", "text": "one more"}]
        item = {"type": "message", "role": "user", "content": content}
        await talk.say({"type": "conversation.item.create", "item": item})
        deleted = await talk.hear("conversation.item.deleted")
    assert deleted["item_id"] == first["item"]["id"]


async def test_a_stream_needs_a_valid_name(service):
    address = f"ws://{service.address}/v1/realtime?stream=../x"
    with pytest.raises(websockets.InvalidStatus) as refusal:
        await connect(address)
    assert refusal.value.response.status_code == 422
    assert b"1 to 64 letters" in refusal.value.response.body


async def test_connections_are_limited_and_a_place_is_free_again_after_leaving():
    async with echo_service(max_connections=1) as service:
        async with service.talk():
            with pytest.raises(websockets.InvalidStatus) as refusal:
                async with service.talk():
                    pass
            assert refusal.value.response.status_code == 503
            assert refusal.value.response.headers["Retry-After"]
        await service.until(lambda: len(service.services.talking) == 0)
        async with service.talk():
            pass


BEARER = {name: {"Authorization": f"Bearer {name}"} for name in ("one", "two")}


async def test_one_of_several_tokens_has_half_of_the_connections():
    settings = {"token": "one,two", "max_connections": 2}
    one, two = ({"additional_headers": BEARER[name]} for name in ("one", "two"))
    async with echo_service(**settings) as service, service.talk(**one):
        with pytest.raises(websockets.InvalidStatus, match="503") as refusal:
            async with service.talk(**one):
                pass
        assert b"This token has its 1 connections" in refusal.value.response.body
        async with service.talk(**two):
            pass


async def test_one_token_cannot_take_the_whole_queue_of_questions():
    async with echo_service(token="one,two") as service, AsyncExitStack() as stack:
        await service.remember()
        service.engine.gate.clear()

        async def ask(token):
            talk = await stack.enter_async_context(service.talk(additional_headers=BEARER[token]))
            await talk.ask("one two")
            return talk

        for _ in range(QUESTIONS // 2):
            first = await ask("one")
        assert len(service.services.asking) == QUESTIONS // 2
        refusal = await (await ask("one")).refusal()
        assert refusal["code"] == "engine_busy"
        assert refusal["message"] == "This token has its 20 questions already; end one first."
        await (await ask("two")).hear("response.output_text.delta")
        service.engine.gate.set()
        assert (await first.until_done())[1]["status"] == "completed"
        await service.until(lambda: len(service.services.asking) == 0)


class DeafSocket:
    """A client that says nothing and takes nothing."""

    def __init__(self):
        self.closed_with = None
        self.application_state = WebSocketState.CONNECTED

    async def receive(self):
        await asyncio.Event().wait()

    async def send_text(self, text):
        await asyncio.Event().wait()

    async def close(self, code, reason):
        self.closed_with = (code, reason)


async def test_a_client_that_takes_nothing_is_let_go(service):
    socket = DeafSocket()
    await Connection(socket, "cam", LOCAL, service.services, send_timeout=0.01).run()
    assert socket.closed_with == (1008, "too slow")


async def test_a_client_that_is_gone_while_its_answer_is_being_cancelled_is_no_error(service):
    await service.remember()
    service.engine.gate.clear()
    begun, gone = asyncio.Event(), []
    content = [{"type": "input_text", "text": "one two"}]
    item = {"type": "message", "role": "user", "content": content}
    asks = [{"type": "conversation.item.create", "item": item}, {"type": "response.create"}]
    said = [*map(json.dumps, asks), '{"type": "response.cancel"}', "{"]

    async def receive():
        if len(said) == 2:
            await begun.wait()
        return {"type": "websocket.receive", "text": said.pop(0)}

    async def send(message):
        kind = json.loads(message.get("text", "{}")).get("type")
        if gone or kind == "error":
            gone.append(kind)
            raise OSError
        if kind == "response.output_text.delta":
            begun.set()

    socket = WebSocket({"type": "websocket"}, receive, send)
    socket.client_state = socket.application_state = WebSocketState.CONNECTED
    await Connection(socket, "cam", LOCAL, service.services).run()
    assert gone == ["error"]
    assert service.engine.closed_early.is_set()
