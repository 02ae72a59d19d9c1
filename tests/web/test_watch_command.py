"""`flashback watch` against a running service."""

import asyncio

import pytest

from tests.web.test_watches import sees, show
from web.cli.commands import run


@pytest.fixture
def flashback(service, monkeypatch, capsys):
    async def type_in(*words):
        monkeypatch.setattr("sys.argv", ["flashback", "watch", *words, "--server", service.url])
        monkeypatch.setattr("web.cli.client.watches.signals_as_interrupt", Nothing)
        code = await asyncio.to_thread(run)
        said = capsys.readouterr()
        return code, said.out + said.err

    return type_in


class Nothing:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False


async def test_a_watch_is_made_listed_tried_and_removed(service, flashback):
    sees(service)
    await service.remember("cam", clips=5)
    code, said = await flashback("add", "Tell me when a person is at the door", "--stream", "cam")
    assert code == 0
    assert "I will tell you: a person." in said
    assert "at the door" in said
    [key] = service.services.watcher.watches
    code, said = await flashback("list")
    assert (code, "Tell" in said) == (0, True)
    code, said = await flashback("test", key)
    assert "cam: 5 clips looked at" in said
    await show(service, 2)
    code, said = await flashback("events")
    assert "cam  Tell me when a person is at the door" in said
    assert (await flashback("remove", key))[0] == 0
    assert not service.services.watcher.watches


async def test_what_is_refused_is_said_in_a_sentence(service, flashback):
    sees(service)
    code, said = await flashback("add", "when the flurble comes")
    assert code == 1
    assert "not in the model's vocabulary" in said.replace("\n", " ")
    assert (await flashback("remove", "watch_none"))[0] == 1
