"""`flashback backup` and `restore` with the embedded Redis, while no service runs."""

import asyncio

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
    assert (code, "holds 2 streams with 2 clips" in said) == (0, True), said
    code, said = command("restore", file, "--check")
    assert (code, "door 1" in said, "is whole" in said) == (0, True, True), said
    assert command("restore", file, "--data", there, "--stream", "door")[0] == 0
    code, said = command("restore", file, "--data", there)
    assert code == 1
    assert "nothing was restored: there is a stream called door already. With --replace" in said
    assert asyncio.run(remembered(there)) == {"door": 1}


def test_what_cannot_be_done_is_said_in_words(command, tmp_path):
    file = tmp_path / "some.backup"
    code, said = command("restore", file)
    assert (code, f"{file} cannot be used: No such file" in said) == (1, True), said
    file.write_bytes(b"something else altogether")
    code, said = command("restore", file)
    assert (code, "cannot be restored: it is no backup of Flashback" in said) == (1, True), said
