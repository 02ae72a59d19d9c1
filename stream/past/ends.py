"""Which questions are about the beginning of a past alone, or about its end: they need nothing else read.

    first   what was shown first | what was there at the beginning | what did it begin with
    now     what do you see | what is happening | describe the picture | what was shown last

Asked of a history of hours that is not at hand (after a restart, say), they would wait until all of it is
read. A question is one if all of it is made of these words; what asks for more is put to everything.
"""

import re
from typing import Literal

End = Literal["first", "now"]
_LONGEST = 120  # characters of what can still be such a question

_NOW = (
    r"(?: (?:now|right now|just now|at the moment|at present|currently|there|here|please|today))*"
)
_PICTURE = r"(?:the )?(?:picture|image|screen|video|stream|frame|view|scene|camera)"
_SEEN = r"(?:shown|there|seen|visible|to be seen|on(?: the)? screen)"
_THING = r"what(?: thing| things)?"
_FIRST = rf"(?:{_THING} (?:came|was {_SEEN}|were {_SEEN}|appeared|did you (?:see|notice)|was) first|{_THING} (?:was|were) the first(?: thing| things| ones?)?(?: (?:that )?(?:you saw|{_SEEN}|was {_SEEN}|to be seen))?|{_THING} was (?:{_SEEN} )?(?:at|in) the (?:beginning|start)|{_THING} did (?:it|{_PICTURE}) (?:begin|start) with|how did (?:it|{_PICTURE}) (?:begin|start))"  # fmt: skip
_LAST = rf"(?:{_THING} (?:came|was {_SEEN}|appeared|did you see) last|{_THING} was the last thing(?: (?:that )?(?:you saw|{_SEEN}))?)"  # fmt: skip
_PRESENT = rf"(?:{_THING} (?:do|can) you see|{_THING} (?:is|are) (?:{_SEEN}|this|it|that|(?:in|on) {_PICTURE}|happening|going on)|{_THING} happens|{_THING} does {_PICTURE} show|which things are {_SEEN}|(?:describe|name|tell me)(?: to me)? (?:what you see|what is {_SEEN}|what is (?:in|on) {_PICTURE}|{_PICTURE}))"  # fmt: skip
_PATTERNS: tuple[tuple[End, re.Pattern[str]], ...] = (
    ("first", re.compile(rf"(?:and |so |ok |please )*{_FIRST}")),
    ("now", re.compile(rf"(?:and |so |ok |please )*(?:{_PRESENT}|{_LAST}){_NOW}")),
)


def asked_end(text: str) -> End | None:
    """Return which end of the past `text` asks about alone; None if it asks for anything else.

    Args:
        text: Its last line is what was asked.
    """
    asked = text.rpartition("\n")[2]
    if len(asked) > _LONGEST:
        return None
    plain = " ".join(
        re.findall(r"[a-z]+|[^\sa-z,.;:!?]", re.sub(r"['\u2019]s\b", " is", asked.lower()))
    )
    return next((end for end, pattern in _PATTERNS if pattern.fullmatch(plain)), None)
