"""Which questions ask how things lie to each other, and what they name: a grammar that the whole question has to fit.

    what      what was beside the cat | what did you see left of the dog | which animal was next to the car
    ever      was the cat above the table | did you see a cat with a dog
    still     is the cat beside the dog
    when      when was the cat next to the dog      long, often     how long was the cat with the dog

In the place of a name may stand a thing that is told by where it was, of which the other may be told so, too:
"What was beside the thing that was left of the cat?", "Was the dog above the animal next to the car?".
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from stream.past.second_look import NOT_SHOWN

How = Literal["beside", "near", "with", "left", "right", "above", "below", "on"]
"""How one thing lies to another in the picture; "on" is whatever a picture does not tell: on, in, under, behind."""
Asks = Literal["what", "ever", "still", "when", "long", "often"]


class Name(Protocol):
    """The name of a thing in a question, as `stream/past/counted/words.py` reads it."""

    @property
    def name(self) -> str:
        """As the question says it."""
        ...

    @property
    def words(self) -> frozenset[int]:
        """The numbers of the words that it covers."""
        ...

    @property
    def colour(self) -> int | None:
        """The number of the colour that it must have, if any."""
        ...


Resolve = Callable[[str], Name | None]
"""Reads a name; None if it names nothing that has a word."""


@dataclass(frozen=True, slots=True)
class Described:
    """A thing that a question names, or tells by where it was.

    Attributes:
        name: Its name, if it has one; "the thing" has none.
        how: How it lay to `of`; None if its name is all.
        of: To what it lay so.
        said: How, in the question's own words.
    """

    name: Name | None
    how: How | None = None
    of: "Described | None" = None
    said: str = ""


@dataclass(frozen=True, slots=True)
class Relation:
    """How things lie to each other, as it is asked about.

    Attributes:
        asks: What of it is asked for, as above.
        how: How the one lies to the other.
        said: The same in the question's own words.
        of: The other.
        one: What is said to lie so; of "what was beside the cat" what it has to be, if that is said.
    """

    asks: Asks
    how: How
    said: str
    of: Described
    one: Described | None = None


_BE = r"(?:is|are|was|were|has been|have been|had been)"
_YOU = r"(?:you|i|we)"
_SAW = rf"(?:do|did|does|can|could|have|had) {_YOU} (?:see|seen|notice|noticed|spot|spotted)"
_VERB = r"(?:stand|stands|stood|sit|sits|sat|lie|lies|lay|come|comes|came|appear|appears|appeared|go|goes|went|walked|moved)"
_PLACED = r"(?: (?:there|here|visible|shown|seen|present|placed|located|standing|sitting|lying|still|ever|just|directly|right|immediately))*"  # fmt: skip
_ENDS = r"(?: (?:so far|in all|in total|altogether|until now|already|here|there|now|please|today|yet|by now|at all|right now|at the moment|in (?:the )?(?:picture|video|film|stream|frame|image|scene|view)))*"  # fmt: skip
_SIDE = r"(?:(?:to|on|at) the )?{}(?:[ -]hand)?(?: side)? (?:of|from)"
_WORDS: tuple[tuple[How, str], ...] = (
    ("left", _SIDE.format("left")),
    ("right", _SIDE.format("right")),
    ("beside", r"beside|next to|alongside of|alongside|adjacent to|side by side with|(?:by|to) the side of"),
    ("near", r"near to|near|nearest to|closest to|close to|close by|around|by|in the vicinity of|not far from"),
    ("with", r"with|along with|together with|at the same time as|besides|in (?:the same|one) (?:picture|clip|frame|scene) (?:as|with)"),
    ("above", r"above|over|higher (?:up )?than"),
    ("below", r"below|beneath|lower (?:down )?than"),
    ("on", r"on top of|on|underneath|under|behind|in front of|inside of|inside|within|in"),
)  # fmt: skip
_HOWS = tuple((how, re.compile(rf"(?:{words}) ")) for how, words in _WORDS)
_ASKED: tuple[tuple[Asks, str], ...] = (
    ("what", rf"(?:what(?: else| other things?| things?)?|(?P<who>who)(?: else)?|(?:which|what) (?P<one>.+?)) (?:{_BE}|{_VERB}|{_SAW})"),
    ("still", r"(?:is|are) (?:there )?(?P<one>.+?)"),
    ("ever", r"(?:was|were|has|have|had) (?:there )?(?:ever )?(?:been )?(?P<one>.+?)(?: been)?"),
    ("ever", rf"(?:{_SAW}|did) (?P<one>.+?)(?: {_VERB})?"),
    ("when", rf"(?:when|at what time) (?:{_BE}|{_SAW}|did) (?P<one>.+?)(?: {_VERB})?"),
    ("long", rf"(?:for )?how (?:long|much time) (?:{_BE}|did) (?P<one>.+?)(?: {_VERB})?"),
    ("often", rf"how (?:often|many times) (?:{_BE}|{_SAW}|did) (?P<one>.+?)(?: {_VERB})?"),
)  # fmt: skip
_QUESTIONS = tuple(
    (asks, re.compile(rf"(?:and |so |ok )?{words}{_PLACED}")) for asks, words in _ASKED
)
_TOLD = re.compile(rf"(?P<one>.+?)(?: (?:that|which|who))?(?: (?:{_BE}|{_VERB}))?{_PLACED}")
_OF = re.compile(rf"(?P<of>.+?){_ENDS}")
_ARTICLE = re.compile(
    r"(?:the|a|an|any|some|this|that|these|those|your|one|other|another) (?=[a-z])"
)
_ANYTHING = frozenset({
    "thing", "things", "one", "ones", "what", "whatever", "object", "objects", "that", "item", "items", "something", "anything",
})  # fmt: skip
_OF_A_VIEW = frozenset({"on", "near", "with"})
"""How things are to a camera or screen that they are seen by, not that is seen."""
_DEEPEST = 6
"""Things that may be told each by the next."""


def asks_of_relation(plain: str, resolve: Resolve) -> Relation | None:
    """Return how things lie to each other that `plain` asks about; None if it asks for something else.

    Args:
        plain: The question in small letters, without punctuation.
        resolve: Reads a name.
    """
    for before, how, said, after in _splits(plain):
        of = _OF.fullmatch(after)
        if of is None or (how in _OF_A_VIEW and NOT_SHOWN.fullmatch(of["of"])):
            continue
        for asks, pattern in _QUESTIONS:
            asked = pattern.fullmatch(before)
            one = None if asked is None else _subject(asked, resolve)
            other = None if one is None else _described(of["of"], resolve, _DEEPEST)
            if one is None or other is None or other == Described(None):
                continue
            if one != Described(None):
                return Relation(asks, how, said, other, one)
            if asks in {"what", "still", "ever"}:  # "was there anything beside the cat"
                return Relation("what", how, said, other)
    return None


def _subject(asked: re.Match[str], resolve: Resolve) -> Described | None:
    said = asked.groupdict()
    who = said.get("who") and "anyone"
    return _described(who or said.get("one") or "thing", resolve, _DEEPEST)


def _described(text: str, resolve: Resolve, deepest: int) -> Described | None:
    """Return the thing that all of `text` names or tells; None if it does neither."""
    if (name := resolve(text)) is not None:
        return Described(name)
    bare = _ARTICLE.sub("", text, count=1)
    if bare != text:
        return _described(bare, resolve, deepest)
    if bare in _ANYTHING:
        return Described(None)
    for before, how, said, after in _splits(bare) if deepest else ():
        told = _TOLD.fullmatch(before)
        one = None if told is None else _described(told["one"], resolve, 0)
        of = None if one is None else _described(after, resolve, deepest - 1)
        if one is not None and of is not None and of != Described(None):
            return Described(one.name, how, of, said)
    return None


def _splits(text: str) -> Iterator[tuple[str, How, str, str]]:
    """Yield each place of `text` that says how something lies: what is before it, how, in which words, what is after."""
    for gap in re.finditer(" ", text):
        for how, pattern in _HOWS:
            if (found := pattern.match(text, gap.end())) is not None:
                yield text[: gap.start()], how, found[0].strip(), text[found.end() :]
