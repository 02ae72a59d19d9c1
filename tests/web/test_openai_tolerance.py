"""What clients of OpenAI's Realtime API say as a matter of course, and what they wait to hear."""

import base64
import io

import pytest
from PIL import Image

from memory.errors import StoreUnavailable

AS_AGENTS_SEND_IT = {
    "type": "realtime",
    "object": "realtime.session",
    "id": "sess_1",
    "model": "echo",
    "instructions": "Be brief.",
    "output_modalities": ["text"],
    "audio": {"input": {"format": {"type": "audio/pcm", "rate": 24000}}, "output": {"speed": 1}},
    "tools": [],
    "tool_choice": "auto",
    "parallel_tool_calls": True,
    "tracing": "auto",
    "truncation": "auto",
    "include": ["item.input_audio_transcription.logprobs"],
    "prompt": None,
}


def said(text, role="user", **more):
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}]} | more


def create(item, **more):
    return {"type": "conversation.item.create", "item": item} | more


async def test_what_changes_nothing_is_taken_and_the_rest_of_it_is_done(service):
    async with service.talk() as talk:
        await talk.say({"type": "session.update", "session": AS_AGENTS_SEND_IT})
        session = (await talk.hear("session.updated"))["session"]
        assert session["instructions"] == "Be brief."
        assert session["model"] == "echo"
        assert session["id"] != "sess_1"
        await talk.say({"type": "session.update", "session": session | {"instructions": "Stop."}})
        error = await talk.refusal()
        assert error["param"] == "session.stream", "a session is not about another stream"


@pytest.mark.parametrize(
    ("session", "code", "words"),
    [
        ({"model": "gpt-realtime"}, "model_not_found", "answers with echo"),
        ({"tools": [{"type": "function", "name": "f"}]}, "invalid_value", "no tools here"),
        ({"output_modalities": ["audio"]}, "invalid_value", "answers are text"),
        ({"turn_detection": None}, "unknown_parameter", "session.turn_detection"),
    ],
)
async def test_what_would_change_something_is_refused_in_words(service, session, code, words):
    async with service.talk() as talk:
        await talk.say({"type": "session.update", "session": session})
        error = await talk.refusal()
    assert error["code"] == code
    assert words in error["message"]


async def test_an_answer_is_a_line_that_begins_fills_and_ends(service):
    await service.remember()
    async with service.talk() as talk:
        question = await talk.add("one two")
        await talk.say({"type": "response.create", "response": {"metadata": {"topic": "x"}}})
        heard = []
        while not heard or heard[-1]["type"] != "response.done":
            event = await talk.next()
            heard += [] if event["type"].startswith("flashback.") else [event]
    assert [event["type"] for event in heard] == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
    ]
    assert {e["response_id"] for e in heard if "response_id" in e} == {heard[0]["response"]["id"]}
    begun, done = heard[1]["item"], heard[8]["item"]
    assert (begun["status"], begun["content"]) == ("in_progress", [])
    assert (done["status"], done["content"][0]["text"]) == ("completed", "one two ")
    assert begun["id"] == done["id"] == heard[-1]["response"]["output"][0]["id"]
    assert heard[9]["previous_item_id"] == question["item"]["id"]
    assert heard[-1]["response"]["metadata"] == {"topic": "x"}


async def test_an_answer_outside_the_conversation_is_no_line_of_it(service):
    await service.remember()
    async with service.talk() as talk:
        wish = {"conversation": "none", "input": [said("one")]}
        await talk.say({"type": "response.create", "response": wish})
        kinds = set()
        while "response.done" not in kinds:
            kinds.add((await talk.next())["type"])
    assert "response.output_item.done" in kinds
    assert "conversation.item.done" not in kinds


async def test_what_failed_before_its_first_word_has_no_line(service):
    async with service.talk() as talk:
        await talk.add("what")
        await talk.say({"type": "response.create"})
        kinds = []
        while "response.done" not in kinds:
            kinds.append((await talk.next())["type"])
    kinds = [kind for kind in kinds if not kind.startswith("flashback.")]
    assert kinds == ["response.created", "error", "response.done"]


@pytest.mark.parametrize("role", ["system", "developer"])
async def test_what_a_system_or_a_developer_says_is_an_instruction(service, role):
    await service.remember()
    async with service.talk() as talk:
        await talk.say(create(said("Be brief.", role)))
        assert (await talk.next_of("conversation.item.done"))["item"]["role"] == role
        await talk.ask("what")
        await talk.until_done()
    (question,) = service.engine.asked
    assert question.text == "Be brief.\nwhat"
    assert question.conversation == ()


async def test_a_line_can_be_asked_for_and_deleted(service):
    await service.remember()
    async with service.talk() as talk:
        await talk.say(create(said("first", id="mine", object="realtime.item", status="completed")))
        await talk.next_of("conversation.item.done")
        await talk.say({"type": "conversation.item.retrieve", "item_id": "mine"})
        assert (await talk.hear("conversation.item.retrieved"))["item"]["content"][0][
            "text"
        ] == "first"
        await talk.say({"type": "conversation.item.delete", "item_id": "mine"})
        assert (await talk.hear("conversation.item.deleted"))["item_id"] == "mine"
        for kind in ("retrieve", "delete"):
            event = {"type": f"conversation.item.{kind}", "item_id": "mine", "event_id": "again"}
            await talk.say(event)
            error = await talk.refusal()
            assert (error["code"], error["event_id"]) == ("item_not_found", "again")
        await talk.ask("second")
        await talk.until_done()
    assert service.engine.asked[0].conversation == ()


async def test_a_line_goes_where_it_is_told_to(service):
    await service.remember()
    async with service.talk() as talk:
        await talk.say(create(said("b", id="b")))
        await talk.say(create(said("a", id="a"), previous_item_id="root"))
        await talk.say(create(said("between", "assistant"), previous_item_id="a"))
        befores = [
            (await talk.next_of("conversation.item.added"))["previous_item_id"] for _ in range(3)
        ]
        assert befores == [None, None, "a"]
        await talk.say(create(said("lost"), previous_item_id="nowhere"))
        assert (await talk.next_of("error"))["error"]["code"] == "item_not_found"
        await talk.say({"type": "response.create"})
        await talk.until_done()
    (question,) = service.engine.asked
    assert question.text == "b"
    assert [turn.text for turn in question.conversation] == ["a", "between"]


def image(kind="JPEG", colour=(200, 30, 30)):
    data = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(data, kind)
    url = f"data:image/{kind.lower()};base64," + base64.b64encode(data.getvalue()).decode()
    return {"type": "input_image", "image_url": url, "detail": "auto"}


def picture(*parts):
    return {"type": "message", "role": "user", "content": list(parts or [image()])}


async def answered(talk, *items, **wish):
    for item in items:
        await talk.say(create(item))
        await talk.next_of("conversation.item.done")
    await talk.say({"type": "response.create", "response": wish})
    return await talk.until_done()


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
async def test_a_picture_alone_is_a_question_answered_at_once(service, kind):
    async with service.talk() as talk:
        text, response = await answered(talk, picture(image(kind)))
    assert text == "What is shown? "
    assert response["usage"]["clips"] == 1


async def test_words_and_a_picture_are_a_question_about_it(service):
    words = {"type": "input_text", "text": "what is it"}
    async with service.talk() as talk:
        assert (await answered(talk, picture(words, image())))[0] == "what is it "
        line = picture(words, image(colour=(0, 0, 200)))
        text, response = await answered(talk, conversation="none", input=[line])
    assert text == "what is it "
    assert response["usage"]["clips"] == 2, "the second is looked at, too"


async def test_a_picture_is_looked_at_however_soon_it_comes_before_its_question(service):
    async with service.talk() as talk:
        await answered(talk, picture())
        await answered(talk, picture())
        live = await service.services.registry.find("cam")
        assert (live.status().sampled, live.status().clips) == (2, 2)
        await answered(talk)
        assert live.status().sampled == 2, "it is not looked at again"


async def test_all_pictures_of_one_line_are_looked_at(service):
    async with service.talk() as talk:
        await answered(talk, picture(image(), image(), image()))
        live = await service.services.registry.find("cam")
        assert (live.status().sampled, live.status().clips) == (3, 1)


async def test_a_question_about_a_picture_does_not_wait_for_memory_that_is_away(service):
    async def away(*_):
        raise StoreUnavailable("Redis is away.")

    async with service.talk() as talk:
        service.store.append = away
        _, response = await answered(talk, picture())
    assert response["status_details"]["error"]["code"] == "nothing_seen"


async def test_a_picture_between_a_question_and_its_answer_is_not_the_question(service):
    await service.remember()
    async with service.talk() as talk:
        await talk.add("what is it")
        await talk.say(create(picture()))
        await talk.next_of("conversation.item.done")
        await talk.say({"type": "response.create"})
        assert (await talk.until_done())[0] == "what is it "
