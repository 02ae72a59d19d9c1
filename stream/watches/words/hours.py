"""Reads the hours and days in a request ("at night", "between 10 pm and 6 am", "on weekends"): when a watch tells."""

import re

from stream.watches.records import Schedule

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_EVERY_DAY = tuple(range(len(_DAYS)))
_PARTS = {
    "night": ("22:00", "06:00"),
    "day": ("06:00", "22:00"),
    "daytime": ("06:00", "22:00"),
    "daylight": ("06:00", "22:00"),
    "morning": ("06:00", "12:00"),
    "afternoon": ("12:00", "18:00"),
    "evening": ("18:00", "22:00"),
    "mornings": ("06:00", "12:00"),
    "afternoons": ("12:00", "18:00"),
    "evenings": ("18:00", "22:00"),
}
_MIDNIGHT, _MORNING = "00:00", "06:00"
_LATE = "18:00"
"""Who says "after" such an hour means the night; "after" an earlier one, the rest of the day."""
_CLOCK = r"(\d{1,2}(?::\d{2}| ?o'clock| ?[ap]\.?m\b\.?)|\d{1,2}:\d{2} ?[ap]\.?m\b\.?|noon|midday|midnight)"
_HOUR = rf"(?:{_CLOCK}|(\d{{1,2}}))"
_ONLY = r"(?:\b(?:but )?only )?"
_EACH = r"(?:every |each |the )?"
_BETWEEN = re.compile(
    rf"{_ONLY}\b(?:between|from) {_HOUR} ?(?:and|to|until|till|-) ?{_CLOCK}(?!\w)", re.IGNORECASE
)
_AFTER = re.compile(
    rf"{_ONLY}\b(after|before|from|until|till) {_CLOCK}(?!\w)(?: on\b)?", re.IGNORECASE
)
_PART = re.compile(
    rf"{_ONLY}\b(?:at|by|during|in|over|through) {_EACH}({'|'.join(sorted(_PARTS, key=len, reverse=True))})\b"
    r"(?! ?light)(?: time)?",
    re.IGNORECASE,
)
_DAY = rf"(?:weekend|weekday|workday|working day|{'|'.join(_DAYS)})s?"
_ON = re.compile(
    rf"{_ONLY}\b(?:on|at|during|over) {_EACH}({_DAY}(?:(?:,| and| or|, and) (?:on )?{_EACH}{_DAY})*)\b",
    re.IGNORECASE,
)


def take_schedule(text: str, timezone: str) -> tuple[str, Schedule | None]:
    """Return a request without the hours and days in it, and those by the clock of a time zone. Blocks.

    A request that names none has no schedule: it is for always.

    Raises:
        ValueError: If there is no such zone.
    """
    text, span = _take_span(text)
    days = None
    if found := _ON.search(text):
        days = _days_in(found[1].lower())
        text = _without(text, found)
    if span is None and days is None:
        return text, None
    start, end = span or (_MIDNIGHT, _MIDNIGHT)
    return text, Schedule(start, end, days or _EVERY_DAY, timezone)


def _take_span(text: str) -> tuple[str, tuple[str, str] | None]:
    if found := _BETWEEN.search(text):
        end = _clock(found[3])
        start = _clock(found[1]) if found[1] else _before(found[2], found[3])
        if start is not None and end is not None:
            return _without(text, found), (start, end)
    if (found := _AFTER.search(text)) and (at := _clock(found[2])) is not None:
        if found[1].lower() in {"before", "until", "till"}:
            return _without(text, found), (_MIDNIGHT, at)
        return _without(text, found), (at, _MORNING if at >= _LATE else _MIDNIGHT)
    if found := _PART.search(text):
        return _without(text, found), _PARTS[found[1].lower()]
    return text, None


def _before(hour: str, clock: str) -> str | None:
    """Return the hour of the nearest half day before a clock: of "9 and 5 pm" 09:00, of "10 and 11 pm" 22:00."""
    half = re.search(r"[ap]", clock, re.IGNORECASE)
    if half is None:
        return _clock(f"{hour}:00")
    same, end = _clock(f"{hour} {half[0]}m"), _clock(clock)
    other = {"a": "p", "p": "a"}[half[0].lower()]
    is_before = same is not None and end is not None and same < end
    return same if is_before else _clock(f"{hour} {other}m")


def _without(text: str, found: re.Match[str]) -> str:
    return f"{text[: found.start()].rstrip(' ,')} {text[found.end() :].lstrip(' ,')}".strip()


def _clock(text: str) -> str | None:
    """Return `HH:MM`; None if no clock shows it."""
    said = text.lower().replace(".", "").strip()
    if said in {"noon", "midday"}:
        return "12:00"
    if said == "midnight":
        return _MIDNIGHT
    found = re.match(r"(\d{1,2})(?::(\d{2}))?\s*(am|pm)?", said)
    if found is None:
        return None
    hour, minute = int(found[1]), int(found[2] or 0)
    if found[3] and not 1 <= hour <= 12:
        return None
    if found[3]:
        hour = hour % 12 + (12 if found[3] == "pm" else 0)
    hour = 0 if (hour, minute) == (24, 0) else hour
    return f"{hour:02}:{minute:02}" if hour < 24 and minute < 60 else None


def _days_in(text: str) -> tuple[int, ...]:
    days = {number for number, name in enumerate(_DAYS) if name in text}
    if "weekend" in text:
        days |= {5, 6}
    if "weekday" in text or "work" in text:
        days |= {0, 1, 2, 3, 4}
    return tuple(sorted(days))
