"""OpenAI's own libraries, of Python and JavaScript, and its agents: a session, a question, an answer."""

import asyncio
import json
import os
import shutil
from contextlib import asynccontextmanager
from pathlib import Path

import openai
import pytest

from tests.clients.conftest import program
from tests.end_to_end.needs import need
from tests.stream.certificates import Certified
from tests.web.conftest import echo_service

HERE = Path(__file__).parent / "javascript"
NODE = shutil.which("node")


@asynccontextmanager
async def asking(service, **query):
    client = openai.AsyncOpenAI(base_url=f"{service.url}/v1", api_key="secret")
    async with client, client.realtime.connect(model="echo", extra_query=query) as connection:
        yield connection


async def until(connection, kind):
    """Return the next event of this kind."""
    async for event in connection:
        assert event.type != "error", event
        if event.type == kind:
            return event
    raise AssertionError(f"the connection ended before {kind}")


async def ask(connection, *content):
    item = {"type": "message", "role": "user", "content": list(content)}
    await connection.conversation.item.create(item=item)
    await connection.response.create()
    return (await until(connection, "response.output_text.done")).text


async def test_the_library_of_python_asks_and_hears():
    async with echo_service(token="secret") as service:
        await service.remember()
        async with asking(service, stream="cam") as connection:
            session = {"type": "realtime", "model": "echo", "instructions": "Say"}
            await connection.session.update(
                session=session
                | {"output_modalities": ["text"], "tools": [], "tool_choice": "auto"}
            )
            assert (await until(connection, "session.updated")).session.instructions == "Say"
            text = {"type": "input_text", "text": "one two"}
            assert await ask(connection, text) == "Say one two "
            done = await until(connection, "response.done")
            assert done.response.output[0].content[0].text.split() == ["Say", "one", "two"]
            line = done.response.output[0].id
            await connection.conversation.item.retrieve(item_id=line)
            assert (await until(connection, "conversation.item.retrieved")).item.id == line
            await connection.conversation.item.delete(item_id=line)
            assert (await until(connection, "conversation.item.deleted")).item_id == line


@asynccontextmanager
async def library(**options):
    async with (
        echo_service(token="secret") as service,
        openai.AsyncOpenAI(
            base_url=f"{service.url}/v1", **{"api_key": "secret", "max_retries": 0} | options
        ) as client,
    ):
        await service.remember(clips=6)
        yield client


async def test_the_library_of_python_hears_what_is_not_here():
    async with library() as client:
        with pytest.raises(openai.NotFoundError, match="v1/chat/completions"):
            await client.responses.create(model="echo", input="one two")


def asked(text, **more):
    return {"model": "echo@cam", "messages": [{"role": "user", "content": text}]} | more


async def test_the_library_of_python_chats():
    async with library() as client:
        assert [model.id async for model in client.models.list()] == ["echo", "echo@cam"]
        answer = await client.chat.completions.create(**asked("one two", max_tokens=9))
        assert answer.choices[0].message.content == "one two"
        assert answer.usage.total_tokens == 2 + 6 + 2
        assert len(answer.flashback["evidence"]) == 6
        about = {"flashback": {"stream": "cam", "since": 4.0, "until": 9.0}}
        answer = await client.chat.completions.create(
            **asked("one two", model="echo", extra_body=about)
        )
        assert len(answer.flashback["evidence"]) == 2


async def test_the_library_of_python_hears_words_as_they_come():
    async with library() as client:
        pieces = await client.chat.completions.create(
            **asked("What came at 10 seconds?"), stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in pieces]
        text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        assert text == "What was shown? "
        assert chunks[-1].usage.completion_tokens == 3
        assert chunks[-2].flashback["time"]["words"] == "at 10 seconds"
        async with client.chat.completions.stream(**asked("one two")) as stream:
            final = await stream.get_final_completion()
        assert final.choices[0].message.content == "one two "


@pytest.mark.parametrize(
    ("request_", "options", "error", "code"),
    [
        ({"model": "gpt-4"}, {}, openai.NotFoundError, "model_not_found"),
        ({"model": "echo@nobody"}, {}, openai.NotFoundError, "nothing_seen"),
        ({"n": 2}, {}, openai.BadRequestError, "invalid_value"),
        ({}, {"api_key": "wrong"}, openai.AuthenticationError, "invalid_api_key"),
    ],
)
async def test_the_library_of_python_hears_why_not(request_, options, error, code):
    async with library(**options) as client:
        with pytest.raises(error) as caught:
            await client.chat.completions.create(**asked("one two", **request_))
    assert caught.value.code == code


@pytest.fixture
def encrypted(tmp_path):
    """What encrypts a service, and the environment in which node trusts it."""
    need(
        NODE and (HERE / "node_modules/openai").exists(),
        "node and OpenAI's libraries for it; `make stock-clients` gets them",
    )
    certified = Certified(tmp_path, "service")
    trusting = os.environ | {"NODE_EXTRA_CA_CERTS": str(certified.certificate)}
    return certified, trusting


async def heard(encrypted, script, url):
    certified, environment = encrypted
    async with echo_service(token="secret", certificate=certified.both) as service:
        await service.remember()
        address = url.format(service.address)
        async with program(NODE, HERE / script, address, "secret", env=environment) as node:
            async with asyncio.timeout(60):
                said, errors = await node.communicate()
    assert node.returncode == 0, errors.decode()
    return said.decode().strip()


async def test_the_library_of_javascript_asks_and_hears(encrypted):
    assert await heard(encrypted, "openai.mjs", "https://{}/v1?stream=cam") == "Say one two"


async def test_the_library_of_javascript_chats(encrypted):
    said = json.loads(await heard(encrypted, "chat.mjs", "https://{}/v1"))
    assert said == {
        "models": ["echo", "echo@cam"],
        "whole": "one two",
        "pieces": ["one ", "two "],
        "evidence": 1,
        "refused": "model_not_found",
    }


async def test_agents_have_the_answer_in_their_history(encrypted):
    said = await heard(encrypted, "agents.mjs", "wss://{}/v1/realtime?stream=cam")
    assert json.loads(said) == [["user", "one two"], ["assistant", "Say one two "]]
