"""How much time lay between two things, and whether one was there for so long, from when each was there.

"How long between the cat and the dog?"     "27 seconds, from 0:18, when the cat left, to 0:45, when the dog came."
"How long after the cat did the dog come?"  "The dog came at 0:45: 36 seconds after the cat came, 27 seconds after it left."
"Was the cat there for more than a minute?" "No: for 9 seconds, from 0:09 to 0:18."
"""

import re

from stream.past.counted.answers import There, of_one
from stream.past.counted.words import Counting, named_with_the
from stream.past.wording import length, minutes, sentence

_UNITS = {"second": 1.0, "minute": 60.0, "hour": 3600.0}
_NUMBERS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "half a": 0.5, "half an": 0.5,
}  # fmt: skip
_LIMIT = re.compile(
    r"(?P<than>[a-z ]+?) (?P<much>\d(?: \d)*|half an?|[a-z]+) (?P<unit>second|minute|hour)s?"
)
_AT_MOST = frozenset({"less than", "shorter than", "under", "at most", "up to", "only"})
_OR_EQUAL = frozenset({"at least", "at most", "up to", "only"})

_Span = tuple[float, float]


def how_long(asked: Counting, there: There, other: There | None = None) -> str:
    """Return how long something was there, or how long after it another came, in words.

    Args:
        asked: Its order says what of it.
        there: When it was there, some time.
        other: When the other was there, some time; None if none is asked about.
    """
    return _so_long(asked, there) if other is None else _apart(asked, there, other)


def _apart(asked: Counting, one: There, other: There) -> str:
    """Return how much time lay between two things that were both there, where they came next to each other.

    Args:
        asked: Its order is "between" of what is asked of the time from the end of the one; else from its beginning.
        one: What is said to come first.
        other: What is said to come after it; if it never did, the one after it.
    """
    found = _next_to(one, other)
    first, then = one, other
    if found is None and (found := _next_to(other, one)) is not None:
        first, then = other, one
    if found is None:
        return f"Both came at {minutes(one.spans[0][0])}."
    (came, left), (start, _) = found
    gap = round(start - left)
    names = named_with_the(first.name), named_with_the(then.name)
    if asked.order == "between":
        if gap >= 1:
            return f"{sentence(length(gap))[:-1]}, from {minutes(left)}, when {names[0]} left, to {minutes(start)}, when {names[1]} came."
        while_there = f"when {names[0]} left" if gap == 0 else f"while {names[0]} was there"
        return f"None: {names[1]} came at {minutes(start)}, {_are(first, while_there)}."
    after = f"{length(start - came)} after {names[0]} came"
    if gap >= 0:
        after += f", {length(gap)} after {first.it} left" if gap else f", when {first.it} left"
    return sentence(f"{names[1]} came at {minutes(start)}: {after}")


def _so_long(asked: Counting, there: There) -> str:
    """Return whether something was there for as long as a question says, and how long it was.

    Args:
        asked: Its order says how long: "more than 1 0 seconds".
        there: When it was there, some time.
    """
    how_long = of_one("long", there)
    limit = _LIMIT.fullmatch(asked.order)
    wanted = _number(limit["much"]) if limit else None
    if limit is None or wanted is None:
        return how_long
    seconds = round(sum(end - start for start, end in there.spans))
    wanted = wanted * _UNITS[limit["unit"]]
    at_most = limit["than"] in _AT_MOST
    held = seconds < wanted if at_most else seconds > wanted
    held = held or (seconds == wanted and limit["than"] in _OR_EQUAL)
    return f"{'Yes' if held else 'No'}: {how_long[0].lower()}{how_long[1:]}"


def _next_to(one: There, other: There) -> tuple[_Span, _Span] | None:
    """Return when the other came soonest after the one; None if it never did."""
    pairs = [
        (a, min(after))
        for a in one.spans
        if (after := [b for b in other.spans if round(b[0]) > round(a[0])])
    ]
    return min(pairs, key=lambda pair: pair[1][0] - pair[0][1], default=None)


def _are(there: There, said: str) -> str:
    return said.replace(" was ", " were ") if there.it == "they" else said


def _number(said: str) -> float | None:
    digits = said.replace(" ", "")
    return float(digits) if digits.isdigit() else _NUMBERS.get(said)
