"""What one token may have: so many streams, questions in a time, bytes of a day. More is 429 and words."""

import asyncio
import base64
import io
import json

import httpx
import pytest
from PIL import Image

from stream.webrtc.whip_client import Player
from tests.stream.fakes import HandClock
from tests.web.conftest import echo_service
from tests.web.test_tokens import by, command
from web.access.allowances import Allowances
from web.access.limits import Limits, Rate, read_size
from web.access.tokens import Caller, TokenFile, TokenRecord, digest, make_token
from web.errors import BadValue, Full
from web.http import peers
from web.services import Clocks

NOON = 12 * 3600.0


def caller(name="ann", **limits):
    return Caller(name, limits=Limits(**limits))


@pytest.fixture
def clock():
    return HandClock(NOON)


@pytest.fixture
def allowances(clock):
    return Allowances(clock, clock)


def test_as_many_questions_at_once_as_the_rate_allows_then_one_at_a_time(allowances, clock):
    ann = caller(questions=Rate(count=3, seconds=60))
    for _ in range(3):
        allowances.ask(ann)
    with pytest.raises(Full, match="may ask 3/min; ask again in 20 seconds") as refused:
        allowances.ask(ann)
    assert refused.value.headers == {"Retry-After": "20"}
    allowances.ask(caller("ben", questions=Rate(count=3, seconds=60)))
    clock.now += 20
    allowances.ask(ann)
    with pytest.raises(Full):
        allowances.ask(ann)
    clock.now += 3600
    for _ in range(3):
        allowances.ask(ann)


def test_a_token_sends_so_many_bytes_a_day_and_more_after_midnight(allowances, clock):
    ann = caller(bytes_a_day=1000)
    allowances.send(ann, 1000)
    with pytest.raises(Full, match=r"sent its 1 KB of the day") as refused:
        allowances.send(ann, 1)
    assert refused.value.retry_after == NOON
    clock.now += NOON
    allowances.send(ann, 1000)


def test_no_limit_is_no_limit(allowances):
    for _ in range(1000):
        allowances.ask(caller())
        allowances.send(caller(), 10**9)


def test_no_more_tokens_are_known_than_may_be(allowances):
    for number in range(2500):
        allowances.ask(caller(f"t{number}", questions=Rate(count=1, seconds=60)))
    assert len(allowances._of) == 2000


@pytest.mark.parametrize("text", ["30", "0/min", "30/week", "-1/min", "many"])
def test_what_is_no_rate_is_said(text):
    with pytest.raises(BadValue, match="30/min"):
        Rate.read(text)


@pytest.mark.parametrize("text", ["2GB", "2GB/min", "0GB/day", "2G/day"])
def test_what_is_no_size_is_said(text):
    with pytest.raises(BadValue, match="2GB/day"):
        read_size(text)


async def made(file, **limits):
    token = make_token()
    record = TokenRecord(
        name="ann",
        digest=digest(token).hex(),
        may=("ask", "watch", "ingest"),
        limits=Limits(**limits),
    )
    await asyncio.to_thread(TokenFile(file).add, record)
    return token


ASKED = {"model": "echo@cam", "messages": [{"role": "user", "content": "one two"}]}


async def test_asking_too_often_is_refused_on_every_way_and_others_ask_on(tmp_path):
    clock, file = HandClock(NOON), tmp_path / "tokens.json"
    token = await made(file, questions=Rate(count=2, seconds=60))
    clocks = Clocks(wall=clock, monotonic=clock)
    async with echo_service(clocks, token_file=file, token="theirs") as service:
        await service.remember()
        async with (
            service.client(headers=by(token)) as client,
            service.talk(additional_headers=by(token)) as talk,
        ):
            assert (await client.post("/v1/chat/completions", json=ASKED)).is_success
            await talk.ask("one two")
            assert (await talk.until_done())[0] == "one two "
            await talk.ask("three")
            error = await talk.refusal()
            assert error["code"] == "rate_limit_exceeded"
            assert "2/min; ask again in 30 seconds" in error["message"]
            _, response = await talk.until_done()
            assert response["status"] == "failed"
            refused = await client.post("/v1/chat/completions", json=ASKED)
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "30")
            assert refused.json()["error"]["code"] == "rate_limit_exceeded"
            refused = await client.post("/v1/ask", json={"question": "one two"})
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "30")
            clock.now += 30
            assert (await client.post("/v1/chat/completions", json=ASKED)).is_success
        async with service.client(headers=by("theirs")) as client:
            assert (await client.post("/v1/chat/completions", json=ASKED)).is_success
        assert len(service.engine.asked) == 4


def jpeg(side):
    out = io.BytesIO()
    Image.effect_noise((side, side), 90).convert("RGB").save(out, "JPEG")
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode()


async def test_pictures_beyond_the_bytes_of_the_day_are_refused(tmp_path):
    token = await made(tmp_path / "tokens.json", bytes_a_day=6_000)
    async with (
        echo_service(token_file=tmp_path / "tokens.json") as service,
        service.talk(additional_headers=by(token)) as talk,
    ):
        picture = {"type": "input_image", "image_url": jpeg(64)}
        item = {"type": "message", "role": "user", "content": [picture]}
        event = {"type": "conversation.item.create", "item": item}
        await talk.say(event)
        await talk.next_of("conversation.item.done")
        for _ in range(10):
            await talk.say(event)
        error = (await talk.next_of("error"))["error"]
        assert error["code"] == "rate_limit_exceeded"
        assert "sent its 6 KB" in error["message"]


async def test_a_sender_beyond_the_bytes_of_the_day_is_hung_up_on_and_stays_out(
    tmp_path, film, monkeypatch
):
    monkeypatch.setattr(peers, "_COUNT_SECONDS", 0.05)
    token = await made(tmp_path / "tokens.json", bytes_a_day=20_000)
    async with (
        echo_service(token_file=tmp_path / "tokens.json") as service,
        Player(film) as player,
        service.client(headers=by(token)) as client,
    ):
        kind = {"Content-Type": "application/sdp"}
        answer = await client.post("/whip/cam", content=player.offer, headers=kind)
        await player.accept(answer.text)
        await service.until(lambda: not len(service.services.senders))
        live = await service.services.registry.find("cam")
        assert "has sent its 20 KB" in live.status().reason
        refused = await client.post("/whip/cam", content="v=0", headers=kind)
        assert refused.status_code == httpx.codes.TOO_MANY_REQUESTS
        assert "midnight" in refused.json()["detail"]


async def test_a_token_feeds_no_more_streams_than_were_set_for_it(tmp_path):
    token = await made(tmp_path / "tokens.json", streams=1)
    async with echo_service(token_file=tmp_path / "tokens.json") as service:
        here = service.services
        ann = service.services.feeding.acquire("one", Caller("ann@", limits=Limits(streams=1)))
        async with service.client(headers=by(token)) as client:
            source = {"name": "two", "url": "rtsp://8.8.8.8/live"}
            refused = await client.post("/v1/streams", json=source)
            assert refused.status_code == httpx.codes.TOO_MANY_REQUESTS
            assert "may have 1 streams at once" in refused.json()["detail"]
        async with service.talk("two", additional_headers=by(token)) as talk:
            picture = {"type": "input_image", "image_url": jpeg(32)}
            item = {"type": "message", "role": "user", "content": [picture]}
            await talk.say({"type": "conversation.item.create", "item": item})
            assert (await talk.next_of("error"))["error"]["code"] == "rate_limit_exceeded"
        ann.release()
        assert not len(here.feeding)


def test_the_command_sets_and_lists_limits(monkeypatch, capsys, tmp_path):
    file = tmp_path / "tokens.json"
    words = ["add", "ann", "--questions", "30/min", "--max-streams", "2", "--bytes", "2GB/day"]
    assert command(monkeypatch, capsys, file, *words)[0] == 0
    [kept] = json.loads(file.read_text())["tokens"]
    assert kept["limits"] == {
        "streams": 2,
        "questions": {"count": 30, "seconds": 60},
        "bytes_a_day": 2 * 10**9,
    }
    _, said = command(monkeypatch, capsys, file, "list")
    assert "30/min" in said.out.replace("\n", "")
    code, said = command(monkeypatch, capsys, file, "add", "ben", "--questions", "often")
    assert (code, "write 30/min" in said.err) == (2, True)
