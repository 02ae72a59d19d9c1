"""Every field of a watch and of an event, the same over HTTP, in Python and in the terminal."""

import asyncio
import json

from flashback_client import Flashback
from tests.web.test_watch_command import flashback
from tests.web.test_watches import PERSON_THERE, sees, show

__all__ = ["flashback"]

WISHED = {
    **PERSON_THERE,
    "positive": [{"words": ["person"], "at_least": 1, "colour": "red", "movement": "left", "place": "top left"}],
    "negative": [{"words": ["dog"], "at_least": 2, "colour": None, "movement": None, "place": None}],
    "hold_s": 5.0,
    "after_seen": False,
    "onset": 0.7,
    "offset": 0.2,
    "refractory_s": 30.0,
    "verify": True,
    "schedule": {"start": "08:00", "end": "18:30", "days": [0, 4], "timezone": "Europe/Berlin"},
    "expires": 1.0,
}  # fmt: skip
TOLD = {
    *("id", "watch", "question", "stream", "at", "start", "fired", "end", "open", "peak"),
    *("verdict", "why", "evidence", "clip"),
}


async def test_a_watch_is_read_back_as_it_was_made_everywhere(service, flashback):
    sees(service)
    async with service.client() as client:
        made = await client.post("/v1/watches", json=WISHED)
        assert made.status_code == 201, made.text
        over_http = made.json()
    assert {name: over_http[name] for name in WISHED} == WISHED
    assert (over_http["state"], over_http["counters"]["last_error"]) == ("expired", None)
    [listed] = json.loads((await flashback("list", "--json"))[1])["watches"]
    assert listed == over_http

    def in_python():
        with Flashback(service.url) as remote:
            [watch] = remote.watches()
            again = remote.watch(WISHED["question"], ["cam"], fields={"hold_s": 60, "onset": 0.9})
            return watch, again

    watch, again = await asyncio.to_thread(in_python)
    said = watch.model_dump(mode="json")
    assert {name: said[name] for name in WISHED} == WISHED
    assert (watch.state, watch.counters.last_error) == ("expired", None)
    assert (again.hold_s, again.onset, again.state) == (60, 0.9, "on")


async def test_an_event_is_the_same_everywhere(service, flashback):
    sees(service)
    async with service.client() as client:
        assert (await client.post("/v1/watches", json=PERSON_THERE)).status_code == 201
        await show(service, 3)
        [over_http] = (await client.get("/v1/watches/events")).json()["events"]
    assert over_http.keys() >= TOLD
    assert (over_http["verdict"], over_http["why"], over_http["open"]) == ("unverified", "", True)
    assert json.loads((await flashback("events", "--json"))[1]) == over_http

    def in_python():
        with Flashback(service.url) as remote:
            [event] = remote.events()
            return event.model_dump(mode="json", exclude_unset=True)

    said = await asyncio.to_thread(in_python)
    assert said.keys() == TOLD
    assert said == {name: over_http[name] for name in TOLD}
