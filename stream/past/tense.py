"""What is asked as if it were there still, of what no longer is: put to the language model as of the past.

    "What colour is the car?"           "What colour was the car?"       where a car was there, and is not now

What is there now is what the newest clip shows, so the small model answers the question as it stands with "I have not
seen a car.". Whether something *is* there stays what it is: then "no" is the answer.
"""

import re
from collections.abc import Sequence

from model.vision.things import SURE
from model.vision.vocabulary import word_table
from stream.past.presence import Shown
from stream.past.second_look import named_words

_PRESENT = re.compile(
    r"((?:what|which) (?:colou?r|shape|way|direction|kind of [a-z ]+?|sort of [a-z ]+?|breed)|where|why|in which direction)"
    r"( is| are|\'s| does| do) (.+)",
    re.IGNORECASE,
)
_PAST = {" is": " was", "'s": " was", " are": " were", " does": " did", " do": " did"}


def asks_as_if_present(text: str) -> bool:
    """Say whether the last line of `text` asks how something is, which may be gone."""
    return _PRESENT.match(text.rpartition("\n")[2].strip()) is not None


def as_of_the_past(text: str, history: Sequence[Shown]) -> str:
    """Return `text`, its last line of the past if what that names was there and is not in the newest clip.

    Args:
        text: Its last line was asked.
        history: What was shown, oldest first; not nothing.
    """
    before, line, asked = text.rpartition("\n")
    found = _PRESENT.match(asked.strip())
    if found is None:
        return text
    words = named_words(found[3].lower(), word_table())
    *past, now = history
    there = any(thing.word in words for thing in now.things)
    was = any(t.word in words and t.sure >= SURE for seen in past for t in seen.things)
    if there or not was:
        return text
    return f"{before}{line}{found[1]}{_PAST[found[2].lower()]} {found[3]}"
