"""Phrases of time: what a preposition makes of the time behind it, as a range to look at."""

from dataclasses import dataclass

from web.time_words.extent import NamedTime
from web.time_words.points import Asking, away, mark, on_a_day, ordinal_unit, point
from web.time_words.tokens import UNITS, Parsed, Tokens, number, skip, word

_JOINTS = {"to", "until", "till", "through", "-", "\N{EN DASH}", "\N{EM DASH}"}
_ABOUT = {"about", "around", "approximately", "roughly", "exactly"}
_INSIDE = {"at", "in", "on", "during", "within", "over", "throughout", "for", "around", "inside"}
_TELLING = {"summarize", "summarise", "describe", "recap", "happened"}


@dataclass(frozen=True, slots=True)
class Range:
    """What is to be looked at, in media seconds; infinite where it has no bound."""

    since: float = float("-inf")
    until: float = float("inf")

    def within(self, other: "Range") -> "Range | None":
        """Return what both hold; None if that is nothing."""
        since, until = max(self.since, other.since), min(self.until, other.until)
        return Range(since, until) if since <= until else None


def phrase(asking: Asking, at: int) -> Parsed[Range]:
    """Read a phrase of time that begins at `at`."""
    for read in (_between, _after, _before, _within, _alone):
        if (found := read(asking, at)) is not None:
            return found
    return None


def _between(asking: Asking, at: int) -> Parsed[Range]:
    """Read `between 10:05 and 10:20`, `from 5 to 10 seconds`, `0:10 to 0:20`."""
    tokens = asking.tokens
    opening = word(tokens, at)
    joints = {"and"} if opening == "between" else _JOINTS
    begin = at + 1 if opening in {"between", "from"} else at
    for first, joint in _firsts(asking, begin):
        if word(tokens, joint) not in joints:
            continue
        second = mark(asking, skip(tokens, joint + 1, "the"))
        if second is not None and (begin > at or _is_timed(tokens, at)):
            start, end = first.first, second[0].last
            if end < start and asking.reference.began is not None:
                end += 86400.0 if end + 86400.0 <= asking.reference.now else 43200.0
            return (Range(start, end), second[1]) if start <= end else None
    return None


def _firsts(asking: Asking, at: int) -> list[tuple[NamedTime, int]]:
    """Return how the first of two times can be read, with the place behind it.

    Of `5 to 10 seconds` and `5 to 7 pm` the unit stands behind the second.
    """
    found = mark(asking, at)
    if found is not None:
        return [found]
    tokens = asking.tokens
    bare = number(tokens, at)
    other = None if bare is None else number(tokens, bare[1] + 1)
    if bare is None or other is None:
        return []
    lent = [*tokens[: bare[1]], *tokens[other[1] : other[1] + 1]]
    whole = mark(Asking(lent, asking.reference, asking.day), at)
    return [] if whole is None or whole[1] != len(lent) else [(whole[0], bare[1])]


def _is_timed(tokens: Tokens, at: int) -> bool:
    """Say whether two times may be joined without `from`: `10:05-10:20`, `seconds 5 to 10`."""
    return ":" in word(tokens, at) or word(tokens, at).removesuffix("s") in UNITS


def _after(asking: Asking, at: int) -> Parsed[Range]:
    """Read `since 9 am`, `after the first minute`, `from 0:10 on`."""
    tokens, opening = asking.tokens, word(asking.tokens, at)
    if opening not in {"since", "after", "from"}:
        return None
    read = mark if opening == "after" else point
    if (found := read(asking, _about(tokens, at + 1))) is None:
        found = mark(asking, at + 1) if opening == "from" else None
    if found is None:
        return None
    extent, end = found
    onwards = skip(tokens, end, "on", "onward", "onwards")
    if opening == "from" and onwards == end:
        return Range(extent.start, extent.end), end  # as in "the picture from 10:05"
    return Range(since=extent.last if opening == "after" else extent.first), onwards


def _before(asking: Asking, at: int) -> Parsed[Range]:
    """Read `before lunch`, `until 1:27`, `up to the third minute`, `by noon`."""
    tokens, opening = asking.tokens, word(asking.tokens, at)
    if opening == "up" and word(tokens, at + 1) in {"to", "until"}:
        found = mark(asking, at + 2)
    elif opening in {"before", "until", "till"}:
        found = mark(asking, _about(tokens, at + 1))
    else:
        found = point(asking, at + 1) if opening == "by" else None
    if found is None:
        return None
    extent, end = found
    return Range(until=extent.first if opening in {"before", "by"} else extent.last), end


def _within(asking: Asking, at: int) -> Parsed[Range]:
    """Read `at 10 seconds`, `in the last ten minutes`, `on Monday`, `around 10:05`."""
    tokens, opening = asking.tokens, word(asking.tokens, at)
    if opening not in _INSIDE:
        return None
    begin = _about(tokens, at + 1)
    about = opening == "around" or (begin > at + 1 and word(tokens, begin - 1) != "exactly")
    read = {"at": mark, "for": ordinal_unit}.get(opening, point)
    if (found := read(asking, begin)) is None:
        return None
    extent, end = found
    extent = extent.around() if about else extent
    return Range(extent.start, extent.end), end


def _alone(asking: Asking, at: int) -> Parsed[Range]:
    """Read what needs no preposition: `yesterday`, `ten seconds ago`, `just now`."""
    tokens = asking.tokens
    if (word(tokens, at), word(tokens, at + 1)) == ("just", "now"):
        return Range(since=asking.reference.now - 10), at + 2
    begin = skip(tokens, at, "earlier")
    day = on_a_day(asking, begin) if _names_a_day(tokens, begin) else None
    found = day or away(asking, at)
    if found is None and word(tokens, at - 1) in _TELLING:
        found = ordinal_unit(asking, at)
    return None if found is None else (Range(found[0].start, found[0].end), found[1])


def _names_a_day(tokens: Tokens, at: int) -> bool:
    """Say whether a day is named so that it needs no `on`."""
    text = word(tokens, at)
    return text in {"today", "yesterday", "tonight", "last", "this"} or (
        [word(tokens, at + n) for n in range(3)] == ["the", "day", "before"]
    )


def _about(tokens: Tokens, at: int) -> int:
    return skip(tokens, at, *_ABOUT)
