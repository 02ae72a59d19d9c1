"""What summaries and digests say over HTTP."""

from datetime import date

from pydantic import BaseModel

from web.realtime.watch_events import AlertReport


class ThingReport(BaseModel):
    """A thing of a scene.

    Attributes:
        name: Its word.
        share: Of the scene's moments that show it, 0 to 1.
        count: How many there mostly were; 5 is more than four.
        colour: What most moments agree on; null if they do not.
    """

    name: str
    share: float
    count: int
    colour: str | None


class SceneReport(BaseModel):
    """Neighbouring moments that show much the same.

    Attributes:
        start: First media second.
        end: Last media second.
        start_clock: What a clock showed at its start, in ISO 8601.
        end_clock: What it showed at its end.
        moments: How many they are.
        text: What was there, in words.
        things: The same, what was there longest first.
        came: Names of what the scene before had not.
        left: Names of what only the scene before had.
        best: Where the moment begins that shows most of it; the thumbnail is of it.
        best_end: Where that moment ends.
        thumbnail: Path of its picture.
    """

    start: float
    end: float
    start_clock: str | None
    end_clock: str | None
    moments: int
    text: str
    things: list[ThingReport]
    came: list[str]
    left: list[str]
    best: float
    best_end: float
    thumbnail: str


class SeenReport(BaseModel):
    """What became of one thing in all of the time.

    Attributes:
        name: Its word.
        first: Media second where it was first seen.
        last: Media second until which it was seen last.
        first_clock: What a clock showed then, in ISO 8601.
        last_clock: The same of the last.
        seconds: How long it was there in all.
        times: How often it came.
        most: How many there were at once, at most; 5 is more than four.
    """

    name: str
    first: float
    last: float
    first_clock: str | None
    last_clock: str | None
    seconds: float
    times: int
    most: int


class Summary(BaseModel):
    """What happened in a time, by the things in its moments; no language model wrote it.

    Attributes:
        stream: Where.
        since: Media second where the first moment that was gone through begins; null without one.
        until: Where the last one ends.
        moments: How many were gone through.
        whole: Whether these are all of that time; of very long streams it is the newest part.
        scenes: In order.
        seen: Every thing that was there, the longest there first.
    """

    stream: str
    since: float | None
    until: float | None
    moments: int
    whole: bool
    scenes: list[SceneReport]
    seen: list[SeenReport]


class Digest(Summary):
    """A day of one stream.

    Attributes:
        day: Which.
        timezone: By whose clock; null is the service's.
        events: What watches told of it that day, the newest first.
    """

    day: date
    timezone: str | None
    events: list[AlertReport]
