"""What a watch waits for, as values that a person can read and change.

A clip fulfils a condition if it shows everything of `positive` and nothing of `negative`. The words
are those of the model's vocabulary, or broader ones ("animal"), by name: numbers of words change
when the vocabulary grows, and watches outlive that.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from model.vision.vocabulary import COLOURS, WordTable, with_article
from stream.errors import BadInput

MOST_COUNTED = 5
"""What "more than four" is counted as: beyond it numbers are not told apart."""
_PLACES = ("left", "right", "top", "bottom", "middle")
_MOVES = ("left", "right", "up", "down")
MOST_CLAUSES = 8
MOST_WORDS = 8
ABSENCE_SECONDS = 60.0
"""How long nothing of a kind must be there where no time is named: less is missed by the eye."""
LONGEST_HOLD = 7 * 24 * 3600.0
_COUNTED = ("no", "one", "two", "three", "four")


@dataclass(frozen=True, slots=True)
class Clause:
    """One kind of thing.

    Attributes:
        words: Names, singular: any of them counts.
        at_least: How many; 5 is "more than four".
        colour: A name in `COLOURS`; None is any.
        movement: `left`, `right`, `up` or `down`; None is any, also none.
        place: One or two of `_PLACES`, such as `top left`; None is anywhere.
    """

    words: tuple[str, ...]
    at_least: int = 1
    colour: str | None = None
    movement: str | None = None
    place: str | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """What a watch waits for.

    Attributes:
        positive: What has to be seen, all of it.
        negative: What must not be seen, none of it.
        hold_s: Seconds that it has to last.
        after_seen: Whether `negative` counts only once it was seen: "gone", not "not there".
    """

    positive: tuple[Clause, ...] = ()
    negative: tuple[Clause, ...] = ()
    hold_s: float = 0.0
    after_seen: bool = False


def check(condition: Condition, table: WordTable) -> None:
    """Make sure that `condition` can be watched for with the words of `table`.

    Raises:
        BadInput: If it cannot; the message says why.
    """
    clauses = (*condition.positive, *condition.negative)
    if not 0 < len(clauses) <= MOST_CLAUSES:
        raise BadInput(f"a watch has 1 to {MOST_CLAUSES} clauses, not {len(clauses)}")
    if not 0 <= condition.hold_s <= LONGEST_HOLD:
        raise BadInput(f"hold_s is 0 to {LONGEST_HOLD:g} seconds, not {condition.hold_s:g}")
    if condition.after_seen and not condition.negative:
        raise BadInput("after_seen needs a negative clause: something that may be gone")
    known = {name for word in table.words for name in (word.name, *word.broader)}
    for clause in clauses:
        _check_clause(clause, known)


def _check_clause(clause: Clause, known: set[str]) -> None:
    if not 0 < len(clause.words) <= MOST_WORDS:
        raise BadInput(f"a clause has 1 to {MOST_WORDS} words, not {len(clause.words)}")
    if unknown := [word for word in clause.words if word not in known]:
        raise BadInput(f"{unknown[0]!r} is not in the model's vocabulary")
    if not 1 <= clause.at_least <= MOST_COUNTED:
        raise BadInput(
            f"at_least is 1 to {MOST_COUNTED} ({MOST_COUNTED} is more than four), not {clause.at_least}"
        )
    if clause.colour is not None and clause.colour not in COLOURS:
        raise BadInput(f"{clause.colour!r} is not one of the colours {', '.join(COLOURS)}")
    if clause.movement is not None and clause.movement not in _MOVES:
        raise BadInput(f"movement is one of {', '.join(_MOVES)}, not {clause.movement!r}")
    places = () if clause.place is None else tuple(clause.place.split(" "))
    if clause.place is not None and not (len(places) <= 2 and set(places) <= set(_PLACES)):
        raise BadInput(f"place is one or two of {', '.join(_PLACES)}, not {clause.place!r}")


def describe(condition: Condition, table: WordTable) -> str:
    """Say in a sentence what is waited for, so that a person can see what was understood."""
    seen = [_one(clause, table) for clause in condition.positive]
    unseen = [_one(clause, table, none=True) for clause in condition.negative]
    said = " and ".join(part for part in (_joined(seen), _joined(unseen)) if part)
    if condition.after_seen:
        said += " after that was seen"
    if condition.hold_s:
        said += f", for {_duration(condition.hold_s)}"
    return said


def _duration(seconds: float) -> str:
    """Return "90 seconds", "5 minutes", "1 hour"."""
    for unit, length in (("hour", 3600), ("minute", 60), ("second", 1)):
        if seconds >= length and seconds % length == 0:
            count = round(seconds / length)
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{seconds:g} seconds"


def _joined(parts: Iterable[str]) -> str:
    return " and ".join(parts)


def _one(clause: Clause, table: WordTable, *, none: bool = False) -> str:
    count, several = clause.at_least, clause.at_least > 1 or none
    names = " or ".join(_plural(w, table) if several else with_article(w) for w in clause.words)
    if clause.colour:
        names = _coloured(names, clause.colour)
    if count > 1:
        limit = _COUNTED[count] if count < MOST_COUNTED else "five"
        most = "more than four" if count == MOST_COUNTED else f"at least {limit}"
        names = f"fewer than {limit} {names}" if none else f"{most} {names}"
    elif none:
        names = f"no {names}"
    where = f" moving {clause.movement}" if clause.movement else ""
    where += f" {_in_place(clause.place)}" if clause.place else ""
    return names + where


def _in_place(place: str) -> str:
    return f"in the {place}" if place == "middle" else f"at the {place}"


def _coloured(names: str, colour: str) -> str:
    if names.startswith(("a ", "an ")):
        return with_article(f"{colour} {names.split(' ', 1)[1]}")
    return f"{colour} {names}"


def _plural(word: str, table: WordTable) -> str:
    number = table.number.get(word)
    return f"{word}s" if number is None else table[number].plural
