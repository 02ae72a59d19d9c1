"""A real WebRTC sender, a real Redis, a real port: what is shown is remembered and answered."""

import asyncio
import contextlib
import json
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psutil
import pytest
from websockets.frames import Frame, Opcode

from memory.embedded.binary import find_server
from stream.webrtc.whip_client import Player
from tests.end_to_end.conftest import flashback, reserved_port
from tests.waiting import holds
from tests.web.conftest import Talk
from tests.websocket import connect

SAMPLE = Path(__file__).parents[2] / "web" / "sample" / "sample.mp4"

pytestmark = pytest.mark.timeout(300)


def serving(data, forked=True, **environment):
    options = ("--model", "tiny", "--port", "0", "--data", str(data))
    # A machine that is busy may itself keep a sender's pictures back for some seconds.
    usual = {"FLASHBACK_SAMPLE_RATE": "4", "FLASHBACK_STALL_SECONDS": "60"}
    environment = usual | environment
    return flashback("serve", *options, forked=forked, **environment)


@asynccontextmanager
async def sending(service, film, stream="cam", *, hang_up=True):
    """Send `film` into `stream` by WHIP until the end of the block."""
    headers = {"Content-Type": "application/sdp"}
    async with (
        httpx.AsyncClient(base_url=service.url, timeout=None) as client,
        Player(film) as player,
    ):
        response = await client.post(f"/whip/{stream}", content=player.offer, headers=headers)
        assert response.status_code == 201, response.text
        await player.accept(response.text)
        yield client
        if hang_up:
            await client.delete(response.headers["Location"])


@asynccontextmanager
async def talking(service, stream="cam"):
    address = service.url.replace("http", "ws") + f"/v1/realtime?stream={stream}"
    async with connect(address) as connection:
        yield Talk(connection)


async def remembered(talk, clips):
    """Wait until so many clips have been remembered from now on."""
    for _ in range(clips):
        while (await talk.next())["type"] != "flashback.moment":
            pass


async def answer(talk, question):
    content = [{"type": "input_text", "text": question}]
    item = {"type": "message", "role": "user", "content": content}
    await talk.say({"type": "conversation.item.create", "item": item})
    wish = {"max_output_tokens": 24}
    await talk.say({"type": "response.create", "response": wish})
    return await talk.until_done()


async def test_after_kill_9_of_the_service_and_its_redis_the_same_question_has_the_same_answer(
    tmp_path, film
):
    async with serving(tmp_path / "data", forked=False) as first:
        async with sending(first, film), talking(first) as talk:
            await remembered(talk, 2)
        async with talking(first) as talk:
            text, before = await answer(talk, "What did you see?")
        kill_with_children(first.process.pid)
        await first.process.communicate()
    async with serving(tmp_path / "data") as second:
        await holds(lambda: has_read(second))  # ahead of any question
        async with talking(second) as talk:
            again, after = await answer(talk, "What did you see?")
    assert before["status"] in {"completed", "incomplete"}
    assert before["usage"]["clips"] >= 2
    assert (again, after["usage"]["clips"]) == (text, before["usage"]["clips"])
    assert [part["start"] for part in after["evidence"]] == [
        part["start"] for part in before["evidence"]
    ]
    assert [part["score"] for part in after["evidence"]] == pytest.approx(
        [part["score"] for part in before["evidence"]], abs=0.01
    )
    assert sum(part["score"] for part in after["evidence"]) == pytest.approx(1, abs=0.01)


async def has_read(service):
    """Say whether a service holds any history in its language model."""
    async with httpx.AsyncClient(base_url=service.url, timeout=None) as client:
        lines = (await client.get("/metrics")).text.splitlines()
    [held] = [line for line in lines if line.startswith("flashback_history_bytes ")]
    return float(held.split()[1]) > 0


def kill_with_children(pid):
    process = psutil.Process(pid)
    for one in [process, *process.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):  # its Redis ends with it
            one.kill()


async def test_a_sender_that_returns_after_a_restart_goes_on_in_a_stream_that_is_looked_at(
    tmp_path, film
):
    async with serving(tmp_path / "data") as first:
        async with sending(first, film), talking(first) as talk:
            await remembered(talk, 1)
        await first.stop()
    async with serving(tmp_path / "data") as second, talking(second) as talk:
        _, before = await answer(talk, "What did you see?")
        async with sending(second, film):
            await remembered(talk, 1)
        _, after = await answer(talk, "What do you see?")
    assert after["usage"]["clips"] > before["usage"]["clips"]


async def test_a_returning_sender_continues_the_stream_with_a_gap(tmp_path, film):
    async with serving(tmp_path / "data") as service:
        for _ in range(2):
            async with sending(service, film) as client, talking(service) as talk:
                await remembered(talk, 1)
                listed = (await client.get("/v1/streams/cam/moments")).json()["moments"]
    starts = [moment["start"] for moment in listed]
    assert len(starts) >= 2
    assert starts == sorted(starts)


@pytest.fixture
def port():
    with reserved_port() as port:
        yield port


async def test_while_redis_is_away_answers_say_so_and_the_stream_goes_on(tmp_path, film, port):
    url = f"redis://127.0.0.1:{port}/0"
    async with (
        redis(port) as process,
        serving(tmp_path / "data", FLASHBACK_REDIS_URL=url) as service,
        sending(service, film) as client,
        talking(service) as talk,
    ):
        await remembered(talk, 1)
        process.kill()
        await process.wait()
        _, response = await answer(talk, "What do you see?")
        assert response["status"] == "failed"
        error = response["status_details"]["error"]
        assert error["code"] == "memory_unavailable"
        assert "try again" in error["message"]
        async with redis(port):
            await remembered(talk, 1)
            _, response = await answer(talk, "What do you see?")
            assert response["status"] in {"completed", "incomplete"}
            status = (await client.get("/v1/streams/cam")).json()
            assert status["state"] == "live"
            assert status["memory"] is None


@asynccontextmanager
async def redis(port):
    """Run a Redis that keeps nothing."""
    program = await asyncio.to_thread(find_server)
    options = ["--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", "/tmp"]
    process = await asyncio.create_subprocess_exec(
        str(program.path), *options, stdout=asyncio.subprocess.PIPE
    )
    try:
        while b"eady to accept" not in (line := await process.stdout.readline()):
            assert line, "it ended before it was ready"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_ctrl_c_ends_everything_that_was_started(tmp_path, film):
    async with (
        serving(tmp_path / "data", forked=False) as service,
        sending(service, film, hang_up=False),
        talking(service) as talk,
    ):
        await remembered(talk, 1)
        assert await service.stop() == 130
    assert not any("Traceback" in str(line) for line in service.said)
    command = await asyncio.create_subprocess_exec(
        "pgrep", "-f", str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await command.communicate()
    assert output == b"", "no Redis is left behind"


async def test_what_clients_do_to_their_own_connections_is_no_error_in_the_log(tmp_path):
    async with serving(tmp_path / "data", forked=False) as service:
        async with talking(service) as talk:
            await talk.next()
            frame = Frame(Opcode.TEXT, b"\xff\xfe").serialize(mask=True)
            talk.connection.transport.write(frame)
            await talk.connection.wait_closed()
            assert talk.connection.close_code == 1007
        assert await service.stop() == 130
    said = [line for line in service.said if line.strip() and "ready" not in line]
    assert said == ["refused: text that is not UTF-8 (1)"], "counted, and no error"


def shown_at_first(text):
    """The sample begins with a worker; nine seconds later there is a cat."""
    return any(word in text.lower() for word in ("person", "people", "cat"))


@pytest.mark.slow
async def test_lite_names_what_a_sender_shows_also_after_a_restart(tmp_path):
    options = ("serve", "--model", "lite", "--port", "0", "--data", str(tmp_path / "data"))
    async with flashback(*options) as first:
        async with sending(first, SAMPLE), talking(first) as talk:
            await remembered(talk, 2)
            text, _ = await answer(talk, "What do you see?")
        assert shown_at_first(text)
        await first.stop()
    async with flashback(*options) as second, talking(second) as talk:
        text, response = await answer(talk, "What do you see?")
    assert shown_at_first(text)
    assert response["usage"]["clips"] >= 2


async def test_the_json_of_ask_is_the_only_thing_on_its_output(film):
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "web.cli", "ask", str(film), "What is it?", "--json", "--model", "tiny"),
        cwd=SAMPLE.parents[2],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    asked = json.loads(output)
    assert list(asked) == [
        "question",
        "time",
        "answer",
        "evidence",
        "frames",
        "start",
        "end",
        "behind",
        "clips",
        "tokens_kept",
        "first_token_ms",
        "total_ms",
        "model",
        "left_out",
    ]
    assert (asked["question"], asked["model"]) == ("What is it?", "tiny")
    assert asked["time"] is None, "nothing is said of time"
    assert 0 <= asked["start"] < asked["end"] <= 6
    assert asked["behind"] == 0, "a file is read to its end first"
    assert asked["clips"] == len(asked["evidence"]) == asked["frames"] / 4 == 15, "all 60 frames"
    assert set(asked["evidence"][0]) == {"start", "end", "score"}
