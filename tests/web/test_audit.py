"""Who asked what of which stream, who forgot what; and the line of the log that a client's error is."""

import asyncio
import json
import logging
import os
from pathlib import Path

import pytest

from model.errors import ModelError
from tests.web.conftest import echo_service
from tests.web.test_tokens import by, made
from web.access.tokens import Caller
from web.errors import Refusal
from web.operations.audit import OLD_FILES, AuditLog
from web.operations.log_lines import JsonLines
from web.operations.request_id import begin_request, continue_as
from web.settings import Settings

ANN = Caller("ann@")


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


async def test_it_is_noted_who_asked_and_forgot_what(tmp_path):
    tokens, log = tmp_path / "tokens.json", tmp_path / "audit.jsonl"
    ann = await made(tokens, "ann", ("ask", "forget"))
    async with echo_service(token_file=tokens, token="theirs", audit_log=log) as service:
        await service.remember()
        async with service.talk(additional_headers=by(ann)) as talk:
            await talk.ask("who was here")
            _, response = await talk.until_done()
        async with service.client(headers=by("theirs")) as client:
            asked = {"model": "echo@cam", "messages": [{"role": "user", "content": "and now"}]}
            answered = await client.post("/v1/chat/completions", json=asked)
        async with service.client(headers=by(ann)) as client:
            await client.patch("/v1/streams/cam", json={"keep_seconds": 60})
            await client.delete("/v1/streams/cam", params={"since": 0, "until": 2})
            await client.delete("/v1/streams/cam")
    noted = [{k: v for k, v in line.items() if k not in {"time", "request"}} for line in lines(log)]
    assert noted == [
        {"caller": "ann", "action": "ask", "stream": "cam", "question": "who was here"},
        {"caller": "FLASHBACK_TOKEN 1", "action": "ask", "stream": "cam", "question": "and now"},
        {"caller": "ann", "action": "keep", "stream": "cam", "seconds": 60.0},
        {"caller": "ann", "action": "forget", "stream": "cam", "since": 0.0, "until": 2.0},
        {"caller": "ann", "action": "forget", "stream": "cam"},
    ]
    requests = [line["request"] for line in lines(log)]
    assert requests[:2] == [response["id"], answered.headers["x-request-id"]]
    assert log.stat().st_mode & 0o777 == 0o600


async def test_what_cannot_be_noted_is_not_done(tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    async with echo_service(audit_log=folder / "audit.jsonl") as service:
        await service.remember()
        (folder / "audit.jsonl").unlink()
        folder.rmdir()
        async with service.client() as client, service.talk() as talk:
            refused = await client.delete("/v1/streams/cam")
            assert refused.status_code == 503
            assert "audit log cannot be written (No such file" in refused.json()["detail"]
            await talk.ask("who was here")
            assert (await talk.refusal())["code"] == "audit_unavailable"
        assert service.engine.asked == []
        assert len(await service.store.moments("cam")) == 1


async def test_a_full_file_is_set_aside_and_the_oldest_goes(tmp_path):
    path = tmp_path / "audit.jsonl"
    log = AuditLog(path, 300, lambda: 0.0)
    for number in range(60):
        await log.note(ANN, "ask", "cam", question=f"question {number}")
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == [path.name, *(f"{path.name}.{n}" for n in range(1, OLD_FILES + 1))]  # fmt: skip
    assert all(file.stat().st_size <= 300 for file in files)
    kept = [line["question"] for file in reversed(files) for line in lines(file)]
    assert kept == [f"question {number}" for number in range(60 - len(kept), 60)]


async def test_a_line_that_a_full_disk_cuts_is_taken_back_and_refused(tmp_path, monkeypatch):
    path, write, room = tmp_path / "audit.jsonl", os.write, [1000]
    log = AuditLog(path, 10_000, lambda: 0.0)

    def write_some(file, line):
        return write(file, line[: room[0]])

    monkeypatch.setattr(os, "write", write_some)
    await log.note(ANN, "ask", "cam", question="first")
    room[0] = 20
    with pytest.raises(Refusal, match="No space left"):
        await log.note(ANN, "ask", "cam", question="second")
    room[0] = 1000
    await log.note(ANN, "ask", "cam", question="third")
    assert [line["question"] for line in lines(path)] == ["first", "third"]


async def test_it_is_off_unless_a_file_is_named_and_a_bad_one_is_said_at_the_start(tmp_path):
    await AuditLog(None, 1, lambda: 0.0).note(ANN, "ask", "cam")
    with pytest.raises(Refusal, match="FLASHBACK_AUDIT_LOG"):
        await AuditLog(tmp_path / "nowhere" / "audit.jsonl", 1, lambda: 0.0).check()


class Kept(logging.Handler):
    """Keeps lines as they would be written."""

    def __init__(self):
        super().__init__()
        self.setFormatter(JsonLines())
        self.lines = []

    def emit(self, record):
        self.lines.append(json.loads(self.format(record)))


@pytest.fixture
def kept():
    kept, loggers = Kept(), [logging.getLogger(name) for name in (None, "uvicorn.error")]
    loggers[0].addHandler(kept)
    yield kept
    for logger in loggers:
        logger.removeHandler(kept)


@pytest.fixture
def log(kept):
    return kept.lines


def of(log, request):
    return [line for line in log if line.get("request") == request]


async def test_the_request_of_an_error_is_told_and_stands_in_its_line(log, kept):
    async with echo_service() as service, service.client() as client:
        logging.getLogger("uvicorn.error").addHandler(kept)  # it keeps what it says to itself
        await service.remember()
        service.engine.failure = RuntimeError("a secret of the inside")
        asked = {"model": "echo@cam", "messages": [{"role": "user", "content": "what"}]}
        failed = await client.post("/v1/chat/completions", json=asked)
        assert failed.status_code == 500
        request = failed.headers["x-request-id"]
        assert request in failed.text
        assert "a secret of the inside" not in failed.text
        assert any("a secret of the inside" in line.get("error", "") for line in of(log, request))


async def test_an_answer_that_fails_over_the_websocket_has_the_id_of_its_response(log):
    async with echo_service() as service:
        await service.remember()
        service.engine.failure = ModelError("out of memory", code="engine_failed")
        async with service.talk() as talk:
            assert talk.connection.response.headers["x-request-id"].startswith("req_")
            await talk.ask("what")
            _, response = await talk.until_done()
        [line] = of(log, response["id"])
        assert (line["level"], line["message"]) == ("error", "no answer: engine_failed")
        assert "out of memory" in line["error"]


async def test_a_proxy_may_give_the_id_and_nonsense_is_not_taken():
    async with echo_service() as service, service.client() as client:
        for given, taken in [("from-nginx-17", True), ("short", False), ("a" * 65, False)]:
            answer = await client.get("/health", headers={"X-Request-Id": given})
            assert (answer.headers["x-request-id"] == given) is taken
        first, second = [await client.get("/health") for _ in range(2)]
        assert first.headers["x-request-id"] != second.headers["x-request-id"]


async def test_what_a_task_begins_goes_under_its_request_and_others_do_not(log):
    logger = logging.getLogger("any")

    async def work():
        continue_as("resp_1")
        logger.warning("inside")

    begin_request("request-1")
    await asyncio.create_task(work())
    logger.warning("out\nside")
    assert [(line["request"], line["message"]) for line in log] == [
        ("resp_1", "inside"),
        ("request-1", "out\nside"),
    ]


def test_a_path_is_a_setting():
    chosen = Settings.from_env(
        {"FLASHBACK_AUDIT_LOG": "/var/log/audit.jsonl", "FLASHBACK_LOG": "json"}
    )
    assert (chosen.audit_log, chosen.log) == (Path("/var/log/audit.jsonl"), "json")
