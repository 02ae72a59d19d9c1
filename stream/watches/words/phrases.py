"""Turns the small phrases of a request into marks: counts, durations, places, directions, absence.

    "more than three people for five minutes"  ->  "@least:4 people" and 300 seconds

What is left are names and connecting words, which `clauses` reads one after another. A mark begins
with `@`, which no word does by then.
"""

import re
from collections.abc import Callable

_COUNTED = "zero one two three four five six seven eight nine ten eleven twelve"
_TENS = {
    "fifteen": 15,
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "ninety": 90,
}
_NUMBERS = {name: number for number, name in enumerate(_COUNTED.split())} | _TENS
_UNITS = {"s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3600, "hr": 3600, "hour": 3600}  # fmt: skip
_SPELLINGS = {"gray": "grey", "violet": "purple", "golden": "yellow", "center": "middle", "centre": "middle"}  # fmt: skip

_N = r"(\d+)"
_UNIT = r"(hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s)\b"
_MORE = r"(?:at least|more than|over|longer than|about|some)?"
_SIDE = r"(left|right|top|bottom|middle)"
_OF_FRAME = r"(?: (?:side|half|edge|part|corner|third))?(?: of the (?:picture|frame|image|screen|view|scene))?"
_FRAME = "(?:picture|frame|image|screen|view|scene|sight|camera)"

_BEGINNING = re.compile(
    r"^(?:please |can you |could you )*(?:tell|alert|notify|warn|inform|message|ping|remind|let)"
    r"(?: me| us)?(?: know)?(?: about| of)?(?: right away| immediately)?\b"
    r"|^(?:when(?:ever)?|if|once|as soon as|watch for|look out for|look for)\b"
)
_DURATION = re.compile(rf"(?:for|since|in) {_MORE} ?(?:(\d+(?:\.\d+)?)|(half an?)|(an?)) ?{_UNIT}")

_Replacement = str | Callable[[re.Match[str]], str]
_PHRASES: tuple[tuple[str, _Replacement], ...] = (
    (rf"\b(?:no more than|not more than|at most) {_N}", lambda m: f" @fewer:{int(m[1]) + 1} "),
    # Absence, before "no" and "not" are read as words of their own.
    (
        r"\b(?:is|are|was|were|has|have|been|'s|s|do|does|did)* ?(?:no longer|not|n't|never) (?:any ?more )?"
        rf"(?:been )?(?:there|here|seen|visible|present|in (?:the )?{_FRAME}|around)(?: any ?more)?",
        " @gone ",
    ),
    (
        r"\b(?:is|are|was|were|has|have|been)? ?(?:no longer|not (?:any ?more|any longer))"
        r"(?: parked| standing| sitting| lying| waiting| on)?\b",
        " @gone ",
    ),
    (
        r"\b(?:gone|missing|away|absent|disappear(?:s|ed)?|vanish(?:es|ed)?|leaves?|has left|have left"
        rf"|goes away|went away|out of (?:the )?{_FRAME})(?: the {_FRAME})?\b",
        " @gone ",
    ),
    (r"\b(?:nobody|no 1(?! or)|no-one|not anybody|not anyone)\b", " @no person "),
    (r"\b(?:there (?:is|are) )?(?:not any|not an?|without|no)\b", " @no "),
    # Who is back is there; that it was gone is not asked for.
    (
        r"\b(?:(?:is|are|was|were|comes?|coming|came|gets?|has come|have come|has got) back(?: home| again)?|returns?|returned|returning)\b",
        " ",
    ),
    # Counts.
    (rf"\b(?:more than|over|greater than) {_N}", lambda m: f" @least:{int(m[1]) + 1} "),
    (rf"\bat least {_N}", r" @least:\1 "),
    (rf"{_N} or more\b", r" @least:\1 "),
    (rf"\b(?:fewer than|less than|under) {_N}", r" @fewer:\1 "),
    (rf"{_N} or (?:fewer|less)\b", lambda m: f" @fewer:{int(m[1]) + 1} "),
    (rf"\b(?:exactly|just|only) {_N}", r" @exactly:\1 "),
    (rf"(?<![:\d]){_N}\b", r" @least:\1 "),
    (r"\b(?:several|a few)\b", " @least:3 "),
    (r"\b(?:many|a crowd of|crowds of|a lot of|lots of)\b", " @least:5 "),
    (r"\b(?:a group of|a couple of|a pair of)\b", " @least:2 "),
    # Directions, then places.
    (r"\bfrom (?:the )?(?:left|right) to (?:the )?(left|right)\b", r" @move:\1 "),
    (
        r"\b(?:moves?|moving|goes|going|walks?|walking|drives?|driving|runs?|running|heads?|heading) "
        r"(?:to the |to |towards the )?(left|right|up|down)(?:wards?)?\b",
        r" @move:\1 ",
    ),
    (rf"\b(?:in|at|on) the (top|bottom) (left|right){_OF_FRAME}", r" @place:\1-\2 "),
    (rf"\b(?:in|at|on|to) the {_SIDE}{_OF_FRAME}", r" @place:\1 "),
    (rf"\b(?:in|into|on) (?:the )?{_FRAME}\b", " "),
)
_COMPILED = tuple((re.compile(pattern), replacement) for pattern, replacement in _PHRASES)


def tidy(text: str) -> str:
    """Return a request in small letters, numbers as digits, without its beginning and punctuation."""
    text = re.sub(r"[\u2018\u2019`]", "'", text.lower())
    text = re.sub(r"'s\b", " is", re.sub(r"n't\b", " not", text))
    text = re.sub(r"[^\w\s.,'-]|(?<!\d)\.|\.(?!\d)|@", " ", text)
    words = (_SPELLINGS.get(word, str(_NUMBERS.get(word, word))) for word in text.split())
    text = " ".join(words)
    while (cut := _BEGINNING.sub("", text, count=1).strip()) != text:
        text = cut
    return text


def take_duration(text: str) -> tuple[str, float]:
    """Return `text` without how long something must last, and that in seconds; 0 if it says none."""
    found = _DURATION.search(text)
    if found is None:
        return text, 0.0
    amount = float(found[1]) if found[1] else 0.5 if found[2] else 1.0
    unit = found[4].rstrip("s") or "s"
    return text[: found.start()] + " " + text[found.end() :], amount * _UNITS[unit]


def mark(text: str) -> list[str]:
    """Return the words of `text`, its phrases as marks."""
    for pattern, replacement in _COMPILED:
        text = pattern.sub(replacement, text)
    return text.replace(",", " , ").split()
