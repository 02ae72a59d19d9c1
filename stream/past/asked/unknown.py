"""Names that a question asks about and that are in no table: what has no word here can be neither seen nor missed.

    "Was there a house?"    I do not know the word "house", so I cannot tell.

A small language model would say that it has not seen one. When it was shown, and what came before or after it, is
left to the model, which knows more words than the table and at times finds what is meant by one. Only what is surely the name of a thing, by where it
stands, is called unknown: a question that says more, or less, is left to it.
"""

import re

from model.vision.vocabulary import COLOURS, word_table
from stream.past.follow_up import is_known
from stream.past.second_look import names_in

_LONGEST = 120  # characters of what can still be such a question
_WORDS = 3  # of a name, at most
_A = r"(?:a|an|any|some|the|this|that|my|your|another)"
_NAME = r"(?P<name>[a-z][a-z'-]*(?: [a-z][a-z'-]*){0,2}?)"
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
_COMPILED = tuple(re.compile(form) for form in _FORMS)
_NO_NAMES = frozenset({
    "thing", "things", "object", "objects", "item", "items", "one", "ones", "other", "others", "something",
    "anything", "everything", "nothing", "somebody", "anybody", "anyone", "someone", "everyone", "picture",
    "pictures", "image", "video", "film", "stream", "scene", "scenes", "screen", "camera", "frame", "frames",
    "clip", "clips", "view", "beginning", "end", "start", "middle", "moment", "time", "times", "minute",
    "minutes", "second", "seconds", "hour", "hours", "day", "way", "left", "right", "top", "bottom", "last",
    "first", "next", "same", "kind", "kinds", "sort", "sorts", "colour", "color", "colours", "colors", "shape",
    "shapes", "change", "changes", "movement", "motion", "more", "else", "single", "whole", "room", "place",
    "question", "answer", "word", "words", "it", "that", "this", "them", "him", "her", "people", "person",
    "lot", "few", "couple", "number", "what", "why", "when", "where", "who", "whom", "whose", "how", "which",
    "is", "are", "was", "were", "do", "did", "does", "can", "could", "the", "and", "or", "not", "please",
})  # fmt: skip


def unknown_word(text: str) -> str | None:
    """Return what is said of a question whose last line names what has no word here; None if it names what has, or nothing.

    Args:
        text: Its last line is what was asked.
    """
    asked = text.rpartition("\n")[2]
    if len(asked) > _LONGEST or is_known(asked):
        return None
    plain = " ".join(re.findall(r"[a-z'-]+|[^\sa-z,.;:!?]", asked.lower()))
    for form in _COMPILED:
        if found := form.fullmatch(plain):
            said = found.groupdict()
            name = _unknown(said["name"] or said.get("many") or "")
            return name and f'I do not know the word "{name}", so I cannot tell.'
    return None


def _unknown(name: str) -> str | None:
    words = [word for word in name.split() if word not in COLOURS]
    if not words or not _NO_NAMES.isdisjoint(words):
        return None
    return None if any(names_in(name, word_table())) else words[-1]
