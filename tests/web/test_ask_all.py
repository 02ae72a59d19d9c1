"""One question to all cameras."""

import asyncio
import json

import pytest

from flashback_client import Flashback
from model.vision.things import Thing
from model.vision.vocabulary import word_table
from tests.web.conftest import echo_service
from tests.web.test_tokens import added, by
from web.ask_all import MOST_ASKED
from web.cli.client.remote import run_ask_all

DOG = word_table().number["dog"]


async def ask(service, question, status=200, headers=None, **body):
    async with service.client(headers=headers) as client:
        reply = await client.post("/v1/ask", json={"question": question} | body)
        assert reply.status_code == status, reply.text
        return reply.json()


async def three(service):
    """A yard that shows a dog up to 8 s, a door up to 20 s but less surely, and a hall without."""
    for name, clips, began in (("yard", 2, 100.0), ("door", 6, 100.0), ("hall", 10, 100.0)):
        await service.store.begin(name, began)
        await service.remember(name, clips=clips)
    shows = {2: [Thing(DOG, 1.0)], 6: [Thing(DOG, 0.7)], 10: []}

    async def things(clips):
        return [shows[service.counted.get(clip.start, 10)] for clip in clips]

    service.counted = {}
    read = service.services.index.read

    async def reading(stream, *span):
        count = (await service.store.find(stream)).clips
        service.counted = {4.0 * n: count for n in range(count)}
        return await read(stream, *span)

    service.services.index.read = reading
    service.engine.things = things


async def test_the_newest_sight_counts_where_the_last_is_asked_for(service):
    await three(service)
    told = await ask(service, "Where was the dog last seen?")
    assert told["understood"] == "a dog"
    assert [(a["stream"], a["sureness"], a["seen_last"]) for a in told["answers"]] == [
        ("door", 0.7, 23),
        ("yard", 1.0, 7),
        ("hall", 0.0, None),
    ]
    assert told["text"].startswith("door: From ")
    assert told["text"].endswith(", in the middle. Also seen on yard.")
    assert told["answers"][0]["thumbnail"].startswith("/v1/streams/door/thumbnails/")


async def test_cameras_that_show_nothing_of_it_say_so_without_the_language_model(service):
    await three(service)
    told = await ask(service, "Does the dog limp?")
    assert [question.background for question in service.engine.asked] == [True, True]
    hall = told["answers"][-1]
    assert (hall["stream"], hall["text"]) == ("hall", "I have not seen a dog.")
    assert (hall["best"], hall["best_end"], hall["thumbnail"]) == (None, None, None)


@pytest.mark.parametrize(
    "text", ["Is there anything but the dog?", "Who walks the dog and the cat?"]
)
async def test_what_may_ask_for_something_else_is_put_to_every_camera(service, text):
    await three(service)
    await ask(service, text)
    assert len(service.engine.asked) == 3


@pytest.mark.parametrize(
    "text", ["Can anyone see the dog?", "Do you know whether anyone has seen the dog?"]
)
async def test_who_is_asked_whether_they_have_seen_it_is_not_looked_for(service, text):
    await three(service)
    told = await ask(service, text)
    assert told["understood"] == "a dog"
    texts = {answer["stream"]: answer["text"] for answer in told["answers"]}
    assert texts["hall"] == "I have not seen a dog."


async def test_what_no_camera_has_shown_is_said_once_for_all(service):
    await three(service)
    told = await ask(service, "When was the cat last seen?")
    assert told["text"] == "No camera has shown a cat."
    assert not service.engine.asked


@pytest.mark.parametrize(
    "text",
    ["Which camera saw the dog last?", "On which camera is the dog?", "Did any camera see a dog?"],
)
async def test_cameras_are_asked_when_they_saw_what_is_looked_for(service, text):
    await three(service)
    told = await ask(service, text)
    assert told["understood"] == "a dog"
    assert [a["stream"] for a in told["answers"]] == ["door", "yard", "hall"]
    assert not service.engine.asked


async def test_two_cameras_wait_for_the_language_model_at_once(service):
    await three(service)
    service.engine.gate.clear()
    asking = asyncio.create_task(ask(service, "What happened?"))
    await service.until(lambda: len(service.engine.asked) == 2)
    service.engine.gate.set()
    assert len((await asking)["answers"]) == 3


async def test_the_surest_sight_counts_where_it_is_not(service):
    await three(service)
    told = await ask(service, "Is there a dog?")
    assert [a["stream"] for a in told["answers"]] == ["yard", "door", "hall"]
    assert [a["text"][:12] for a in told["answers"]] == [
        "Yes, since 0",
        "Yes, since 0",
        "I have not s",
    ]
    assert not service.engine.asked
    chosen = await ask(service, "Is there a dog?", streams=["hall"])
    assert chosen["text"] == "No camera has shown a dog."


async def test_a_question_that_names_nothing_is_answered_by_all_without_a_comparison(service):
    await three(service)
    told = await ask(service, "What happened?")
    assert (told["understood"], {a["sureness"] for a in told["answers"]}) == (None, {None})
    assert len(told["answers"]) == 3


async def test_a_question_that_names_too_much_to_compare_is_answered_all_the_same(service):
    await three(service)
    many = ("dog", "cat", "car", "bus", "horse", "sheep", "cow", "bear", "zebra")
    told = await ask(service, f"Is there {' and '.join(f'a {name}' for name in many)}?")
    assert told["understood"] is None
    assert len(told["answers"]) == 3


async def test_words_of_time_count_for_each_stream_and_one_without_an_answer_says_why(service):
    await three(service)
    told = await ask(service, "What came at 14 seconds?")
    assert {a["stream"]: a["time"]["since"] for a in told["answers"]} == {"door": 14, "hall": 14}
    [gap] = told["unanswered"]
    assert gap["stream"] == "yard"
    assert "Nothing was seen “at 14 seconds”" in gap["reason"]


async def test_no_more_streams_are_asked_than_a_few_and_the_rest_is_counted(service):
    for number in range(MOST_ASKED + 3):
        await service.remember(f"cam-{number}")
    told = await ask(service, "What do you see?")
    assert (len(told["answers"]), told["left_out"]) == (MOST_ASKED, 3)


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"streams": ["nobody"]}, 404, "nobody"),
        ({"timezone": "Mars"}, 422, "not a time zone"),
        ({"question": " "}, 422, "question"),
        ({"surprise": 1}, 422, "surprise"),
    ],
)
async def test_what_cannot_be_asked_is_refused_with_a_reason(service, body, status, said):
    await service.remember()
    assert said in str(await ask(service, body.pop("question", "What?"), status, **body))


async def test_a_token_asks_its_own_cameras_alone(tmp_path):
    file = tmp_path / "tokens.json"
    door = await asyncio.to_thread(added, file, "door", ("ask",), ("door*",))
    async with echo_service(token_file=file) as service:
        await service.remember("cam")
        await service.remember("door-1")
        told = await ask(service, "What do you see?", headers=by(door))
        assert [a["stream"] for a in told["answers"]] == ["door-1"]
        await ask(service, "What?", 403, streams=["cam"], headers=by(door))


async def test_all_cameras_are_asked_from_python_and_from_a_terminal(service, capsys):
    await three(service)
    asked = "Where was the dog last seen?"

    def use():
        with Flashback(service.url) as client:
            assert client.ask_all(asked).answers[0].stream == "door"
        run_ask_all(service.url, None, [asked], as_json=False)

    await asyncio.to_thread(use)
    *each, all_of_them = capsys.readouterr().out.splitlines()
    assert all_of_them.endswith(", in the middle. Also seen on yard.")
    assert any(line.startswith("  door (70% sure, last seen 19") for line in each)


class HeldBack:
    """Lets the answer of one stream wait until the gate is opened."""

    def __init__(self, engine, stream):
        self.gate, self.left = asyncio.Event(), asyncio.Event()
        answer = engine.answer

        async def held(past, question):
            if past.stream == stream:
                try:
                    await self.gate.wait()
                finally:
                    self.left.set()
            async for piece in answer(past, question):
                yield piece

        engine.answer = held


async def test_answers_come_as_soon_as_they_are_there(service):
    await three(service)
    held = HeldBack(service.engine, "door")
    body = {"question": "Does the dog limp?", "stream": True}
    async with service.client() as client, client.stream("POST", "/v1/ask", json=body) as reply:
        assert reply.headers["content-type"] == "application/x-ndjson"
        lines = reply.aiter_lines()
        begun = json.loads(await anext(lines))["begun"]
        assert begun == {"understood": "a dog", "asked": ["yard", "door", "hall"], "left_out": 0}
        first = [json.loads(await anext(lines))["answer"] for _ in range(2)]
        assert {one["stream"] for one in first} == {"yard", "hall"}
        held.gate.set()
        second, done = [json.loads(line) async for line in lines]
    told = {one["stream"]: one for one in (*first, second["answer"])}
    assert done["done"]["answers"] == [told[name] for name in begun["asked"]]
    assert done["done"] == await ask(service, "Does the dog limp?")


async def test_who_leaves_between_two_answers_ends_the_asking(service):
    await three(service)
    held = HeldBack(service.engine, "door")
    body = {"question": "Does the dog limp?", "stream": True}
    async with service.client() as client, client.stream("POST", "/v1/ask", json=body) as reply:
        lines = reply.aiter_lines()
        await anext(lines)
        await anext(lines)
    await held.left.wait()
    await service.until(lambda: not len(service.services.asking))


async def test_what_is_wrong_with_a_question_has_a_status_in_pieces_too(service):
    refused = await ask(service, "Is it?", 422, timezone="Mars/Olympus", stream=True)
    assert "Mars/Olympus" in refused["detail"]
