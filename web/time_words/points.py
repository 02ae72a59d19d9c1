"""What names a time: a place in the film or stream, a time of day, a day, a part of one."""

from dataclasses import dataclass
from datetime import date, timedelta

from web.time_words.calendar import (
    MEALS,
    PARTS,
    TimeOfDay,
    day,
    days,
    hours_of,
    moment,
    time_of_day,
)
from web.time_words.extent import NamedTime, Reference, instant, roughly
from web.time_words.tokens import (
    DAY,
    MINUTE,
    UNITS,
    Length,
    Parsed,
    Tokens,
    and_a_half,
    length,
    number,
    ordinal,
    skip,
    word,
)

_FILMS = {"film", "video", "movie", "clip", "recording", "stream", "footage", "broadcast", "tape"}
_FRACTIONS = {"half": 2, "third": 3, "quarter": 4}
_LAST = {"last", "past", "final", "previous"}
_START, _END = {"start", "beginning"}, {"end"}


@dataclass(frozen=True, slots=True)
class Asking:
    """The question and what its words of time are measured from.

    Attributes:
        tokens: Of the question.
        reference: The time of whoever asks.
        day: The day that the question speaks of, for times of day that stand apart from it.
    """

    tokens: Tokens
    reference: Reference
    day: date | None = None

    @property
    def today(self) -> date:
        """The day of whoever asks."""
        return self.reference.local_now().date()


def point(asking: Asking, at: int) -> Parsed[NamedTime]:
    """Read what names a time by itself: `the third minute`, `second 10`, `10:05`, `yesterday`."""
    for read in (on_a_day, _clock_time, ordinal_unit, _counted_unit, _edge, away):
        if (found := read(asking, at)) is not None:
            extent, after = found
            return extent, _of_the_film(asking.tokens, after)
    return None


def mark(asking: Asking, at: int) -> Parsed[NamedTime]:
    """Read what names a time after `at`, `after`, `before`: also a length, counted from the start."""
    if (found := point(asking, at)) is not None:
        return found
    begin = skip(asking.tokens, at, "the")
    if (counted := length(asking.tokens, begin)) is None:
        return None
    found_length, after = counted
    after = _of_the_film(asking.tokens, skip(asking.tokens, after, "mark"))
    return instant(found_length.seconds), after


def _of_the_film(tokens: Tokens, at: int) -> int:
    """Return the place after `of the film` or `into this video`, or `at` if that is not said."""
    after = skip(tokens, at, "of", "into", "in")
    after = skip(tokens, after, "the", "this")
    return after + 1 if after > at and word(tokens, after) in _FILMS else at


def _clock_time(asking: Asking, at: int) -> Parsed[NamedTime]:
    """Read a time of day, or a place in a film that is written like one."""
    if (found := time_of_day(asking.tokens, at)) is None:
        return None
    said, after = found
    extent = moment(said, asking.reference, asking.day)
    return None if extent is None else (extent, after)


def on_a_day(asking: Asking, at: int) -> Parsed[NamedTime]:
    """Read a day, a part of one, or a time on one: `yesterday`, `this morning`, `Monday at 5 pm`."""
    if asking.reference.began is None:
        return None
    for read in (_part, _dated, _timed, _calendar):
        if (found := read(asking, at)) is not None:
            return found
    return None


def _dated(asking: Asking, at: int) -> Parsed[NamedTime]:
    """Read a day, perhaps with a part of it or a time behind it."""
    if (found := day(asking.tokens, at, asking.today)) is None:
        return None
    (when, at), tokens = found, asking.tokens
    if (
        said := time_of_day(tokens, skip(tokens, skip(tokens, at, ","), "at", "around"))
    ) is not None:
        extent = moment(said[0], asking.reference, when)
        return None if extent is None else (extent, said[1])
    if (hours := PARTS.get(word(tokens, at))) is not None:
        return hours_of(when, hours, asking.reference), at + 1
    return days(when, 1, asking.reference), at


def _timed(asking: Asking, at: int) -> Parsed[NamedTime]:
    """Read a time with its day behind it: `5 pm yesterday`, `10:05 this morning`."""
    if (said := time_of_day(asking.tokens, at)) is None:
        return None
    after = skip(asking.tokens, said[1], "on", "in")
    when = day(asking.tokens, after, asking.today)
    if when is None:
        if word(asking.tokens, after) not in {"this", "the"}:
            return None
        if word(asking.tokens, after + 1) not in PARTS:
            return None
        when = asking.today, after + 2
        if said[0].half is None and word(asking.tokens, after + 1) != "morning":
            said = TimeOfDay(said[0].parts, 12), said[1]
    extent = moment(said[0], asking.reference, when[0])
    return None if extent is None else (extent, when[1])


def _part(asking: Asking, at: int) -> Parsed[NamedTime]:
    """Read `this morning`, `last night`, `tonight`, `the afternoon`, `lunch`."""
    tokens, reference, today = asking.tokens, asking.reference, asking.today
    text, following = word(tokens, at), word(tokens, at + 1)
    if text == "tonight":
        return hours_of(today, PARTS["night"], reference), at + 1
    if (text, following) == ("last", "night"):
        return hours_of(today - timedelta(days=1), PARTS["night"], reference), at + 2
    if text in MEALS:
        return _latest(MEALS[text], asking), at + 1
    if text in {"this", "the"} and (hours := PARTS.get(following)) is not None:
        when = asking.day or today
        if text == "this":
            return hours_of(when, hours, reference), at + 2
        return _latest(hours, asking), at + 2
    return None


def _latest(hours: tuple[int, int], asking: Asking) -> NamedTime:
    """Return the newest such part of a day that has begun, or that of the day spoken of."""
    if asking.day is not None:
        return hours_of(asking.day, hours, asking.reference)
    found = hours_of(asking.today, hours, asking.reference)
    if found.start <= asking.reference.now:
        return found
    return hours_of(asking.today - timedelta(days=1), hours, asking.reference)


def _calendar(asking: Asking, at: int) -> Parsed[NamedTime]:
    """Read `this week`, `last week`, `last weekend`, `this month`, `last month`."""
    which, unit = word(asking.tokens, at), word(asking.tokens, at + 1)
    if which not in {"this", "last", "the"} or unit not in {"week", "weekend", "month"}:
        return None
    if which == "the" and unit != "weekend":
        return None
    today, last = asking.today, which == "last"
    if unit == "month":
        first = today.replace(day=1)
        begin = (first - timedelta(days=1)).replace(day=1) if last else first
        count = ((begin + timedelta(days=31)).replace(day=1) - begin).days
        return days(begin, count, asking.reference), at + 2
    monday = today - timedelta(days=today.weekday())
    if unit == "week":
        return days(monday - timedelta(days=7 * last), 7, asking.reference), at + 2
    saturday = monday + timedelta(days=5)
    if saturday > today:
        saturday -= timedelta(days=7)
    return days(saturday, 2, asking.reference), at + 2


def ordinal_unit(asking: Asking, at: int) -> Parsed[NamedTime]:
    """Read `the first ten seconds`, `the last minute`, `the third minute`, `the second half`."""
    tokens, now = asking.tokens, asking.reference.last
    at = skip(tokens, at, "the")
    which = word(tokens, at)
    if (which in _LAST or which == "first") and (found := _some(tokens, at + 1)) is not None:
        whole, after = found
        return (NamedTime(0, whole) if which == "first" else NamedTime(now - whole, now)), after
    counted = (-1, at + 1) if which in _LAST else ordinal(tokens, at)
    if counted is None:
        return None
    (place, after), share = counted, _FRACTIONS.get(word(tokens, counted[1]))
    if share is not None and (share >= place or place < 0):
        place = share if place < 0 else place
        return NamedTime(now * (place - 1) / share, now * place / share), after + 1
    unit = UNITS.get(word(tokens, after))
    if unit is None or unit >= DAY or place < 1 or word(tokens, after).endswith("s"):
        return None
    return NamedTime((place - 1) * unit, place * unit), after + 1


def _some(tokens: Tokens, at: int) -> Parsed[float]:
    """Read a length, or a unit alone, which is one of it."""
    if (found := length(tokens, at)) is not None:
        return found[0].seconds, found[1]
    text = word(tokens, at)
    unit = None if text in {"s", "h"} or text.endswith("s") else UNITS.get(text)
    if unit is None:
        return None
    return (1.5 * unit, at + 4) if and_a_half(tokens, at + 1) else (unit, at + 1)


def _counted_unit(asking: Asking, at: int) -> Parsed[NamedTime]:
    """Read `second 10` and `minute 3`: an instant, and the minute that begins at 3:00."""
    text = word(asking.tokens, at)
    unit = UNITS.get(text.removesuffix("s")) if len(text) > 3 else None
    counted = number(asking.tokens, at + 1)
    if unit is None or unit >= DAY or counted is None:
        return None
    begin = counted[0] * unit
    # `minute 3 people` are people, not a minute.
    end = begin + unit if unit >= MINUTE else begin
    return NamedTime(begin, end, begin), counted[1]


def _edge(asking: Asking, at: int, *, whole: bool = True) -> Parsed[NamedTime]:
    """Read `the beginning`, `the very end of the film`, `the middle of the video`.

    Args:
        asking: The question.
        at: Where to read.
        whole: Whether it must say of what, where it could be a place in the picture.
    """
    tokens = asking.tokens
    after = skip(tokens, skip(tokens, at, "the"), "very")
    text = word(tokens, after)
    beyond = _of_the_film(tokens, after + 1)
    if text == "middle" and beyond > after + 1:
        return instant(asking.reference.last / 2), beyond
    if text not in _START | _END or word(tokens, beyond) == "of":
        return None  # the end of the street
    if whole and text in _END and beyond == after + 1:
        return None  # who stands at the end?
    return instant(0.0 if text in _START else asking.reference.last), beyond


def away(asking: Asking, at: int) -> Parsed[NamedTime]:
    """Read `ten seconds ago`, `10 seconds in`, `a minute before the end`, `5 s after the start`."""
    begin = skip(asking.tokens, at, "the")
    if (found := length(asking.tokens, begin)) is None:
        return None
    far, after = found
    if far.unit >= DAY and asking.reference.began is None:
        return None
    tokens, end = asking.tokens, asking.reference.last
    side = word(tokens, after)
    if side in {"ago", "back"}:
        return _ago(asking, far), after + 1
    if side == "mark":
        return instant(far.seconds), after + 1
    if side in {"in", "into"}:
        beyond = _of_the_film(tokens, after)
        ends = side == "in" and not word(tokens, after + 1).isalpha()
        return (instant(far.seconds), max(beyond, after + 1)) if beyond > after or ends else None
    if (
        side in {"before", "after", "from"}
        and (limit := _edge(asking, after + 1, whole=False)) is not None
    ):
        back = limit[0].first > 0
        return roughly(end - far.seconds if back else far.seconds, far), limit[1]
    return None


def _ago(asking: Asking, far: Length) -> NamedTime:
    reference = asking.reference
    if (
        far.unit == DAY
        and far.seconds < 36500 * DAY
        and reference.began is not None
        and not far.vague
    ):
        return days(asking.today - timedelta(days=round(far.seconds / DAY)), 1, reference)
    return roughly(reference.now - far.seconds, far)
