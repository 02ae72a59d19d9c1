"""`flashback backup` and `restore` with the embedded Redis, while no service runs."""

import asyncio
import os

import pytest
import torch

from memory.embedded.server import EmbeddedRedis
from memory.redis.store import RedisStore
from model.types import ClipTokens
from web.cli.commands import run


async def remembered(directory, *names):
    """Remember a clip of each of these streams; return what there is then."""
    async with await EmbeddedRedis.start(directory, megabytes=16) as server:
        store = RedisStore.connect(server.url, "an-encoder")
        for name in names:
            await store.begin(name, 1.0)
            await store.append(name, ClipTokens(torch.ones(1, 4), 0.0, 1.0), b"jpeg")
        found = {record.name: record.clips for record in await store.streams()}
        await store.close()
        return found


@pytest.fixture
def command(monkeypatch, capsys):
    def command(*words):
        monkeypatch.setattr("sys.argv", ["flashback", *map(str, words)])
        code = run()
        said = capsys.readouterr()
        return code, " ".join((said.out + said.err).split())

    return command


def test_what_one_machine_remembered_is_put_back_on_another(command, tmp_path):
    here, there, file = tmp_path / "here", tmp_path / "there", tmp_path / "all.backup"
    asyncio.run(remembered(here, "door", "yard"))
    code, said = command("backup", file, "--data", here)
    assert (code, "holds 2 streams with 2 clips; watches and events: " in said) == (0, True), said
    code, said = command("restore", file, "--check")
    assert (code, "door 1" in said, "is whole" in said) == (0, True, True), said
    assert command("restore", file, "--data", there, "--stream", "door")[0] == 0
    code, said = command("restore", file, "--data", there)
    assert code == 1
    assert "nothing was restored: there is a stream called door already. With --replace" in said
    assert asyncio.run(remembered(there)) == {"door": 1}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"something else altogether", "it is not a backup of Flashback"),
        (b"short", "it is not a backup of Flashback"),
        (b"", "it is not a backup of Flashback"),
        (b"FBBACK", "it is cut short"),
    ],
)
def test_what_is_no_backup_is_told_from_one_that_is_cut_short(command, tmp_path, content, reason):
    file = tmp_path / "some.backup"
    file.write_bytes(content)
    code, said = command("restore", file)
    assert (code, f"cannot be restored: {reason}" in said) == (1, True), said


def test_what_cannot_be_done_is_said_in_words(command, tmp_path):
    file, data = tmp_path / "some.backup", tmp_path / "data"
    code, said = command("restore", file)
    assert (code, f"{file} cannot be used: No such file" in said) == (1, True), said
    code, said = command("backup", file, "--data", data, "--stream", "door")
    assert (code, "there is no stream called door; there is none" in said) == (1, True), said
    code, said = command("backup", tmp_path / "no" / "folder", "--data", data)
    assert (code, f"there is no folder {tmp_path / 'no'}" in said) == (1, True), said
    assert command("backup", file, "--data", data)[0] == 0
    code, said = command("restore", file, "--data", data, "--stream", "door")
    assert (code, "holds no stream called door; there is none" in said) == (2, True), said


def test_a_redis_url_that_cannot_be_read_is_said(command, tmp_path, monkeypatch):
    monkeypatch.setenv("FLASHBACK_REDIS_URL", "http://:hunter2@one")
    code, said = command("backup", tmp_path / "some.backup")
    assert (code != 0, "looks like redis://" in said) == (True, True), said
    assert "hunter2" not in said


def test_a_pipe_is_refused_instead_of_waited_for(command, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    code, said = command("restore", tmp_path / "pipe", "--data", tmp_path / "data")
    assert code != 0
    assert "pipe cannot be used: it is no file that can be read twice" in said
