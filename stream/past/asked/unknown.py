"""Names that a question asks about and that are in no table: what has no word here can be neither seen nor missed.

    "Was there a house?"    I do not know the word "house", so I cannot tell.

    "When was the pear shown?"  I do not know the word "pear". Perhaps from 8 to 16 seconds.

A small language model would say that it has not seen one. When it was shown, and what came before or after it, the
model may find all the same, which knows more words of English than the table: its answer is then told as a guess. Only what is surely the name of a thing, by where it
stands, is called unknown: a question that says more, or less, is left to the model.
"""

import re
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from model.types import AnswerPiece, Words
from model.vision.vocabulary import COLOURS, word_table
from stream.past.asked.spelling import is_english
from stream.past.follow_up import is_known
from stream.past.second_look import names_in

_LONGEST = 120  # characters of what can still be such a question
_WORDS = 3  # of a name, at most
_A = r"(?:a|an|any|some|the|this|that|my|your|another)"
_NAME = r"(?P<name>[a-z][a-z'-]*(?: [a-z][a-z'-]*){0,2}?)"
_OTHER = r"(?P<other>[a-z][a-z'-]*(?: [a-z][a-z'-]*){0,2}?)"
_SEE = r"(?:see|seen|notice|noticed|spot|spotted|saw)"
_THERE = r"(?: (?:there|here|visible|shown|seen|now|right now|yet|so far|today|already|anywhere|around|first|last|in (?:the )?(?:picture|video|film|stream|frame|image|scene|view)))*"
_CAME = r"(?:come|came|appear|appeared|arrive|arrived|leave|left|move|moved|go|gone)"
_FORMS = (
    rf"(?:is|are|was|were|has|have) there (?:ever )?(?:been )?{_A} {_NAME}{_THERE}",
    rf"(?:do|can|could|did|have) you (?:ever |still )?{_SEE} {_A} {_NAME}{_THERE}",
    rf"(?:where|how long|how often) (?:is|are|was|were|did|has|have|does) (?:there )?{_A} {_NAME}(?: (?:there|shown|seen|visible|{_CAME}))?{_THERE}",
    rf"(?:is|are|was|were) {_A} {_NAME} (?:still )?(?:there|here|visible|shown|gone){_THERE}",
    rf"(?:did|does|has) {_A} {_NAME} {_CAME}{_THERE}",
    rf"how many {_NAME} (?:are|were) there{_THERE}|how many (?P<many>[a-z][a-z'-]*) (?:did|do|can|have) you {_SEE}{_THERE}",
    rf"(?:what|which) colou?r (?:is|are|was|were) {_A} {_NAME}",
    rf"(?:which way|where|in which direction) (?:did|does|is|was) {_A} {_NAME} (?:{_CAME}|going|moving)",
    rf"(?:tell me about|what about|describe|show me|find) {_A} {_NAME}",
    rf"(?:{_A} )?(?P<name>[a-z-]{{3,}})",
)
_SHOWN = r"(?: (?:is|are|was|were|come|came|appear|appeared|arrive|arrived|leave|left|go|went|gone|disappear|disappeared|enter|entered|show up|showed up|turn up|turned up))?"
_TOLD = rf"(?:come|comes|came|appear|appeared|happen|happened|happens|is|was|were|followed|follows|(?:did|do) you {_SEE})(?: there| shown)?"
_GUESSED = (
    rf"(?:when|since when|at what time|at what (?:second|point)) (?:is|are|was|were|did|has|have|had) (?:there )?(?:{_A} )?{_NAME}{_SHOWN}{_THERE}",
    rf"(?:when|at what time) (?:did|have|had) you (?:first |last )?{_SEE} (?:{_A} )?{_NAME}{_THERE}",
    rf"when (?:was|is) the (?:first|last) time (?:that )?you (?:have )?{_SEE} (?:{_A} )?{_NAME}",
    rf"(?:what|who|which [a-z]+) (?:else )?{_TOLD}(?: (?:right|just|directly|shortly|immediately))? (?:before|after|while|during) (?:{_A} )?{_NAME}{_SHOWN}{_THERE}",
    rf"what {_TOLD} (?:in )?between (?:{_A} )?{_NAME} and (?:{_A} )?{_OTHER}",
    rf"(?:which|what|who) (?:one )?(?:came|was|appeared|did you see)(?: (?:there|shown|seen))? (?:first|last|earlier|later|longer|more often)(?: of (?:the )?two)? (?:{_A} )?{_NAME} or (?:{_A} )?{_OTHER}",
    rf"(?:was|were|did) (?:{_A} )?{_NAME}(?: (?:come|appear|there|shown))? (?:before|after|earlier than|later than|longer than|with|beside|next to|near|above|below|left of|right of) (?:{_A} )?{_OTHER}",
    rf"what (?:is|was|were|are|did you see)(?: (?:there|shown|seen))? (?:together with|with|beside|next to|near|above|below|left of|right of|in front of|behind|on|under) (?:{_A} )?{_NAME}{_THERE}",
    rf"how (?:long|much time|many seconds)[a-z ]*? (?:between|after|before|from) (?:{_A} )?{_NAME}{_SHOWN} (?:and|to|did|was|were|came) (?:{_A} )?{_OTHER}{_SHOWN}{_THERE}",
)
"""What the model may find, though the table has no word for it."""
_COMPILED = tuple(re.compile(form) for form in _FORMS)
_COMPILED_GUESSED = tuple(re.compile(form) for form in _GUESSED)
_NO_NAMES = frozenset({
    "thing", "things", "object", "objects", "item", "items", "one", "ones", "other", "others", "something",
    "anything", "everything", "nothing", "somebody", "anybody", "anyone", "someone", "everyone", "picture",
    "pictures", "image", "video", "film", "stream", "scene", "scenes", "screen", "camera", "frame", "frames",
    "clip", "clips", "view", "nobody", "noone", "none", "beginning", "end", "start", "middle", "moment", "time", "times", "minute",
    "minutes", "second", "seconds", "hour", "hours", "day", "way", "left", "right", "top", "bottom", "last",
    "first", "next", "same", "kind", "kinds", "sort", "sorts", "colour", "color", "colours", "colors", "shape",
    "shapes", "change", "changes", "movement", "motion", "more", "else", "single", "whole", "room", "place",
    "question", "answer", "word", "words", "it", "that", "this", "them", "him", "her", "people", "person",
    "lot", "few", "couple", "number", "what", "why", "when", "where", "who", "whom", "whose", "how", "which",
    "is", "are", "was", "were", "do", "did", "does", "can", "could", "the", "and", "or", "not", "please",
})  # fmt: skip


_DENIAL = re.compile(
    r"\s*(?:no|not|none|never|nothing|nobody|i|perhaps)\b", re.IGNORECASE
)  # fmt: skip
_YES = re.compile(r"\s*yes\b", re.IGNORECASE)


def unknown_word(text: str) -> str | None:
    """Return what is said of a question whose last line names what has no word here; None if it names what has, or nothing.

    None, too, if the model may find what is named: see `guessed_word`.

    Args:
        text: Its last line is what was asked.
    """
    plain = _plain(text)
    if name := _named(plain, _COMPILED):
        return _no_such_word(name)
    name = _named(plain, _COMPILED_GUESSED)
    return _no_such_word(name) if name and not is_english(name) else None


def guessed_word(text: str) -> str | None:
    """Return the word of English that has no word here, of which the last line of `text` asks what the model may find; else None."""
    plain = _plain(text)
    return None if _named(plain, _COMPILED) else _named(plain, _COMPILED_GUESSED)


def with_doubt(
    text: str, pieces: AsyncGenerator[AnswerPiece, None], *, glimpsed: bool
) -> AsyncGenerator[AnswerPiece, None]:
    """Return a written answer as it is told, if it can be no more than a guess; use `aclosing`.

    Args:
        text: Its last line was asked.
        pieces: The answer.
        glimpsed: Whether it rests on one glimpse.
    """
    if (word := guessed_word(text)) is not None:
        return _as_guess(word, pieces)
    return _as_doubted(pieces) if glimpsed else pieces


def _plain(text: str) -> str:
    """Return the last line of `text` in small letters, without punctuation; empty if it is no such question."""
    asked = text.rpartition("\n")[2]
    if len(asked) > _LONGEST or is_known(asked):
        return ""
    return " ".join(re.findall(r"[a-z'-]+|[^\sa-z,.;:!?]", asked.lower()))


def _named(plain: str, forms: tuple[re.Pattern[str], ...]) -> str | None:
    """Return the word without a word here that a question names, if its form is one of `forms`."""
    for form in forms:
        if found := form.fullmatch(plain):
            said = found.groupdict()
            names = (said["name"] or said.get("many") or "", said.get("other") or "")
            return next((word for name in names if (word := _strange(name))), None)
    return None


def _strange(name: str) -> str | None:
    words = [word for word in name.split() if word not in COLOURS]
    if not words or not _NO_NAMES.isdisjoint(words):
        return None
    return None if any(names_in(name, word_table())) else words[-1]


def _no_such_word(word: str) -> str:
    return f'I do not know the word "{word}", so I cannot tell.'


def _as_guess(
    word: str, pieces: AsyncGenerator[AnswerPiece, None]
) -> AsyncGenerator[AnswerPiece, None]:
    """Return a written answer about `word`, which is in no table, as the guess that it is; use `aclosing`."""

    def guess(said: str) -> str:
        if not said or _DENIAL.match(said):
            return _no_such_word(word)
        return f'I do not know the word "{word}". Perhaps {said[0].lower()}{said[1:]}'

    return _retold(pieces, guess)


def _as_doubted(pieces: AsyncGenerator[AnswerPiece, None]) -> AsyncGenerator[AnswerPiece, None]:
    """Return a written answer that rests on one glimpse with a "perhaps", unless it denies; use `aclosing`."""

    def doubted(said: str) -> str:
        if _YES.match(said):
            return _YES.sub("Perhaps", said, count=1)
        if not said or _DENIAL.match(said):
            return said
        return f"Perhaps {said[0].lower()}{said[1:]}"

    return _retold(pieces, doubted)


async def _retold(
    pieces: AsyncGenerator[AnswerPiece, None], retell: Callable[[str], str]
) -> AsyncGenerator[AnswerPiece, None]:
    said = ""
    async with aclosing(pieces):
        async for piece in pieces:
            if isinstance(piece, Words):
                said += piece.text
                continue
            yield Words(retell(said.strip()))
            yield piece
