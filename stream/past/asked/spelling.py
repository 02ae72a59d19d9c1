"""Misspelt words of a question are taken for the nearest word that is known here, and that is said.

    "was there a pengiun"       I take "pengiun" for "penguin": Yes, from 1:03 to 1:12.
    "waht hapened"              (what happened, and nothing is said of it: no thing was named)
    "wo ist die Katze"          Please ask in English.

A word of English is never taken for another: "Was there a house?" asks for no horse. Which words are English
is told by the lists of SCOWL, American and British (`english.txt.gz`, see NOTICE).
"""

import gzip
import re
from dataclasses import replace
from difflib import SequenceMatcher, get_close_matches
from functools import cache, lru_cache
from pathlib import Path

from model.types import Question
from model.vision.vocabulary import word_table
from stream.past.wording import listed

_ENGLISH_ALONE = "Please ask in English: I understand nothing else."
_NEAR = 0.8
"""How alike two words are, of 1, for one to be the other misspelt: one letter of five."""
_NEAR_ASKED = 0.75
"""The same for what questions are made of: one letter of four."""
_ANY_LETTER = 0.9
"""How alike they have to be to begin with another letter."""
_SHORTEST = 4  # letters
_LONGEST = 200  # characters of what is looked through
_CANDIDATES = 3
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_TYPED = {
    "wat": "what", "wut": "what", "wot": "what", "wats": "what is", "u": "you", "r": "are", "pls": "please", "plz": "please",
    "ppl": "people", "pic": "picture", "vid": "video", "thx": "thanks", "hw": "how", "wich": "which", "dont": "do not",
    "whn": "when", "wen": "when", "teh": "the", "si": "is", "ist": "is", "adn": "and", "cna": "can", "doign": "doing",
}  # fmt: skip
"""What people type in a hurry, too short to be told by its letters."""
_ABROAD = frozenset({"ist"})
"""Of those, what is a word of another language."""
_LOST = 2
"""Words that are like no known one, from which on it may be another language."""
_ASKED = frozenset({
    "about", "after", "again", "animal", "animals", "anybody", "anyone", "anything", "appear", "appeared",
    "before", "beginning", "behind", "below", "beside", "between", "came", "camera", "change", "changed",
    "color", "colors", "colour", "colours", "come", "could", "count", "describe", "did", "different",
    "direction", "does", "doing", "during", "everybody", "everything", "first", "food", "fruit", "gone",
    "happen", "happened", "happening", "have", "happens", "kind", "kinds", "last", "left", "list", "long",
    "longest", "many", "minute", "minutes", "moment", "most", "move", "moved", "moving", "much", "name", "next",
    "often", "object", "objects", "order", "people", "person", "picture", "please", "right", "screen", "second",
    "seconds", "seen", "scene", "shape", "shown", "since", "somebody", "someone", "something", "still",
    "stream", "summarise", "summarize", "summary", "tell", "there", "thing", "things", "time", "times",
    "together", "vehicle", "vehicles", "video", "visible", "was", "were", "what", "when", "where", "which",
    "while", "would",
})  # fmt: skip
"""What questions are made of, besides names."""


def well_spelled_question(question: Question) -> tuple[Question | None, str]:
    """Return `question` as `well_spelled` does its text, with what was asked before it well spelled, too."""
    text, taken = well_spelled(question.text)
    if text is None:
        return None, taken
    turns = (
        replace(turn, text=well_spelled(turn.text)[0] or turn.text) if turn.role == "user" else turn
        for turn in question.conversation
    )
    return replace(question, text=text, conversation=tuple(turns)), taken


def well_spelled(text: str) -> tuple[str | None, str]:
    """Return `text` with misspelt words of its last line as they are known, and what is said of it; empty if nothing is.

    Of what is no English no text, but what is answered. It reads a file the first time: call it beside an event loop.

    Args:
        text: Its last line is what was asked.
    """
    told, gap, asked = text.rpartition("\n")
    if len(asked) > _LONGEST:
        return text, ""
    if _is_foreign(asked):
        return None, _ENGLISH_ALONE
    taken: dict[str, str] = {}
    pieces, end = [], 0
    for found in _WORD.finditer(asked):
        typed = found[0].lower()
        if (word := _TYPED.get(typed)) is None:
            if (word := _nearest(typed)) is None:
                continue
            if word in _names():
                taken[found[0]] = word
        pieces += [asked[end : found.start()], word]
        end = found.end()
    spelled = "".join([*pieces, asked[end:]])
    said = [f'"{typed}" for "{word}"' for typed, word in taken.items()]
    return f"{told}{gap}{spelled}", f"I take {listed(said)}: " if said else ""


def _is_foreign(asked: str) -> bool:
    words = _WORD.findall(asked.lower())
    strange = [word for word in words if word not in _TYPED or word in _ABROAD]
    strange = [word for word in strange if not _is_known(word)]
    lost = [word for word in strange if _nearest(word) is None]
    return len(lost) >= _LOST and 2 * len(strange) > len(words)


def is_english(word: str) -> bool:
    """Say whether `word`, in small letters, is one of English. It reads a file the first time."""
    return word in _english()


def _is_known(word: str) -> bool:
    return len(word) == 1 or "'" in word or word in _ASKED or word in _kinds() or word in _english()


@lru_cache(maxsize=1024)  # a word is looked up twice in a question, and in every one after it
def _nearest(typed: str) -> str | None:
    """Return the word that `typed` is misspelt for; None if it is none, or near to nothing."""
    if len(typed) < _SHORTEST or not typed.isascii() or _is_known(typed):
        return None
    near = {
        *get_close_matches(typed, _ASKED, _CANDIDATES, _NEAR_ASKED),
        *get_close_matches(typed, _names(), _CANDIDATES, _NEAR),
        *(word for word in _ASKED | _names() if sorted(word) == sorted(typed)),
    }

    def likeness(word: str) -> tuple[float, bool, str]:
        return SequenceMatcher(None, typed, word).ratio(), word in _alone(), word

    near = {one for one in near if one[0] == typed[0] or likeness(one)[0] >= _ANY_LETTER}
    return max(near, key=likeness, default=None)


@cache
def _english() -> frozenset[str]:
    packed = (Path(__file__).parent / "english.txt.gz").read_bytes()
    return frozenset(gzip.decompress(packed).decode("ascii").split())


@cache
def _names() -> frozenset[str]:
    """Return the words that everyday names of things are made of."""
    names = (
        name
        for word in word_table().words
        for name in (word.name, word.plural, *word.others, *word.broader)
    )
    return frozenset(part for name in names for part in re.findall(r"[a-z]+", name))


@cache
def _alone() -> frozenset[str]:
    """Return the everyday names that are words by themselves."""
    return frozenset(word.name for word in word_table().words)


@cache
def _kinds() -> frozenset[str]:
    """Return the words that names of things and of their kinds are made of."""
    kinds = " ".join(name for word in word_table().words for name in word.kinds.values())
    return _names() | frozenset(re.findall(r"[a-z]+", kinds.lower()))
