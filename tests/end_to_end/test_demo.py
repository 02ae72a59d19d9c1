"""`flashback demo`: the sample plays for as long as the demo runs, whatever is done to its stream."""

import httpx
import pytest

from stream.webrtc.whip_client import Player
from tests.end_to_end.conftest import flashback
from tests.end_to_end.test_service import remembered, talking

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
async def demo(tmp_path):
    settings = {"FLASHBACK_DATA": str(tmp_path / "data"), "FLASHBACK_SAMPLE_RATE": "4"}
    async with flashback("demo", "--model", "tiny", "--port", "0", **settings) as service:
        yield service
        assert service.process.returncode is None, "it runs until it is stopped"


async def test_a_deleted_sample_begins_anew(demo):
    async with (
        talking(demo, "sample") as talk,
        httpx.AsyncClient(base_url=demo.url, timeout=None) as client,
    ):
        await remembered(talk, 1)
        first = (await client.get("/v1/streams/sample")).json()["began"]
        assert (await client.delete("/v1/streams/sample")).is_success
        while (await talk.next_of("flashback.stream"))["stream"]["began"] <= first:
            pass  # told before it was deleted, and on its way since
        await remembered(talk, 1)


async def test_the_sample_waits_while_another_sends_and_then_plays_again(demo, film):
    headers = {"Content-Type": "application/sdp"}
    async with (
        talking(demo, "sample") as talk,
        httpx.AsyncClient(base_url=demo.url, headers=headers, timeout=None) as client,
        Player(film) as player,
    ):
        await remembered(talk, 1)
        answer = await client.post("/whip/sample", content=player.offer)
        await player.accept(answer.text)
        await player.wait_connected()
        await remembered(talk, 3)
        left = await client.delete(answer.headers["Location"])
        assert left.status_code == 200, "else the sample had taken its stream back"
        await remembered(talk, 2)


async def test_questions_to_try_are_printed_once_the_sample_has_shown_something(demo):
    lines = []
    while not any("Questions to try" in line for line in lines):
        lines.append((await demo.process.stdout.readline()).decode())
        assert lines[-1], lines
    assert (await demo.process.stdout.readline()).decode().strip() == "What do you see?"
