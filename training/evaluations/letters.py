"""Which option an answer names: exactly, and as each public harness reads it.

The harnesses read the same words differently ("A cat." is the letter A to most of them), which moves
results by points. `exact` takes a letter only where it stands as one.

Sources: the harness in the VideoChat-Flash repository (https://github.com/OpenGVLab/VideoChat-Flash)
and lmms-eval (https://github.com/EvolvingLMMs-Lab/lmms-eval).
"""

import random
import re
import string
from collections.abc import Sequence

LETTERS = string.ascii_uppercase
_ALONE = re.compile(r"^\W*(?:(?:the )?(?:best |correct )?(?:answer|option)(?: is)?:?\s*)?\(?([A-Za-z])\)?(?:[.:,)]|\s*$)", re.IGNORECASE)  # fmt: skip
_LETTERED = re.compile(r"\(?([A-Z])[.):]\)?\s*")
_SPACED_OUT = ';/[]"{}()=+\\_->@`,?!<'
VIDEOMME_PHRASES = ("The best answer is", "The correct answer is", "The answer is", "The answer", "The best option isThe correct option is", "Best answer:Best option:")  # fmt: skip


def exact(answer: str, options: Sequence[str]) -> str:
    """Return the letter that `answer` is, or whose option it repeats word by word; else nothing.

    `B`, `(b)`, `B.`, `B) a cat`, `Answer: B` are B. `A cat` is the article, not the letter.
    """
    allowed = LETTERS[: len(options)]
    if (found := _ALONE.match(answer.strip())) and found[1].upper() in allowed:
        return found[1].upper()
    said = _words(answer)
    same = [
        letter for letter, option in zip(allowed, options, strict=True) if said == _words(option)
    ]
    return same[0] if len(same) == 1 else ""


def anywhere(answer: str) -> str:
    """Return the first of A to E that stands alone anywhere, as VideoChat-Flash's harness reads.

    In lower case, too, so that "a cat" is A. Without a letter, all that was said, in lower case.
    """
    if listed := re.match(r"^([A-E])\.\s*(.+)$", answer.strip(), re.IGNORECASE):
        return listed[1].upper()
    text = _depunctuated(re.sub(r"[\n\t]", " ", answer).strip())
    text = text.strip("'").strip('"').strip(")").strip("(").strip().lower()
    found = re.search(r"\b([a-e])\b", text)
    return found[1].upper() if found else text


def capital(answer: str, allowed: str) -> str:
    """Return the first of the capitals `allowed` that stands alone; nothing without one."""
    found = re.search(rf"\b([{allowed}])\b", answer.strip())
    return found[1] if found else ""


def videomme(answer: str) -> str:
    """Return the first capital A to D, even inside of a word, as Video-MME's own script reads."""
    text = answer.strip()
    for phrase in VIDEOMME_PHRASES:
        text = text.replace(phrase, "")
    found = re.search(r"[ABCD]", text)
    return found[0] if found else ""


def guessed(answer: str, options: Sequence[str], key: str) -> str:
    """Return the letter as LongVideoBench's harness (MMMU's) reads: at random if it finds none.

    Chance depends on `key` alone here, so that a run can be repeated.
    """
    allowed = LETTERS[: len(options)]
    text = answer
    for mark in ",.!?;:'":
        text = text.strip(mark)
    text = f" {text} "
    for pattern, place in (("({})", "({})"), ("{} ", " {} "), ("{}.", " {} ")):
        if found := [letter for letter in allowed if pattern.format(letter) in text]:
            return max(found, key=lambda letter: text.rfind(place.format(letter)))
    if len(text.split()) > 5:
        lower = text.lower()
        named = [n for n, option in enumerate(options) if option.lower() in lower]
        if named:
            return allowed[max(named, key=lambda n: lower.rfind(options[n].lower()))]
    return random.Random(key).choice(allowed)


def prioritised(answer: str, allowed: str) -> str:
    """Return the letter as lmms-eval reads: the last one in the surest form, then any."""
    text = answer.strip()
    for mark in ",.!?;:'\"":
        text = text.strip(mark)
    for form in (
        rf"^\(?([{allowed}])\)?(?=[.:)\s]|$)",
        rf"\b([{allowed}])$",
        rf"(?:answer|option|choice) is:?\s*\(?([{allowed}])\b",
        rf"\(([{allowed}])\)",
        rf"\b([{allowed}])\.",
        rf"\b([{allowed}]):",
        rf"\b([{allowed}])\)",
        rf"\b([{allowed}])\s",
    ):
        if found := re.findall(form, text, re.IGNORECASE if "answer" in form else 0):
            return str(found[-1]).upper()
    return ""


def listed(options: Sequence[str], form: str = "({}) {}") -> str:
    """Return the options, one a line, lettered."""
    return "\n".join(form.format(*pair) for pair in zip(LETTERS, options, strict=False))


def unlettered(options: Sequence[str]) -> list[str]:
    """Return options without the letters that some benchmarks put before them; as they are if one has another or none."""
    found = [_LETTERED.match(option) for option in options]
    if all(one and one[1] == letter for one, letter in zip(found, LETTERS, strict=False)):
        return [option[one.end() :] for one, option in zip(found, options, strict=True) if one]
    return list(options)


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def _depunctuated(text: str) -> str:
    numbers = re.search(r"\d,\d", text) is not None
    out = text
    for mark in _SPACED_OUT:
        beside_space = f"{mark} " in text or f" {mark}" in text
        out = out.replace(mark, "" if beside_space or numbers else " ")
    return re.sub(r"\.(?!\d)", "", out)
