"""Named tokens: what each may do, on which streams, and that they can be taken back."""

import asyncio
import json

import pytest
import websockets

from tests.web.conftest import echo_service
from web.access import keys
from web.access.keys import Keys
from web.access.tokens import TokenFile, TokenRecord, digest, make_token
from web.cli.commands import run
from web.cli.serve import _lets_others_in, _with_token
from web.errors import BadValue
from web.settings import Settings


def added(file, name, may=("watch",), streams=("*",), expires=None):
    token = make_token()
    record = TokenRecord(
        name=name, digest=digest(token).hex(), may=may, streams=streams, expires=expires
    )
    TokenFile(file).add(record)
    return token


async def made(file, *words, **options):
    return await asyncio.to_thread(added, file, *words, **options)


def by(token):
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def file(tmp_path):
    return tmp_path / "tokens.json"


RIGHT_OF = [
    ("watch", "GET", "/v1/streams/cam"),
    ("watch", "GET", "/v1/streams/cam/moments"),
    ("watch", "GET", "/v1/streams/cam/thumbnails/0.0.jpg"),
    ("watch", "GET", "/v1/streams/cam/suggestions"),
    ("watch", "GET", "/v1/streams/cam/timeline"),
    ("watch", "GET", "/v1/streams/cam/clip?since=0&until=1"),
    ("watch", "GET", "/v1/streams/cam/picture?at=0"),
    ("watch", "POST", "/whep/cam"),
    ("ask", "GET", "/v1/realtime?stream=cam"),
    ("ask", "GET", "/v1/models/echo@cam"),
    ("ask", "POST", "/v1/chat/completions"),
    ("ingest", "POST", "/whip/cam"),
    ("forget", "DELETE", "/v1/streams/cam"),
]


async def test_each_right_opens_its_routes_and_no_others(file):
    tokens = {
        right: await made(file, right, (right,)) for right in ("watch", "ask", "ingest", "forget")
    }
    tokens["admin"] = await made(file, "admin", ("admin",))
    async with echo_service(token_file=file) as service, service.client() as client:
        await service.remember()
        for needed, method, path in RIGHT_OF:
            for right, token in tokens.items():
                response = await client.request(method, path, headers=by(token))
                allowed = right in {needed, "admin"}
                assert (response.status_code != 403) == allowed, (method, path, right)
        for right, token in tokens.items():
            response = await client.get("/metrics", headers=by(token))
            assert response.status_code == (200 if right == "admin" else 403)
        assert (await client.get("/v1/streams", headers=by(tokens["ask"]))).status_code == 403
        assert (await client.get("/v1/streams")).status_code == 401


async def test_a_token_for_some_streams_sees_no_others(file):
    door = await made(file, "door", ("watch", "ask", "ingest", "forget"), ("door-*",))
    async with echo_service(token_file=file) as service:
        for name in ("door-1", "door-2", "yard"):
            await service.remember(name)
        async with service.client(headers=by(door)) as client:
            listed = (await client.get("/v1/streams")).json()["streams"]
            assert [stream["name"] for stream in listed] == ["door-1", "door-2"]
            first = (await client.get("/v1/streams?limit=1")).json()["streams"]
            assert [stream["name"] for stream in first] == ["door-1"]
            assert (await client.get("/v1/streams/door-1")).status_code == 200
            for method, path in (
                ("GET", "/v1/streams/yard"),
                ("GET", "/v1/streams/yard/thumbnails/0.0.jpg"),
                ("DELETE", "/v1/streams/yard"),
                ("POST", "/whip/yard"),
                ("DELETE", "/whip/yard/session"),
                ("GET", "/v1/realtime?stream=yard"),
            ):
                response = await client.request(method, path)
                assert response.status_code == 403, (method, path)
                assert response.json()["detail"] == "This token is not for that stream."
            source = {"name": "yard", "url": "rtsp://camera.invalid/"}
            assert (await client.post("/v1/streams", json=source)).status_code == 403


async def test_who_may_ask_but_not_send_is_told_so_when_a_picture_comes(file):
    asker = await made(file, "asker", ("ask",))
    async with echo_service(token_file=file) as service:
        await service.remember()
        async with service.talk(additional_headers=by(asker)) as talk:
            await talk.ask("what is it")
            assert (await talk.until_done())[0] == "what is it "
            picture = {"type": "input_image", "image_url": "data:image/jpeg;base64,AAAA"}
            item = {"type": "message", "role": "user", "content": [picture]}
            await talk.say({"type": "conversation.item.create", "item": item})
            assert (await talk.refusal())["code"] == "not_allowed"


async def test_a_token_taken_back_ends_what_is_open_with_it_and_a_new_one_comes_in(
    file, monkeypatch
):
    monkeypatch.setattr(keys, "_FILE_SECONDS", 0.01)
    old = await made(file, "guest", ("watch", "ask"))
    other = await made(file, "other", ("watch", "ask"))
    async with echo_service(token_file=file) as service, service.client() as client:
        await service.remember()
        ticket = await client.post("/v1/realtime/client_secrets", headers=by(old))
        async with (
            service.talk(additional_headers=by(old)) as cut,
            service.talk(additional_headers=by(other)) as kept,
        ):
            new = await made(file, "guest", ("watch", "ask"))
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await cut.hear("never")
            assert closed.value.rcvd.code == 1008
            assert (await client.get("/v1/streams", headers=by(old))).status_code == 401
            assert (await client.get("/v1/streams", headers=by(new))).status_code == 200
            spent = {"ticket": ticket.json()["value"]}
            picture = "/v1/streams/cam/thumbnails/0.0.jpg"
            # The name is the same: a ticket of the old token gets nothing from the new one.
            assert (await client.get(picture, params=spent)).status_code == 401
            await asyncio.to_thread(TokenFile(file).remove, "guest")
            while (await client.get("/v1/streams", headers=by(new))).status_code != 401:
                pass
            await kept.ask("still here")
            assert (await kept.until_done())[0] == "still here "


async def test_a_file_that_breaks_while_running_changes_nothing(file, monkeypatch, caplog):
    monkeypatch.setattr(keys, "_FILE_SECONDS", 0.01)
    token = await made(file, "one")
    async with (
        echo_service(token_file=file) as service,
        service.client(headers=by(token)) as client,
    ):
        await asyncio.to_thread(file.write_text, "{")
        while "stay as they were" not in caplog.text:
            assert (await client.get("/v1/streams")).status_code == 200
        assert token not in caplog.text


async def test_a_token_is_good_until_it_expires(file):
    now = [1000.0]
    token = await made(file, "one", expires=1060.0)
    keys = Keys([], lambda: now[0], TokenFile(file))
    await keys.load()
    caller = await keys.find(token)
    assert caller is not None
    ticket, _ = keys.ticket(caller)
    now[0] = 1060.0
    assert await keys.find(token) is None
    assert keys.by_ticket(ticket) is None


@pytest.mark.parametrize("content", ["", "{", '{"version": 2}', '{"tokens": [{"name": "a"}]}'])
def test_a_file_that_is_none_stops_the_start_in_words(file, content):
    file.write_text(content)
    with pytest.raises(BadValue, match="flashback token add"):
        TokenFile(file).read()


def loaded(file, clock):
    keys = Keys([], clock, TokenFile(file))
    asyncio.run(keys.load())
    return keys


def command(monkeypatch, capsys, file, *words):
    monkeypatch.setenv("FLASHBACK_TOKEN_FILE", str(file))
    monkeypatch.setattr("sys.argv", ["flashback", "token", *words])
    code = run()
    return code, capsys.readouterr()


def test_the_command_makes_lists_and_takes_back(monkeypatch, capsys, file):
    code, said = command(monkeypatch, capsys, file, "add", "ann", "--may", "ask,watch", "--streams", "door-*", "--expires", "30d")  # fmt: skip
    token = said.out.strip()
    assert (code, len(token)) == (0, 32)
    assert token not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    kept = json.loads(file.read_text())["tokens"][0]
    assert (kept["name"], kept["may"], kept["streams"]) == ("ann", ["watch", "ask"], ["door-*"])
    keys = loaded(file, lambda: kept["expires"] - 1)
    assert asyncio.run(keys.find(token)).allows("ask", "door-3")
    assert not asyncio.run(keys.find(token)).allows("ask", "yard")
    _, said = command(monkeypatch, capsys, file, "list")
    assert "ann" in said.out
    assert token not in said.out
    assert command(monkeypatch, capsys, file, "remove", "ann")[0] == 0
    assert asyncio.run(loaded(file, lambda: 0.0).find(token)) is None
    code, said = command(monkeypatch, capsys, file, "remove", "ann")
    assert code == 1
    assert "no token called ann" in said.err


def test_taking_the_last_token_back_lets_nobody_in_instead_of_everybody(file):
    added(file, "ann")
    keys = loaded(file, lambda: 0.0)
    TokenFile(file).remove("ann")
    keys._take(TokenFile(file).read())
    assert keys.needed
    assert loaded(file, lambda: 0.0).needed, "after a restart, too"
    file.unlink()
    keys._take(TokenFile(file).read())
    assert keys.needed, "until a restart"
    assert not loaded(file, lambda: 0.0).needed


def test_what_follows_from_taking_the_last_token_back_is_said(monkeypatch, capsys, file):
    assert command(monkeypatch, capsys, file, "remove", "nobody")[0] == 1
    assert not file.exists(), "nothing was taken back, so nothing is demanded"
    command(monkeypatch, capsys, file, "add", "ann")
    code, said = command(monkeypatch, capsys, file, "remove", "ann")
    assert (code, f"delete {file} and start the service anew" in said.err) == (0, True)


def test_a_rotated_token_keeps_what_the_old_one_might_do(monkeypatch, capsys, file):
    told = ["--may", "watch", "--streams", "door-*", "--expires", "30d", "--questions", "9/min"]
    _, said = command(monkeypatch, capsys, file, "add", "ann", *told)
    old, [before] = said.out.strip(), TokenFile(file).read()
    code, said = command(monkeypatch, capsys, file, "rotate", "ann")
    new, [after] = said.out.strip(), TokenFile(file).read()
    assert (code, new != old) == (0, True)
    assert after == before.model_copy(update={"digest": digest(new).hex()})
    assert asyncio.run(loaded(file, lambda: 0.0).find(old)) is None
    command(monkeypatch, capsys, file, "rotate", "ann", "--expires", "60d")
    assert TokenFile(file).read()[0].expires > before.expires
    _, said = command(monkeypatch, capsys, file, "add", "ann")  # which takes nothing over
    assert TokenFile(file).read()[0].streams == ("*",)
    assert "`flashback token rotate` keeps those" in said.err


def test_what_cannot_be_rotated_is_said(monkeypatch, capsys, file):
    code, said = command(monkeypatch, capsys, file, "rotate", "nobody")
    assert (code, "no token called nobody" in said.err) == (1, True)
    added(file, "old", expires=1.0)
    code, said = command(monkeypatch, capsys, file, "rotate", "old")
    assert (code, "has expired: say for how long" in said.err) == (2, True)
    assert command(monkeypatch, capsys, file, "rotate", "old", "--expires", "1d")[0] == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["add", "an n"], "letters, digits"),
        (["add", "ann", "--may", "fly"], "'fly' is not a right: they are ingest"),
        (["add", "ann", "--expires", "soon"], "write 90m, 12h, 30d or 8w"),
        (["add", "ann", "--streams", "a/b"], "matches no stream's name"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(monkeypatch, capsys, file, words, sentence):
    code, said = command(monkeypatch, capsys, file, *words)
    assert code == 2
    assert sentence in said.err.replace("\n", " ")
    assert not file.exists()


def test_a_service_that_others_can_reach_makes_itself_a_token():
    reachable, made = _with_token(Settings(host="0.0.0.0"))
    assert made
    assert len(reachable.token[0].get_secret_value()) == 32
    assert _with_token(Settings()) == (Settings(), False)
    own = Settings(host="0.0.0.0", token=("mine",))
    assert _with_token(own) == (own, False)


def test_a_service_behind_a_proxy_without_a_token_is_warned_of(file):
    behind = Settings(allowed_hosts=("cams.example",), token_file=file)
    assert _lets_others_in(behind)
    assert not _lets_others_in(Settings(token_file=file))
    assert not _lets_others_in(behind.model_copy(update={"token": ("a token",)}))
    added(file, "ann")
    assert not _lets_others_in(behind)
