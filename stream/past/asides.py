"""What people say besides: a small language model that knows nothing but its stream is not asked."""

import re

_HELLO = "Hello. Ask me what I see, or what I have seen."
_THANKS = "You are welcome."
_MYSELF = "I watch this stream. Ask me what I see, what I have seen, and when."
_ASIDES = (
    (r"(?:hello|hi|hey|hallo|good (?:morning|afternoon|evening|day))(?: (?:there|flashback|again|you))*(?: how are you(?: doing)?(?: today)?)?|how are you(?: doing)?(?: today)?", _HELLO),
    (r"(?:(?:many )?thanks|thank you|thx|cheers)(?: (?:a lot|so much|very much|you|flashback|again|for your help|that is all))*|(?:great|good|ok|okay|perfect|nice)(?: (?:thanks|thank you))?|(?:good)?bye(?: bye)?", _THANKS),
    (r"who are you|what are you|what can you do(?: for me)?|help(?: me)?|how can you help(?: me)?|what can i ask(?: you)?|how does this work", _MYSELF),
)  # fmt: skip
_PATTERNS = tuple((re.compile(pattern), said) for pattern, said in _ASIDES)
_LONGEST = 80  # characters of what can still be an aside


def aside(text: str) -> str | None:
    """Return what is answered to `text`, if it asks nothing about what was shown; else None.

    Args:
        text: Its last line is what was said.
    """
    said = text.rpartition("\n")[2]
    if len(said) > _LONGEST:
        return None
    plain = " ".join(re.findall(r"[a-z]+|[^\sa-z,.;:!?]", said.lower()))
    return next((answer for pattern, answer in _PATTERNS if pattern.fullmatch(plain)), None)
