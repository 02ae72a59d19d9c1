"""Parses a request ("Tell me when the dog has been gone for five minutes") into a condition.

It is read by rules over the model's vocabulary, once, when a watch is made: the person sees what was
understood and may change it. What no rule and no word covers is listed, never guessed.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from model.vision.vocabulary import COLOURS
from stream.errors import BadInput
from stream.watches.condition import ABSENCE_SECONDS, Condition, check
from stream.watches.words.lexicon import Lexicon
from stream.watches.words.phrases import mark, take_duration, tidy
from stream.watches.words.reading import ClauseReading, take_mark

LONGEST_REQUEST = 500
_EXAMPLE = "Tell me when a person is there"
_NO_THING = (
    (
        r"\b(?:something|anything|things?) (?:moves?|is moving|happens?|changes?)\b|\b(?:motion|movement)\b|\bhappens?\b",
        "Movement or change of any kind is not watched for: name what moves, such as “when a person or a car is there”.",
    ),
    (
        r"\b(?:it |it is )?(?:gets?|getting|becomes?) (?:too )?(?:dark|bright|light)(?:er)?\b|\b(?:darkness|nightfall|sunset|sunrise)\b"
        r"|\b(?<!traffic )lights? (?:is |are )?(?:turned |switched |turns? |go(?:es)? )?o(?:n|ff|ut)\b"
        r"|\bcamera (?:is |goes |gets |was )?(?:covered|blocked|moved|offline|black|dark|blurred|blurry)\b",
        "Light, dark and the state of the camera are not watched for: only things in the picture are.",
    ),
    (
        r"\b(?:hear|hears|heard|noise|noises|sound|sounds|cries|crying|barks?|barking|rings?|ringing|scream\w*|shout\w*|alarm goes off)\b",
        "Nothing is heard: only things in the picture are watched for.",
    ),
)
"""What people ask for that no thing in a picture stands for, and what to tell them."""
_JOINING_WORDS = """
    a an the any some this that these those it its there here of is are was were be been being has
    have had do does did will i we you me us my our your he she they them can see sees seen appear
    appears appeared visible present show shows shown up comes come coming enters enter entering arrives
    arrive arriving detected spotted noticed found exists exist when whenever if then also both too and
    but with , . just now again ever more than which who somewhere anywhere thing things time"""
_PLACING_WORDS = """
    at in on by near beside behind under over above below inside outside next front around across
    through onto into off between along to from"""
_CONNECTING = frozenset(_JOINING_WORDS.split())
_PREPOSITIONS = frozenset(_PLACING_WORDS.split())
_DETERMINERS = frozenset({"the", "a", "an", "my", "our", "your", "of", "this", "that", "to"})


@dataclass(frozen=True, slots=True)
class Understood:
    """What was made of a request.

    Attributes:
        condition: What is watched for.
        unmatched: Parts of the request that no clip can be matched on.
        notes: Sentences that the person should read beside it.
    """

    condition: Condition
    unmatched: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def understand(
    text: str, lexicon: Lexicon, *, done: str = "watched for", example: str = _EXAMPLE
) -> Understood:
    """Return what `text` asks to be told of.

    Args:
        text: The request.
        lexicon: The words of the model.
        done: What is done with it, for what is said where nothing in it can be.
        example: How one would say it, for the same.

    Raises:
        BadInput: If there is nothing in it that can be watched for.
    """
    if not text.strip() or len(text) > LONGEST_REQUEST:
        raise BadInput(
            f"Say in 1 to {LONGEST_REQUEST} letters what you want to be told of.",
        )
    rest, hold = take_duration(tidy(text))
    rest, no_things, notes = _without_no_things(rest)
    reading = _read(mark(rest), lexicon)
    if not (reading.positive or reading.negative):
        raise BadInput(" ".join(notes) or _why(reading.unmatched, lexicon, done, example))
    if not (hold or reading.positive):
        hold = ABSENCE_SECONDS
    condition = Condition(
        tuple(reading.positive), tuple(reading.negative), hold, after_seen=reading.after_seen
    )
    check(condition, lexicon.table)
    unmatched = tuple(dict.fromkeys((*reading.unmatched, *no_things)))
    return Understood(condition, unmatched, (*reading.notes, *notes))


def _read(tokens: list[str], lexicon: Lexicon) -> ClauseReading:
    reading, at = ClauseReading(), 0
    while at < len(tokens):
        part = tokens[at]
        if part.startswith("@"):
            take_mark(reading, part)
            at += 1
        elif part == "or":
            reading.alternative = bool(reading.newest)
            at += 1
        elif part in _PREPOSITIONS:
            at += _where(reading, tokens, at, lexicon)
        elif length := _colours(tokens, at, lexicon):
            _take_colours(reading, tokens[at : at + length])
            at += length
        else:
            at += _take_name(reading, tokens, at, lexicon)
    return reading


def _take_name(reading: ClauseReading, tokens: list[str], at: int, lexicon: Lexicon) -> int:
    words, length = lexicon.find(tokens, at)
    if words and lexicon.find(tokens, at + length)[1]:  # "fire truck": a kind of the second
        reading.unmatched.append(" ".join(tokens[at : at + length]))
        return length
    if words:
        reading.add(words)
        return length
    if tokens[at] not in _CONNECTING:
        reading.unmatched.append(tokens[at])
    return 1


def _colours(tokens: list[str], at: int, lexicon: Lexicon) -> int:
    """Return how many tokens from `at` on say of what colour a name behind them is."""
    end = at
    while tokens[end : end + 1] and tokens[end] in (*COLOURS, "and", "or"):
        end += 1
    named = tokens[at] in COLOURS and lexicon.find(tokens, end)[1] > 0
    return end - at if named else 0


def _take_colours(reading: ClauseReading, tokens: list[str]) -> None:
    if "or" in tokens:
        raise BadInput("Of several colours one is watched for at a time: make a watch of each.")
    if len(tokens) > 1:
        reading.unmatched.append(" ".join(tokens))
        reading.notes.append("A thing of several colours is matched in any colour.")
    else:
        reading.colour = tokens[0]


def _where(reading: ClauseReading, tokens: list[str], at: int, lexicon: Lexicon) -> int:
    """Put a phrase such as "at the door" aside: where one thing is to another cannot be matched."""
    end = at + 1
    while end < len(tokens) and (tokens[end] in _DETERMINERS or tokens[end] in COLOURS):
        end += 1
    if (
        end == len(tokens)
        or tokens[end].startswith("@")
        or tokens[end] in _CONNECTING | _PREPOSITIONS
    ):
        if any(part in COLOURS for part in tokens[at:end]):  # "in red"
            reading.unmatched.append(" ".join(tokens[at:end]))
        return end - at  # "comes in", "is on"
    end += lexicon.find(tokens, end)[1] or 1
    reading.unmatched.append(" ".join(tokens[at:end]))
    return end - at


def _without_no_things(text: str) -> tuple[str, list[str], list[str]]:
    """Return `text` without what no thing stands for, that, and what to tell who asks for it."""
    cut, told = list[str](), list[str]()
    for pattern, said in _NO_THING:
        if found := re.search(pattern, text):
            text = f"{text[: found.start()]} {text[found.end() :]}"
            cut.append(found[0].strip())
            told.append(said)
    return text, cut, told


# Each is compared with all names: of a request of hundreds of odd words it would take a second.
_MOST_QUOTED = 4


def _why(unmatched: Iterable[str], lexicon: Lexicon, done: str, example: str) -> str:
    said = f"Nothing in this can be {done}"
    words = list(dict.fromkeys(word for word in unmatched if word not in _CONNECTING))[
        :_MOST_QUOTED
    ]
    if not words:
        return f'{said}: name a thing, such as in "{example}".'
    quoted = ", ".join(f'"{word}"' for word in words)
    verb = "is" if len(words) == 1 else "are"
    return " ".join(
        [f"{said}: {quoted} {verb} not in the model's vocabulary.", *_hints(words, lexicon)]
    )


def _hints(unmatched: Iterable[str], lexicon: Lexicon) -> list[str]:
    close = {word: lexicon.close(word) for word in unmatched}
    return [f'For "{word}" there is {", ".join(names)}.' for word, names in close.items() if names]
