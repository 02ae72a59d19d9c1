"""What a question takes over from the conversation before it, put into its own words.

    "What came after the dog?"  "A cat."   "How long was it there?"   How long was the cat there?
    "When was the cat shown?"   "…"        "And the dog?"             When was the dog shown?
    "Was there a cat?"       "Yes."     "When?"                    When was the cat there?
    "What did you see?"  "A cat and a dog."  "Is it still there?"     Which do you mean, the cat or the dog?

What is counted from clips is found by its name, and a small language model that reads "it" answers of
any scene. "It" is what the newest answer named, if that was one thing, or else the question before it.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from model.types import Question, Turn
from model.vision.vocabulary import word_table
from stream.past.account_words import account_wording
from stream.past.asides import aside
from stream.past.counted.words import Counting, asks_to_count
from stream.past.ends import asked_end
from stream.past.second_look import names_in
from stream.past.tense import asks_as_if_present

_LONGEST = 200  # characters of what can still be such a question
_TURNS = 8
"""Questions back that "it" may stand for something of."""
_WHICH = "Which thing do you mean?"
_OF_NOW = frozenset({"colour", "way", "place", "about", "none"})
_MOST_NAMED = 4
"""Things that are named when it is asked which is meant."""

_PRONOUN = re.compile(r"\b(?:it|he|she|him|her|they|them|that one|this one|that thing)\b")
_ORDER = re.compile(
    r"(?:and |so |ok )?what (?:else )?(?:came|comes|was|happened|appeared|did you see)"
    r"(?: (?:shown|there|right|just|directly))* (?:before|after) (?P<name>it|that|this|them)"
)
_THERE = re.compile(
    r"(?:and |so )?(?:is|are|was|were) \w+(?: \w+)? (?:there|here|visible|shown|present)(?: now)?"
)
_READERS = (aside, asks_to_count, account_wording, asked_end)
_ALONE = {
    "when": "when was it there", "how long": "how long was it there", "for how long": "how long was it there",
    "how often": "how often was it there", "how many times": "how often was it there", "how many": "how many it were there",
    "how many were there": "how many it were there", "how many did you see": "how many it were there",
    "where": "where was it", "what color": "what color was it", "what colour": "what colour was it",
    "color": "what color was it", "colour": "what colour was it", "which color": "which color was it", "which colour": "which colour was it", "which way": "which way did it go",
    "tell me more": "tell me about it", "still there": "is it still there", "is it still": "is it still there",
    "after that": "what came after that", "what then": "what came after that", "what next": "what came after that",
    "then what": "what came after that", "before that": "what came before that", "and then": "what came after that",
    "after it": "what came after that", "before it": "what came before that", "what after": "what came after that", "what before": "what came before that",
    "what after that": "what came after that", "what before that": "what came before that", "and after": "what came after that", "and before": "what came before that",
}  # fmt: skip
"""What a few words ask of a thing that was named, with "it" for that."""
_AND = re.compile(r"(?:and |or |(?:and )?(?:what|how) about )(?P<name>.+)")
_ARTICLE = re.compile(r"(?:the|a|an|any|some) ")


@dataclass(frozen=True, slots=True)
class _Named:
    """A thing that a text named: as it said it, and the words that this covers."""

    name: str
    words: frozenset[int]


def is_known(text: str) -> bool:
    """Say whether `text` is a question that is read as it stands, whatever its "it" is: "when did it change"."""
    return any(read(text) for read in _READERS)


def whole_question(question: Question) -> Question | str:
    """Return `question` in words that need no conversation, or what is asked back.

    As it stands, if it takes nothing over. Where nothing was named before it, too, if it may be about what is
    there now ("What colour is it?"): so the language model reads it.

    Args:
        question: Its last line is what was asked.
    """
    told, gap, asked = question.text.rpartition("\n")
    plain = _plain(asked)
    if len(plain) > _LONGEST:
        return question
    turns = question.conversation[-2 * _TURNS :]
    if whole := _with_another(plain, turns):
        return replace(question, text=f"{told}{gap}{whole}")
    if whole := _the_one_meant(plain, turns):
        return replace(question, text=f"{told}{gap}{whole}")
    plain = _ALONE.get(plain.removeprefix("and "), _ALONE.get(plain, plain))
    if not (places := _pronouns(plain)):
        return question
    if not (named := _referent(turns)):
        of_a_thing = asks_to_count(_put(plain, places, "cat"))
        needs = isinstance(of_a_thing, Counting) and of_a_thing.kind not in _OF_NOW
        return _WHICH if needs else question
    if len(named) == 1:
        return replace(question, text=f"{told}{gap}{_put(plain, places, named[0].name)}")
    if len(named) > _MOST_NAMED:
        return _WHICH
    *others, last = (f"the {one.name}" for one in named)
    return f"Which do you mean: {', '.join(others)} or {last}?"


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9'-]+", text.lower()))


def _with_another(plain: str, turns: Sequence[Turn]) -> str:
    """Return the question before, of another thing: "and the dog". Empty if it is none."""
    found = _AND.fullmatch(plain)
    asked = [place for place, turn in enumerate(turns) if turn.role == "user"]
    if found is None or not asked:
        return ""
    last = turns[asked[-1]].text
    # It may have taken over something itself: "How long?", "Which way did it go?".
    whole = whole_question(Question(last, conversation=tuple(turns[: asked[-1]])))
    bare = _ARTICLE.sub("", found["name"], count=1)
    names = list(names_in(bare, word_table()))
    before = _plain(last if isinstance(whole, str) else whole.text)
    old = list(names_in(before, word_table()))
    if len(names) != 1 or (names[0].start, names[0].end) != (0, len(bare)) or len(old) != 1:
        return ""
    return before[: old[0].start] + bare + before[old[0].end :]


def _the_one_meant(plain: str, turns: Sequence[Turn]) -> str:
    """Return the question that was asked back about, of the thing that is named now. Empty if none was."""
    if [turn.role for turn in turns[-2:]] != ["user", "assistant"] or not turns[-1].text.startswith(
        "Which "
    ):
        return ""
    before, bare = _plain(turns[-2].text), _ARTICLE.sub("", plain, count=1)
    names = list(names_in(bare, word_table()))
    if len(names) != 1 or (names[0].start, names[0].end) != (0, len(bare)):
        return ""
    return _put(before, places, bare) if (places := _pronouns(before)) else ""


def _pronouns(plain: str) -> list[tuple[int, int]]:
    """Return where a question has a word that stands for a thing which has to be known: not in "what is it"."""
    if order := _ORDER.fullmatch(plain):
        return [order.span("name")]
    places = [found.span() for found in _PRONOUN.finditer(plain)]
    if not places or is_known(plain):
        return []
    of_a_thing = _put(plain, places, "cat")
    fits = asks_to_count(of_a_thing) or asks_as_if_present(of_a_thing) or _THERE.fullmatch(plain)
    return places if fits else []


def _put(plain: str, places: Iterable[tuple[int, int]], name: str) -> str:
    """Return `plain` with the thing in the place of what stands for it."""
    for start, end in reversed(list(places)):
        plain = f"{plain[:start]}the {name}{plain[end:]}"
    return plain


def _referent(turns: Sequence[Turn]) -> list[_Named]:
    """Return what "it" stands for: one thing, those of which it may be one, or nothing."""
    for answer, question in _pairs(turns):
        answered, asked = _things(answer), _things(question)
        about = [one for one in answered if any(one.words & other.words for other in asked)]
        if named := (about if len(about) == 1 else answered or asked):
            return named
    return []


def _pairs(turns: Sequence[Turn]) -> list[tuple[str, str]]:
    """Return answers with their questions, newest first."""
    found = [
        (after.text, before.text)
        for before, after in pairwise(turns)
        if before.role == "user" and after.role == "assistant"
    ]
    return found[::-1]


def _things(text: str) -> list[_Named]:
    """Return the things that `text` names, each once."""
    lower = text.lower()
    found: dict[frozenset[int], _Named] = {}
    for name in names_in(lower, word_table()):
        found.setdefault(name.words, _Named(lower[name.start : name.end], name.words))
    return list(found.values())
