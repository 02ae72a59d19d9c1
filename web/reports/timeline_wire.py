"""What a timeline says over HTTP."""

from pydantic import BaseModel

from web.realtime.watch_events import AlertReport


class SliceReport(BaseModel):
    """A piece of a stream's time.

    Attributes:
        start: Media second where it begins.
        end: Where it ends.
        moment: Where a moment begins that shows it; null if nothing of it is remembered.
        moment_end: Where that moment ends.
    """

    start: float
    end: float
    moment: float | None
    moment_end: float | None


class FilmReport(BaseModel):
    """What a clip can be cut from: the newest seconds, as film.

    Attributes:
        seconds: How many are kept while the stream is watched, by a watch or by somebody.
        since: Media second of the oldest picture that is kept now; null if there is none.
        until: Of the newest one.
    """

    seconds: float
    since: float | None
    until: float | None


class Timeline(BaseModel):
    """A stream's time, or a part of it.

    Attributes:
        stream: Whose.
        began: Unix seconds of media time zero.
        first: Media second before which nothing is kept.
        last: Media second where the newest moment ends; null if nothing is remembered.
        since: Media second where the slices begin.
        until: Where they end.
        slices: Equal ones, in order.
        events: What watches told in that time, the newest first.
        film: What a clip can be cut from.
    """

    stream: str
    began: float
    first: float
    last: float | None
    since: float
    until: float
    slices: list[SliceReport]
    events: list[AlertReport]
    film: FilmReport
