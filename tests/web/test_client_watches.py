"""What the typed client can do with watches, against a running service."""

import asyncio

import pytest

from flashback_client import Flashback, FlashbackError
from tests.web.test_watches import PERSON_THERE, sees, show


def in_python(service, use):
    def call():
        with Flashback(service.url) as remote:
            return use(remote)

    return asyncio.to_thread(call)


async def test_a_watch_is_paused_resumed_and_changed(service):
    sees(service)

    def use(remote):
        made = remote.watch("when a person is there", ["cam"])
        states = [remote.pause_watch(made.id).state, remote.resume_watch(made.id).state]
        changed = remote.change_watch(made.id, {"hold_s": 60, "question": "when a dog is there"})
        with pytest.raises(FlashbackError, match="no watch"):
            remote.pause_watch("watch_none")
        return states, changed, remote.watch_list()

    states, changed, listed = await in_python(service, use)
    assert states == ["paused", "on"]
    assert (changed.understood, changed.hold_s) == ("a dog, for 1 minute", 60)
    assert (listed.watches, listed.trouble, listed.lost) == ((changed,), None, 0)


async def test_a_watch_is_tried_on_what_is_remembered(service):
    sees(service)
    await service.remember("cam", clips=5)

    def use(remote):
        return remote.test_watch(remote.watch("when a person is there", ["cam"]).id)

    tried = await in_python(service, use)
    assert [(one.stream, one.clips) for one in tried.streams] == [("cam", 5)]
    assert tried.left_out == 0


async def test_what_signs_a_webhook_is_told_once_and_not_printed(service):
    sees(service)

    def use(remote):
        made = remote.watch("a person", webhook="https://8.8.8.8/camera")
        return made, remote.watches()

    made, [listed] = await in_python(service, use)
    assert made.webhook_secret
    assert made.webhook_secret not in repr(made)
    assert (listed.webhook, listed.webhook_secret) == (made.webhook, None)


async def test_events_are_followed(service):
    sees(service)
    async with service.client() as client:
        assert (await client.post("/v1/watches", json=PERSON_THERE)).status_code == 201
        await show(service, 3)

    def use(remote):
        [event] = remote.events()
        return event, next(remote.follow_events(()))

    event, followed = await in_python(service, use)
    assert followed == event
