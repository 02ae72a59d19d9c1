"""A host whose Ray has lost its head: it says so, and nothing that waits for the head keeps it from ending.

Skipped where the extra `ray` is missing; no Ray is started.
"""

import asyncio
import logging
import threading

import pytest

from tests.waiting import holds
from tests.web.cluster.rays import need_ray
from web.cluster.members import Members
from web.cluster.ray_environment import set_defaults


@pytest.fixture
def replicas(monkeypatch):
    """The replicas of a host, and an event for which the listing of all waits."""
    need_ray()
    set_defaults()  # Ray reads them once, and other tests of this process run it
    import ray

    from web.cluster import ray_replicas

    answers, threads = threading.Event(), []

    def list_named_actors():
        threads.append(threading.current_thread())
        answers.wait(60)
        return []

    monkeypatch.setattr(ray.util, "list_named_actors", list_named_actors)
    monkeypatch.setattr(ray_replicas, "_HEAD_SECONDS", 0.01)
    members = Members()
    members.add("encoder", "encoder-gone", None)
    yield ray_replicas.RayReplicas(members, "host"), members, answers, threads
    answers.set()


async def test_a_head_that_does_not_answer_is_told_once_and_again_when_it_does(replicas, caplog):
    host, members, answers, _ = replicas
    caplog.set_level(logging.WARNING, "web.cluster.ray_replicas")
    looking = asyncio.create_task(host.look())
    await holds(lambda: "has not answered" in caplog.text)
    assert members.names("encoder") == ["encoder-gone"], "who is known is asked on"
    answers.set()
    await looking
    assert members.names("encoder") == []
    assert [record.getMessage().partition(" for ")[0] for record in caplog.records] == [
        "the head of Ray has not answered",
        "the head of Ray answers again",
    ]


async def test_a_host_ends_while_the_head_does_not_answer(replicas):
    host, _, _, threads = replicas
    looking = asyncio.create_task(host.look())
    await holds(lambda: threads)
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    assert looking.cancelled()
    assert threads[0].is_alive()
    assert threads[0].daemon, "nobody joins it when the process ends"
