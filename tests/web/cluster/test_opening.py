"""What hosts agree on before Ray is started, and what is said where it cannot be."""

import pytest

from memory.local_documents import LocalDocuments
from web.cli import commands
from web.cluster.names import cluster_name
from web.errors import Failed


async def test_hosts_on_one_redis_have_one_name_and_those_on_another_have_another():
    here, there = LocalDocuments(), LocalDocuments()
    first = await cluster_name(here, 1.0)
    assert first.startswith("flashback-")
    assert await cluster_name(here, 0.0) == first
    assert await cluster_name(there, 1.0) != first


def test_without_the_extra_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setattr(commands, "find_spec", lambda _: None)
    with pytest.raises(Failed, match=r"ray is not installed.*'\.\[ray\]'"):
        commands.app(["serve", "--cluster"], standalone_mode=False)
