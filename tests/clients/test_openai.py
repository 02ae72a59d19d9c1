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


async def test_the_library_of_python_hears_why_it_may_not_ask():
    async with (
        echo_service(token="secret") as service,
        openai.AsyncOpenAI(base_url=f"{service.url}/v1", api_key="secret") as client,
    ):
        with pytest.raises(openai.NotFoundError, match="v1/realtime"):
            await client.models.list()


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


async def test_agents_have_the_answer_in_their_history(encrypted):
    said = await heard(encrypted, "agents.mjs", "wss://{}/v1/realtime?stream=cam")
    assert json.loads(said) == [["user", "one two"], ["assistant", "Say one two "]]
