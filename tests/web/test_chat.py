"""Chat completions over plain HTTP: what is asked of what, in which pieces, and what is refused how."""

import base64
import io
import json
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from PIL import Image

from model.errors import EngineBusy, ModelError
from model.types import Sampling, Turn
from tests.web.conftest import echo_service
from tests.web.fakes import EchoEngine
from tests.web.test_tokens import by, made
from web.services import CLOCKS

ASK = {"model": "echo@cam", "messages": [{"role": "user", "content": "what is it"}]}


def picture(colour):
    file = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


async def post(service, **request):
    async with service.client() as client:
        return await client.post("/v1/chat/completions", json=ASK | request)


def events(response):
    lines = [line.removeprefix("data: ") for line in response.text.split("\n\n") if line]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


async def test_a_question_is_answered_with_evidence_and_usage(service):
    await service.remember(clips=2)
    answer = (await post(service)).json()
    assert answer["object"] == "chat.completion"
    assert answer["model"] == "echo@cam"
    [choice] = answer["choices"]
    assert choice["message"]["content"] == "what is it"
    assert choice["finish_reason"] == "stop"
    assert answer["usage"] == {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}
    rests = answer["flashback"]
    assert [part["start"] for part in rests["evidence"]] == [0.0, 4.0]
    assert (rests["stream"], rests["start"], rests["end"]) == ("cam", 0.0, 7.0)


async def test_an_answer_comes_in_pieces_and_ends_with_what_it_rests_on(service):
    await service.remember(clips=2)
    response = await post(service, stream=True, stream_options={"include_usage": True})
    assert response.headers["Content-Type"].startswith("text/event-stream")
    first, *words, last, usage = events(response)
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert [w["choices"][0]["delta"] for w in words] == [
        {"content": word} for word in ("what ", "is ", "it ")
    ]
    assert (last["choices"][0]["delta"], last["choices"][0]["finish_reason"]) == ({}, "stop")
    assert len(last["flashback"]["evidence"]) == 2
    assert (usage["choices"], usage["usage"]["total_tokens"]) == ([], 8)
    assert {chunk["id"] for chunk in (first, *words, last, usage)} == {first["id"]}


STREAM_PART = {"type": "video_url", "video_url": {"url": "stream:cam"}}
WORDS = {"type": "text", "text": "what is it"}


@pytest.mark.parametrize(
    "naming",
    [
        {"model": "echo@cam"},
        {"model": "echo", "flashback": {"stream": "cam"}},
        {"model": "echo", "messages": [{"role": "user", "content": [STREAM_PART, WORDS]}]},
        {"model": "echo@cam", "flashback": {"stream": "cam"}},
    ],
)
async def test_a_stream_is_named_in_the_model_in_a_field_or_in_a_part(service, naming):
    await service.remember("cam")
    await service.remember("other")
    assert (await post(service, **naming)).json()["flashback"]["stream"] == "cam"


async def test_the_only_stream_needs_no_name_and_of_several_one_must_be_named(service):
    await service.remember("cam")
    assert (await post(service, model="echo")).json()["flashback"]["stream"] == "cam"
    await service.remember("other")
    response = await post(service, model="echo")
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["param"]) == (400, "no_stream", "model")
    assert '"echo@cam"' in error["message"]


async def pieces(service, **request):
    """Return the words of a streamed answer, and why it ended."""
    chunks = events(await post(service, stream=True, **request))
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    said = "".join(choice["delta"].get("content", "") for choice in choices)
    return said, choices[-1]["finish_reason"]


@pytest.mark.parametrize(
    ("stop", "said"),
    [
        ("is", "what"),
        (["it", "is"], "what"),
        ("t i", "wha"),  # in two pieces
        ("it now", "what is it"),  # begun, and not ended
        ([], "what is it"),
    ],
)
async def test_a_stop_word_ends_an_answer_before_it(service, stop, said):
    await service.remember()
    [choice] = (await post(service, stop=stop)).json()["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == (said, "stop")
    streamed, reason = await pieces(service, stop=stop)
    assert (streamed.strip(), reason) == (said, "stop")


async def test_of_a_long_conversation_the_newest_lines_and_pictures_are_read(service):
    await service.remember()
    lines = [{"role": ("user", "assistant")[n % 2], "content": f"line {n}"} for n in range(400)]
    asked = {"role": "user", "content": "what is it"}
    system = {"role": "system", "content": "Say"}
    assert (await post(service, messages=[system, *lines, asked])).status_code == 200
    [question] = service.engine.asked
    assert question.text == "Say\nwhat is it"
    assert [turn.text for turn in question.conversation] == [f"line {n}" for n in range(301, 400)]
    part = {"type": "image_url", "image_url": {"url": picture("red")}}
    shown = {"role": "user", "content": [part]}
    response = await post(service, model="echo", messages=[*[shown] * 10, asked])
    assert response.status_code == 200, response.text


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"n": 2}, "n: one answer is given to a request"),
        ({"response_format": {"type": "json_object"}}, "response_format: answers are text alone"),
        ({"modalities": ["text", "audio"]}, "modalities: answers are text alone"),
        ({"messages": []}, "messages: at least 1 must be given, not 0"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x/y.png"}}]}]}, "no address is fetched"),
    ],
)  # fmt: skip
async def test_a_refusal_says_what_to_do_in_plain_words(service, request_, said):
    await service.remember()
    assert said in (await post(service, **request_)).json()["error"]["message"]


async def test_what_the_client_says_of_the_answer_reaches_the_engine(service):
    await service.remember()
    said = {"temperature": 0.5, "top_p": 0.9, "top_k": 3, "repetition_penalty": 1.1}
    await post(service, max_completion_tokens=7, **said)
    [question] = service.engine.asked
    assert question.tokens == 7
    assert question.sampling == Sampling(0.5, 0.9, 3, 1.1)
    await post(service, max_tokens=100_000)
    assert service.engine.asked[-1].tokens == 512


async def test_instructions_stand_before_the_question_and_what_was_said_before_it(service):
    await service.remember()
    messages = [
        {"role": "system", "content": "One word."},
        {"role": "user", "content": "Is it red?"},
        {"role": "assistant", "content": "Yes.", "refusal": None, "annotations": []},
        {"role": "user", "content": [{"type": "text", "text": "And blue?"}]},
    ]
    await post(service, messages=messages)
    [question] = service.engine.asked
    assert question.text == "One word.\nAnd blue?"
    assert question.conversation == (Turn("user", "Is it red?"), Turn("assistant", "Yes."))


async def test_a_model_that_earlier_lines_lead_astray_is_not_told_them(monkeypatch):
    monkeypatch.setattr(EchoEngine, "follow_ups", False)
    async with echo_service() as other:
        await other.remember(clips=6)
        lines = ("What colour is it at 2 seconds?", "Red.", "And at 10 seconds?")
        roles = ("user", "assistant", "user")
        messages = [{"role": r, "content": c} for r, c in zip(roles, lines, strict=True)]
        await post(other, messages=messages)
    [question] = other.engine.asked
    assert (question.text, question.conversation) == ("What colour is it?", ())


async def test_words_of_time_are_understood_in_the_zone_of_the_client(service):
    # The newest such time is meant: what lies a day back would be meant for a part of the day alone.
    began = datetime.now(ZoneInfo("Asia/Tokyo")).replace(microsecond=0) - timedelta(hours=1)
    await service.store.begin("cam", began.timestamp())
    await service.remember(clips=6)
    words = f"after {began + timedelta(seconds=10):%H:%M:%S}"
    messages = [{"role": "user", "content": f"What came {words}?"}]
    about = {"timezone": "Asia/Tokyo"}
    time = (await post(service, messages=messages, flashback=about)).json()["flashback"]["time"]
    assert time is not None
    assert (time["words"], time["since_clock"][-6:]) == (words, "+09:00")


async def test_a_range_that_is_given_counts(service):
    await service.remember(clips=6)
    about = {"since": 4.0, "until": 8.0}
    rests = (await post(service, flashback=about)).json()["flashback"]
    assert [part["start"] for part in rests["evidence"]] == [4.0, 8.0]


async def test_pictures_are_answered_by_themselves(service):
    await service.remember()
    parts = [
        {"type": "image_url", "image_url": {"url": picture(colour), "detail": "low"}}
        for colour in ("red", "blue")
    ]
    messages = [{"role": "user", "content": [*parts, {"type": "text", "text": "what is it"}]}]
    rests = (await post(service, model="echo", messages=messages)).json()["flashback"]
    assert (rests["stream"], len(rests["evidence"])) == (None, 2)
    assert [part["clock"] for part in rests["evidence"]] == [None, None]
    await post(service, model="echo", messages=[{"role": "user", "content": parts[:1]}])
    assert service.engine.asked[-1].text == "What is shown?"


REFUSED = {
    "another model": ({"model": "gpt-4"}, 404, "model_not_found", "model"),
    "no messages": ({"messages": []}, 400, "invalid_value", "messages"),
    "the answer last": (
        {"messages": [{"role": "assistant", "content": "Yes."}]},
        400,
        "invalid_value",
        "messages",
    ),
    "no words": (
        {"messages": [{"role": "user", "content": " "}]},
        400,
        "invalid_value",
        "messages",
    ),
    "an unknown field": ({"strem": True}, 400, "unknown_parameter", "strem"),
    "two answers": ({"n": 2}, 400, "invalid_value", "n"),
    "tools": ({"tools": [{"type": "function"}]}, 400, "invalid_value", "tools"),
    "many stops": ({"stop": [*"abcde"]}, 400, "invalid_value", "stop"),
    "too hot": ({"temperature": 9}, 400, "invalid_value", "temperature"),
    "two streams": ({"flashback": {"stream": "other"}}, 400, "invalid_value", "model"),
    "no such stream": ({"model": "echo@other"}, 404, "nothing_seen", None),
    "no name": ({"model": "echo@a b"}, 400, "invalid_value", "model"),
    "no zone": ({"flashback": {"timezone": "Mars"}}, 400, "invalid_value", "flashback.timezone"),
    "a picture from elsewhere": (
        {
            "messages": [
                {
                    "role": "user",
                    "content": [{"type": "image_url", "image_url": {"url": "http://x/y.png"}}],
                }
            ]
        },
        400,
        "invalid_value",
        "messages.0.content.0.image_url.url",
    ),
    "a time of which nothing is held": (
        {"messages": [{"role": "user", "content": "What was there at 3 hours?"}]},
        404,
        "nothing_seen",
        None,
    ),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", REFUSED)
async def test_what_cannot_be_done_is_refused_as_openai_does(service, name, stream):
    await service.remember()
    request, status, code, param = REFUSED[name]
    response = await post(service, stream=stream, **request)
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (status, code), error
    assert error["type"] == "invalid_request_error"
    assert error["param"] == param


async def test_what_the_engine_fails_at_is_said_with_its_status(service):
    await service.remember()
    service.engine.failure = EngineBusy("32 questions wait")
    response = await post(service)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert response.json()["error"]["code"] == "engine_busy"
    service.engine.failure = ModelError("RuntimeError", code="engine_failed")
    response = await post(service, stream=True)
    assert (response.status_code, response.json()["error"]["type"]) == (500, "server_error")


async def test_a_client_that_leaves_gives_its_place_back(service):
    await service.remember()
    service.engine.gate.clear()
    async with (
        service.client() as client,
        client.stream("POST", "/v1/chat/completions", json=ASK | {"stream": True}) as response,
    ):
        async for line in response.aiter_lines():
            if '"what "' in line:
                break
        assert len(service.services.asking) == 1
    await service.engine.closed_early.wait()
    await service.until(lambda: len(service.services.asking) == 0)


async def test_without_the_token_nothing_is_answered():
    async with echo_service(token="secret") as service, service.client() as client:
        for answer in (await post(service), await client.get("/v1/models")):
            assert answer.status_code == 401
            assert answer.json()["error"]["code"] == "invalid_api_key"


async def test_a_token_asks_of_its_own_streams_alone(tmp_path):
    file = tmp_path / "tokens.json"
    headers = by(await made(file, "guest", ("ask",), ("door-*",)))
    async with echo_service(token_file=file) as service:
        await service.remember("door-1")
        await service.remember("cam")
        async with service.client(headers=headers) as client:
            models = (await client.get("/v1/models")).json()["data"]
            assert [model["id"] for model in models] == ["echo", "echo@door-1"]
            asked = ASK | {"model": "echo"}
            answer = await client.post("/v1/chat/completions", json=asked)
            assert answer.json()["flashback"]["stream"] == "door-1"
            for refused in (
                await client.post("/v1/chat/completions", json=ASK),
                await client.get("/v1/models/echo@cam"),
            ):
                assert refused.status_code == 403
                assert refused.json()["error"]["code"] == "permission_denied"


async def test_the_model_is_listed_alone_and_with_every_stream(service):
    began = int(CLOCKS.wall())
    await service.remember("cam")
    async with service.client() as client:
        models = (await client.get("/v1/models")).json()["data"]
        assert [model["id"] for model in models] == ["echo", "echo@cam"]
        assert models[1]["created"] >= began
        assert (await client.get("/v1/models/echo@cam")).json() == models[1]
        assert (await client.get("/v1/models/gpt-4")).status_code == 404
        assert (await client.get("/v1/models/echo@other")).status_code == 404


async def test_longer_bodies_are_read_where_pictures_may_be_in_them(service):
    await service.remember()
    padding = {"metadata": {"a": "x" * 500_000}}
    assert (await post(service, **padding)).status_code == 200
    assert (await post(service, metadata={"a": "x" * 1_100_000})).status_code == 413


async def test_a_body_that_is_no_json_is_said_to_be_none(service):
    async with service.client() as client:
        response = await client.post(
            "/v1/chat/completions", content="not json", headers={"content-type": "application/json"}
        )
    assert response.status_code == 400
    error = response.json()["error"]
    assert (error["message"], error["param"]) == ("The body is not JSON.", None)
