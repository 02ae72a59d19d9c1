"""Standing questions to a service: made, listed, ended, and what they told."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from flashback_client.http import ServiceConnection
from flashback_client.types import WatchEvent
from flashback_client.watch_types import Watch


class Watching(ServiceConnection):
    """The watches of a service."""

    def watch(
        self,
        question: str,
        streams: Sequence[str] = (),
        *,
        verify: bool = False,
        fields: Mapping[str, Any] | None = None,
    ) -> Watch:
        """Have the service tell of what it sees; return what was understood.

        Args:
            question: Such as "Tell me when a person is there".
            streams: Where; none is everywhere.
            verify: Whether the model is asked before anybody is told.
            fields: What else is to be set, as `POST /v1/watches` names it, such as `{"hold_s": 60}`.

        Raises:
            FlashbackError: If nothing in it can be watched for, or the service refuses.
        """
        body = {"question": question, "streams": list(streams), "verify": verify, **(fields or {})}
        return Watch.model_validate(self._json("POST", "watches", json=body))

    def watches(self) -> list[Watch]:
        """Return every watch, the oldest first.

        Raises:
            FlashbackError: If the service cannot be reached, or refuses.
        """
        return [Watch.model_validate(one) for one in self._json("GET", "watches")["watches"]]

    def stop_watching(self, watch: str) -> None:
        """End a watch; what it told stays.

        Raises:
            FlashbackError: If there is none of that id, or the service refuses.
        """
        self._send("DELETE", f"watches/{quote(watch, safe='')}")

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

    def event_clip(self, event: str) -> bytes:
        """Return the film of an event as MP4; one that is being made is waited for.

        Args:
            event: Its id.

        Raises:
            FlashbackError: If there is none (any more), or the service refuses.
        """
        return self._send("GET", f"watches/events/{quote(event, safe='')}/clip").content
