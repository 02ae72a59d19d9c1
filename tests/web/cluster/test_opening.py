"""What hosts agree on before Ray is started, and what is said where it cannot be."""

import asyncio
import os

import pytest

from memory.local_documents import LocalDocuments
from web.cli import commands
from web.cluster.opening import check_reachable, cluster_name
from web.cluster.ray_environment import set_defaults
from web.errors import Failed, WebError


async def test_hosts_on_one_redis_have_one_name_and_those_on_another_have_another():
    here, there = LocalDocuments(), LocalDocuments()
    first = await cluster_name(here, 1.0)
    assert first.startswith("flashback-")
    assert await cluster_name(here, 0.0) == first
    assert await cluster_name(there, 1.0) != first


def test_ray_is_asked_to_demand_a_token_unless_whoever_runs_us_chose_otherwise(monkeypatch):
    chosen = {"RAY_USAGE_STATS_ENABLED": "1"}
    monkeypatch.setattr(os, "environ", chosen)
    set_defaults()
    assert chosen["RAY_AUTH_MODE"] == "token"
    assert chosen["RAY_USAGE_STATS_ENABLED"] == "1"


def test_without_the_extra_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setattr(commands, "find_spec", lambda _: None)
    with pytest.raises(Failed, match=r"ray is not installed.*'\.\[ray\]'"):
        commands.app(["serve", "--cluster"], standalone_mode=False)


async def test_a_ray_that_is_not_there_is_said_at_once(unused_tcp_port):
    with pytest.raises(WebError, match=f"127.0.0.1:{unused_tcp_port}.*ray start --head"):
        await check_reachable(f"127.0.0.1:{unused_tcp_port}")


async def test_a_ray_that_is_there_is_joined_and_other_forms_are_left_to_ray():
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        await check_reachable(f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
    for left in ("auto", "local", "ray://host:10001"):
        await check_reachable(left)
