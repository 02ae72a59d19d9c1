"""From the text of a question to tokens, and from tokens to numbers and lengths of time.

Every reader below takes the tokens and a place among them, and returns what it read there and the
place after it, or None where it cannot read: readers are put together without any state.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

_Value = TypeVar("_Value")
Parsed = tuple[_Value, int] | None
"""What was read, and the place after it."""

_TOKEN = re.compile(
    r"""[0-9]{4}-[0-9]{2}-[0-9]{2}            # a date
      | [0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?     # a time of day, or a place in a film
      | [0-9]+(?:\.[0-9]+)?
      | [ap]\.m\.?
      | [^\W\d_]+(?:'[^\W\d_]+)*
      | \S""",
    re.VERBOSE,
)

_SMALL = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
NUMBERS = {word: n for n, word in enumerate(_SMALL)} | {
    word: 10 * n for n, word in enumerate(_TENS, 2)
}
_ORDINALS = {
    word: n
    for n, word in enumerate(
        [
            "first",
            "second",
            "third",
            "fourth",
            "fifth",
            "sixth",
            "seventh",
            "eighth",
            "ninth",
            "tenth",
            "eleventh",
            "twelfth",
        ],
        1,
    )
}
_VAGUE = {"couple": 2.0, "few": 4.0, "several": 5.0}

_SECOND, MINUTE, HOUR, DAY, _WEEK = 1.0, 60.0, 3600.0, 86400.0, 604800.0
UNITS = {
    **dict.fromkeys(["s", "sec", "secs", "second", "seconds"], _SECOND),
    **dict.fromkeys(["min", "mins", "minute", "minutes"], MINUTE),
    **dict.fromkeys(["h", "hr", "hrs", "hour", "hours"], HOUR),
    **dict.fromkeys(["day", "days"], DAY),
    **dict.fromkeys(["week", "weeks"], _WEEK),
}


@dataclass(frozen=True, slots=True)
class Token:
    """One word, number or sign: lower-cased, and where it stands in the text."""

    text: str
    start: int
    end: int


Tokens = Sequence[Token]


def tokens_of(text: str) -> list[Token]:
    """Return the tokens of `text`."""
    low = text.lower()
    if len(low) != len(text):  # some letters have no small one of the same length
        low = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    low = low.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    return [Token(found.group(), *found.span()) for found in _TOKEN.finditer(low)]


def word(tokens: Tokens, at: int) -> str:
    """Return the token at `at`; empty beyond the ends."""
    return tokens[at].text if 0 <= at < len(tokens) else ""


def skip(tokens: Tokens, at: int, *words: str) -> int:
    """Return the place after the token at `at` if it is one of `words`, else `at`."""
    return at + 1 if word(tokens, at) in words else at


@dataclass(frozen=True, slots=True)
class Length:
    """A length of time.

    Attributes:
        seconds: How long.
        unit: Seconds of the smallest unit that it was said in.
        vague: Whether it was said by "a few" and the like.
    """

    seconds: float
    unit: float
    vague: bool = False


def number(tokens: Tokens, at: int) -> Parsed[float]:
    """Read `12`, `1.5`, `ten`, `twenty-five`."""
    text = word(tokens, at)
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        return float(text), at + 1
    if text not in NUMBERS:
        return None
    value = NUMBERS[text]
    after = skip(tokens, at + 1, "-")
    if value in range(20, 100) and 0 < (ones := NUMBERS.get(word(tokens, after), 0)) < 10:
        return float(value + ones), after + 1
    return float(value), at + 1


def ordinal(tokens: Tokens, at: int) -> Parsed[int]:
    """Read `first`, `third`, `3rd`."""
    text = word(tokens, at)
    if text in _ORDINALS:
        return _ORDINALS[text], at + 1
    if re.fullmatch(r"[0-9]{1,3}", text) and word(tokens, at + 1) in {"st", "nd", "rd", "th"}:
        return int(text), at + 2
    return None


def length(tokens: Tokens, at: int) -> Parsed[Length]:
    """Read `ten seconds`, `10s`, `an hour and a half`, `2 min 30 s`, `a few minutes`."""
    if (first := _one_length(tokens, at)) is None:
        return None
    found, at = first
    if and_a_half(tokens, at):
        return Length(found.seconds + found.unit / 2, found.unit, found.vague), at + 3
    while (more := _one_length(tokens, skip(tokens, at, "and", ","))) is not None:
        if more[0].unit >= found.unit or (word(tokens, at) == "and" and found.vague):
            break
        found, at = Length(found.seconds + more[0].seconds, more[0].unit, found.vague), more[1]
    return found, at


def and_a_half(tokens: Tokens, at: int) -> bool:
    """Say whether `and a half` stands at `at`."""
    return [word(tokens, at + n) for n in range(3)] == ["and", "a", "half"]


def _one_length(tokens: Tokens, at: int) -> Parsed[Length]:
    count = _count(tokens, at)
    if count is None:
        return None
    (value, vague), at = count
    at = skip(tokens, at, "-")
    unit = UNITS.get(word(tokens, at)) or _letter_unit(tokens, at)
    return None if unit is None else (Length(value * unit, unit, vague), at + 1)


def _letter_unit(tokens: Tokens, at: int) -> float | None:
    """Return a minute for the `m` of `1m30s` or `1h20m`: alone it would be a metre."""
    if word(tokens, at) != "m":
        return None
    before = word(tokens, at - 2) == "h"
    after = word(tokens, at + 1).isdigit() and word(tokens, at + 2) == "s"
    return MINUTE if before or after else None


def _count(tokens: Tokens, at: int) -> Parsed[tuple[float, bool]]:
    """Read how many units: a number, `a`, `half a`, `one and a half`, `a couple of`, `a few`."""
    begin = skip(tokens, at, "a", "the")
    if word(tokens, begin) in _VAGUE:
        return (_VAGUE[word(tokens, begin)], True), skip(tokens, begin + 1, "of")
    if word(tokens, at) == "half":
        return (0.5, False), skip(tokens, at + 1, "a", "an")
    if word(tokens, begin) == "quarter" and word(tokens, begin + 1) == "of":
        return (0.25, False), skip(tokens, begin + 2, "a", "an")
    if word(tokens, at) in {"a", "an"}:
        half = word(tokens, at + 1) == "half"
        return (0.5 if half else 1.0, False), at + 2 if half else at + 1
    if (found := number(tokens, at)) is None:
        return None
    value, at = found
    if and_a_half(tokens, at):
        return (value + 0.5, False), at + 3
    return (value, False), at
