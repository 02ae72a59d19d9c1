"""Standing questions to a service: made, listed, changed, tried, ended, and what they told."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from flashback_client.following import MOST_EVENTS, following
from flashback_client.http import FlashbackError, ServiceConnection
from flashback_client.types import WatchEvent
from flashback_client.watch_types import DeadLetter, Watch, WatchList, WatchReading, WatchTest


def _say_nothing(_: FlashbackError) -> None:
    """Be told that the service is away, and say nothing of it."""


class Watching(ServiceConnection):
    """The watches of a service."""

    def watch(
        self,
        question: str,
        streams: Sequence[str] = (),
        *,
        verify: bool = False,
        webhook: str | None = None,
        fields: Mapping[str, Any] | None = None,
    ) -> Watch:
        """Have the service tell of what it sees; return what was understood.

        Args:
            question: Such as "Tell me when a person is there".
            streams: Where; none is everywhere.
            verify: Whether the model is asked before anybody is told.
            webhook: Address that events are sent to; what signs them is `Watch.webhook_secret`.
            fields: What else is to be set, as `POST /v1/watches` names it, such as `{"hold_s": 60}`.

        Raises:
            FlashbackError: If nothing in it can be watched for, or the service refuses.
        """
        body = {"question": question, "streams": list(streams), "verify": verify}
        if webhook is not None:
            body["webhook"] = {"url": webhook}
        body |= fields or {}
        return Watch.model_validate(self._json("POST", "watches", json=body))

    def understand(self, question: str, *, timezone: str | None = None) -> WatchReading:
        """Return what would be watched for; no watch is made.

        Args:
            question: As for `watch`.
            timezone: Hours in the question are by its clock; None is UTC.

        Raises:
            FlashbackError: If nothing in it can be watched for, or the service refuses.
        """
        body = {"question": question, "timezone": timezone}
        return WatchReading.model_validate(self._json("POST", "watches/understand", json=body))

    def watches(self) -> list[Watch]:
        """Return every watch, the oldest first.

        Raises:
            FlashbackError: If the service cannot be reached, or refuses.
        """
        return list(self.watch_list().watches)

    def watch_list(self) -> WatchList:
        """Return every watch, and whether something keeps all of them from telling anything.

        Raises:
            FlashbackError: If the service cannot be reached, or refuses.
        """
        return WatchList.model_validate(self._json("GET", "watches"))

    def change_watch(self, watch: str, fields: Mapping[str, Any]) -> Watch:
        """Change a watch while it runs; return what it is now.

        Args:
            watch: Its id.
            fields: What is to change, as `PATCH /v1/watches/{id}` names it, such as `{"hold_s": 60}`. A
                new `question` is understood anew.

        Raises:
            FlashbackError: If there is none of that id, or the service refuses.
        """
        return Watch.model_validate(self._json("PATCH", _path(watch), json=dict(fields)))

    def pause_watch(self, watch: str) -> Watch:
        """Have a watch rest until it is resumed; return what it is now.

        Raises:
            FlashbackError: If there is none of that id, or the service refuses.
        """
        return self.change_watch(watch, {"paused": True})

    def resume_watch(self, watch: str) -> Watch:
        """Have a watch go on that rests; return what it is now.

        Raises:
            FlashbackError: If there is none of that id, or the service refuses.
        """
        return self.change_watch(watch, {"paused": False})

    def test_watch(self, watch: str) -> WatchTest:
        """Return when a watch would have fired, by what is remembered; nobody is told.

        Raises:
            FlashbackError: If there is none of that id, or the service refuses.
        """
        return WatchTest.model_validate(self._json("POST", f"{_path(watch)}/test"))

    def stop_watching(self, watch: str) -> None:
        """End a watch; what it told stays.

        Raises:
            FlashbackError: If there is none of that id, or the service refuses.
        """
        self._send("DELETE", _path(watch))

    def events(
        self, *, watch: str | None = None, after: float = 0.0, limit: int = 50
    ) -> list[WatchEvent]:
        """Return the newest events that fired after a Unix second, the newest first.

        Args:
            watch: Of this watch alone.
            after: Unix second.
            limit: How many at most.

        Raises:
            FlashbackError: If the service cannot be reached, or refuses.
        """
        asked = {"after": after, "limit": limit} | ({} if watch is None else {"watch": watch})
        found = self._json("GET", "watches/events", params=asked)["events"]
        return [WatchEvent.model_validate(one) for one in found]

    def follow_events(
        self,
        told: Sequence[WatchEvent] | None = None,
        *,
        watch: str | None = None,
        every: float = 2.0,
        on_away: Callable[[FlashbackError], None] = _say_nothing,
    ) -> Iterator[WatchEvent]:
        """Yield events as they fire, without end; each once, also over a restart of the service.

        Args:
            told: Those that are known already; None is all that there are.
            watch: Of this watch alone.
            every: Seconds between two looks.
            on_away: Is told that the service does not answer, once each time.

        Raises:
            FlashbackError: If the service cannot be reached at first, or refuses.
        """

        def newest(after: float) -> Sequence[WatchEvent]:
            return self.events(watch=watch, after=after, limit=MOST_EVENTS)[::-1]

        known = newest(0.0) if told is None else told
        for fresh in following(newest, known, on_away):
            yield from fresh
            time.sleep(every)

    def dead_letters(self) -> list[DeadLetter]:
        """Return the events that a webhook would not take, those given up last first.

        Raises:
            FlashbackError: If the service cannot be reached, or refuses.
        """
        found = self._json("GET", "watches/dead-letters")["letters"]
        return [DeadLetter.model_validate(one) for one in found]

    def event_clip(self, event: str) -> bytes:
        """Return the film of an event as MP4; one that is being made is waited for.

        Args:
            event: Its id.

        Raises:
            FlashbackError: If there is none (any more), or the service refuses.
        """
        return self._send("GET", f"watches/events/{quote(event, safe='')}/clip").content


def _path(watch: str) -> str:
    return f"watches/{quote(watch, safe='')}"
