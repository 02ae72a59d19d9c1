"""A typed client of a running Flashback service: lists streams, asks, shows moments, watches, forgets.

    from flashback_client import Flashback

    with Flashback("http://127.0.0.1:8700") as service:
        print(service.ask("front-door", "Who came in the last ten minutes?").text)

Needs httpx and pydantic, and nothing of the service: neither its model nor its storage.
"""

from flashback_client.client import Flashback
from flashback_client.http import FlashbackError
from flashback_client.types import (
    AllAnswers,
    Answer,
    Evidence,
    FoundMoment,
    Moment,
    Scene,
    SearchResult,
    Stream,
    StreamAnswer,
    Summary,
    ThingSeen,
    TimeUnderstood,
    Unanswered,
    WatchEvent,
)
from flashback_client.watch_types import (
    DeadLetter,
    Watch,
    WatchClause,
    WatchCounters,
    WatchList,
    WatchReading,
    WatchReplay,
    WatchSchedule,
    WatchTest,
)
from flashback_client.zone import local_timezone

__all__ = [
    "AllAnswers",
    "Answer",
    "DeadLetter",
    "Evidence",
    "Flashback",
    "FlashbackError",
    "FoundMoment",
    "Moment",
    "Scene",
    "SearchResult",
    "Stream",
    "StreamAnswer",
    "Summary",
    "ThingSeen",
    "TimeUnderstood",
    "Unanswered",
    "Watch",
    "WatchClause",
    "WatchCounters",
    "WatchEvent",
    "WatchList",
    "WatchReading",
    "WatchReplay",
    "WatchSchedule",
    "WatchTest",
    "local_timezone",
]
