"""Finds the words of time in a question: the range that they mean, and the question without them.

A language model reads "What was shown at 10 seconds?" and looks at all it has seen. Over a history
that holds that moment alone, "What was shown?" is the question it is good at. So what is not surely
about time is left alone: numbers of things, lengths, order ("the first thing"), what is written on
a sign.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from web.time_words.calendar import day
from web.time_words.extent import Reference
from web.time_words.phrases import Range, phrase
from web.time_words.points import Asking
from web.time_words.tokens import Tokens, tokens_of, word

NOTHING_ELSE = "What was shown?"
"""What is asked by words of time alone: "And at 20 seconds?"."""

_CENTURIES = 1e10
_LONGEST = 1000  # characters of a question that are looked through
_MOST_TOKENS = 250  # words and signs of it; prose of that length has fewer
_QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"|(?<!\w)'[^']*'(?!\w)")
_LENGTHS = re.compile(
    r"\bhow (long|much|many (seconds|minutes|hours|days)|soon|late|early)\b[\w ,]* "
    r"(before|after|since|from|between|until|ago)\b|\bwhat time\b"
)
_WRITING = re.compile(
    r"\b(signs?|clocks?|watch|timer|screen|poster|label|caption|text|scoreboard)\b"
)
_SAYS = re.compile(
    r"\b(says?|saying|said|reads?|show(s|ing)?|written|display(s|ing)?|state[sd]?)\b"
)
_ABOUT_IT = re.compile(
    r"^(is|was|are|were|will|would|does|did|could|can)\s+(it|this|that|there)?\W*"
    r"(filmed|taken|recorded|shot|set|look|happen)?( like)?\W*$",
    re.IGNORECASE,
)
_CAME = re.compile(r"^(so )?what (came|comes|happens next|follows|followed)\W*$", re.IGNORECASE)
_FILLER = re.compile(
    r"\b(and|but|then|so|what|how|about|now|or|please|that|was|is|it|summari[sz]e|describe|recap|"
    r"tell me|show me|me|the)\b|\W",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class TimeAsked:
    """What was understood of the words of time in a question.

    Attributes:
        words: As they stand in the question.
        since: First media second to look at; None is from the beginning.
        until: Last media second to look at; None is up to the present.
        rest: The question without them; None if nothing is left to ask: "And at 20 seconds?".
    """

    words: str
    since: float | None
    until: float | None
    rest: str | None


@dataclass(frozen=True, slots=True)
class _Hit:
    """A phrase of time: what it means, and which characters say it."""

    range: Range
    start: int
    end: int


def understand(text: str, reference: Reference) -> TimeAsked | None:
    """Return what the words of time in a question mean; None if it has none, or they disagree.

    Args:
        text: The question.
        reference: The time of whoever asks.
    """
    low = text.lower()
    if len(text) > _LONGEST or _LENGTHS.search(low):
        return None
    if _WRITING.search(low) and _SAYS.search(low):
        return None
    tokens = tokens_of(text)
    if len(tokens) > _MOST_TOKENS:
        return None
    asking = _asking(tokens, reference)
    hits = [hit for hit in _hits(asking) if not _is_quoted(text, hit)]
    if not hits:
        return None
    whole: Range | None = Range()
    for hit in hits:
        whole = whole and whole.within(hit.range)
    rest = _without(text, hits)
    if whole is None or _ABOUT_IT.match(rest) or _is_beyond(whole):
        return None
    words = " … ".join(text[hit.start : hit.end] for hit in hits)
    since = whole.since if whole.since > float("-inf") else None
    if since is not None and whole.until >= 0:
        since = max(
            0.0, since
        )  # what lies wholly before the beginning stays there: nothing is found
    bounded = whole.until < reference.last
    until = whole.until if bounded or since == whole.until else None
    return TimeAsked(words, since, until, rest if _FILLER.sub("", rest) else None)


def _asking(tokens: Tokens, reference: Reference) -> Asking:
    asking = Asking(tokens, reference)
    if reference.began is None:
        return asking
    said = (day(tokens, at, asking.today) for at in range(len(tokens)))
    found = next((one for one in said if one is not None), None)
    return asking if found is None else replace(asking, day=found[0])


def _hits(asking: Asking) -> Iterator[_Hit]:
    tokens, at = asking.tokens, 0
    while at < len(tokens):
        found = phrase(asking, at) if _may_begin(tokens, at) else None
        if found is None:
            at += 1
            continue
        meant, after = found
        yield _Hit(meant, tokens[at].start, tokens[after - 1].end)
        at = after


def _may_begin(tokens: Tokens, at: int) -> bool:
    """Say whether a phrase of time may begin here: not inside `every ten seconds ago`, `not before`."""
    return word(tokens, at - 1) not in {"every", "each", "than", "not"}


def _is_beyond(range_: Range) -> bool:
    """Say whether a bound is centuries away."""
    return any(_CENTURIES < abs(end) < float("inf") for end in (range_.since, range_.until))


def _is_quoted(text: str, hit: _Hit) -> bool:
    return any(m.start() <= hit.start < m.end() for m in _QUOTED.finditer(text))


def _without(text: str, hits: list[_Hit]) -> str:
    """Return the question without the words of time, as a sentence again."""
    rest, at = "", 0
    for hit in hits:
        rest += text[at : hit.start]
        at = hit.end
    rest += text[at:]
    rest = re.sub(r"\s+", " ", rest).strip(" ,;:-\N{EN DASH}\N{EM DASH}")
    rest = re.sub(r"\s*,?\s+(?=[?!.,]|$)", "", rest)
    rest = re.sub(r"^(and|but|so|then)?\s*,\s*", "", rest, flags=re.IGNORECASE)
    if _CAME.match(rest):
        return NOTHING_ELSE
    return rest[:1].upper() + rest[1:]
