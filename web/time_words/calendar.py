"""Days, parts of days and times of day, as they are said, and when they were.

Only for streams whose media time goes with the wall clock. All are in the past: "on Monday" is the
newest Monday, "at 5 pm" the last time that it was 5 pm.
"""

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from web.time_words.extent import NamedTime, Reference, instant
from web.time_words.tokens import MINUTE, NUMBERS, Parsed, Tokens, ordinal, skip, word

PARTS = {"morning": (6, 12), "afternoon": (12, 18), "evening": (18, 22), "night": (18, 30)}
"""From which hour to which of a day; 30 is 6 in the morning of the next."""
MEALS = {"breakfast": (7, 8), "lunch": (12, 13), "lunchtime": (12, 13), "dinner": (18, 19)}
_WEEKDAYS = {name.lower(): n for n, name in enumerate(calendar.day_name)}
_MONTHS = {
    name.lower(): n
    for names in (calendar.month_name, calendar.month_abbr)
    for n, name in enumerate(names)
    if name
} | {"sept": 9}
_NAMED = {"noon": 12, "midday": 12, "midnight": 0}
_MORNING, _AFTERNOON = {"am", "a.m", "a.m."}, {"pm", "p.m", "p.m."}


@dataclass(frozen=True, slots=True)
class TimeOfDay:
    """A time as it is said, such as `10:05`: of a day, or of a film.

    Attributes:
        parts: Its numbers: two or three of `10:05:30`, one of `5 pm`.
        half: 0 for am, 12 for pm; None if it was not said.
    """

    parts: tuple[int, ...]
    half: int | None = None

    def position(self) -> float | None:
        """Return it as a place in a film: minutes and seconds, or hours before them."""
        if self.half is not None or len(self.parts) == 1:
            return None
        seconds = 0.0
        for part in self.parts:
            seconds = 60 * seconds + part
        return seconds

    def hours(self) -> list[time]:
        """Return the times of day that it may be, as a clock of 24 hours reads it first."""
        hour, minute, second = (*self.parts, 0, 0)[:3]
        if self.half is not None:
            hours = [hour % 12 + self.half] if 1 <= hour <= 12 else []
        else:
            hours = [hour, hour + 12] if 1 <= hour < 12 else [hour]
        return [time(h, minute, second) for h in hours if h < 24 and minute < 60 and second < 60]


def time_of_day(tokens: Tokens, at: int) -> Parsed[TimeOfDay]:
    """Read `10:05`, `10:05:30`, `5 pm`, `5:30pm`, `10 o'clock`, `half past nine`, `noon`."""
    text = word(tokens, at)
    if text in _NAMED:
        return TimeOfDay((_NAMED[text], 0)), at + 1
    if text in {"half", "quarter"} or (text == "a" and word(tokens, at + 1) == "quarter"):
        return _past_the_hour(tokens, skip(tokens, at, "a"))
    if re.fullmatch(r"[0-9]{1,2}(:[0-9]{2}){1,2}", text):
        parts = tuple(int(part) for part in text.split(":"))
        half, at = _half(tokens, at + 1)
        return TimeOfDay(parts, half), at
    hour = _hour(tokens, at)
    half, after = _half(tokens, at + 1)
    if hour is not None and (half is not None or after > at + 1):
        return TimeOfDay((hour,) if half is not None else (hour, 0), half), after
    return None


def _hour(tokens: Tokens, at: int) -> int | None:
    text = word(tokens, at)
    hour = int(text) if re.fullmatch(r"[0-9]{1,2}", text) else NUMBERS.get(text)
    return hour if hour is not None and hour < 24 else None


def _half(tokens: Tokens, at: int) -> tuple[int | None, int]:
    at = skip(tokens, at, "o'clock")
    text = word(tokens, at)
    return (0, at + 1) if text in _MORNING else (12, at + 1) if text in _AFTERNOON else (None, at)


def _past_the_hour(tokens: Tokens, at: int) -> Parsed[TimeOfDay]:
    minutes = 30 if word(tokens, at) == "half" else 15
    side, hour = word(tokens, at + 1), _hour(tokens, at + 2)
    if hour is None or side not in {"past", "to"}:
        return None
    if side == "to":
        hour, minutes = (hour - 1) % 24, 60 - minutes
    half, at = _half(tokens, at + 3)
    return TimeOfDay((hour, minutes), half), at


def moment(said: TimeOfDay, reference: Reference, day: date | None) -> NamedTime | None:
    """Return when a time was that was said.

    Of a film, its place there. Of a stream, the last time that a clock showed it, on `day` if that was
    said; a clock of 24 hours is thought of first, then one of twelve, then the place in the stream:
    the first of them that the stream has lived through. None if it cannot be any.
    """
    position = said.position()
    if reference.began is None:
        return None if position is None else instant(position)
    exact = len(said.parts) == 3
    readings = [_latest(hours, reference, day) for hours in said.hours()]
    marks = [NamedTime(at, at if exact else at + MINUTE, at) for at in readings]
    if position is not None and day is None:
        marks.append(instant(position))
    lived = [mark for mark in marks if 0 <= mark.first <= reference.now]
    return next(iter(lived or marks), None)


def _latest(hours: time, reference: Reference, day: date | None) -> float:
    if day is not None:
        return reference.media(datetime.combine(day, hours))
    today = reference.local_now().date()
    at = reference.media(datetime.combine(today, hours))
    if at <= reference.now:
        return at
    return reference.media(datetime.combine(today - timedelta(days=1), hours))


def hours_of(day: date, hours: tuple[int, int], reference: Reference) -> NamedTime:
    """Return from which hour to which a part of `day` was; hours beyond 24 are the next day's."""
    midnight = datetime.combine(day, time())
    begin, end = (reference.media(midnight + timedelta(hours=hour)) for hour in hours)
    return NamedTime(begin, end)


def days(first: date, count: int, reference: Reference) -> NamedTime:
    """Return the stretch of `count` whole days."""
    begin = datetime.combine(first, time())
    ends = (begin, begin + timedelta(days=count))
    return NamedTime(*(reference.media(end) for end in ends))


def day(tokens: Tokens, at: int, today: date) -> Parsed[date]:
    """Read `today`, `yesterday`, `the day before yesterday`, `last Monday`, `26 November 2026`."""
    begin = skip(tokens, at, "the")
    if [word(tokens, begin + n) for n in range(3)] == ["day", "before", "yesterday"]:
        return today - timedelta(days=2), begin + 3
    if word(tokens, at) in {"today", "yesterday"}:
        return today - timedelta(days=word(tokens, at) == "yesterday"), at + 1
    after = skip(tokens, at, "last", "this")
    if (weekday := _WEEKDAYS.get(word(tokens, after))) is not None:
        back = (today.weekday() - weekday) % 7
        if back == 0 and word(tokens, at) == "last":
            back = 7
        return today - timedelta(days=back), after + 1
    return _date(tokens, at, today)


def _date(tokens: Tokens, at: int, today: date) -> Parsed[date]:
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", word(tokens, at)):
        try:
            return date.fromisoformat(word(tokens, at)), at + 1
        except ValueError:
            return None
    if (month := _MONTHS.get(word(tokens, at))) is not None:
        number = _day_number(tokens, at + 1)
        return None if number is None else _in_year(tokens, number[1], month, number[0], today)
    number = _day_number(tokens, skip(tokens, at, "the"))
    if number is None:
        return None
    at = skip(tokens, number[1], "of")
    month = _MONTHS.get(word(tokens, at))
    return None if month is None else _in_year(tokens, at + 1, month, number[0], today)


def _day_number(tokens: Tokens, at: int) -> Parsed[int]:
    if (found := ordinal(tokens, at)) is not None:
        return found
    text = word(tokens, at)
    return (int(text), at + 1) if re.fullmatch(r"[0-9]{1,2}", text) else None


def _in_year(tokens: Tokens, at: int, month: int, number: int, today: date) -> Parsed[date]:
    after = skip(tokens, at, ",")
    given = word(tokens, after)
    year, at = (int(given), after + 1) if re.fullmatch(r"20[0-9][0-9]", given) else (today.year, at)
    try:
        found = date(year, month, number)
        return (found.replace(year=year - 1) if found > today and given != str(year) else found), at
    except ValueError:  # no such day, such as 31 November
        return None
