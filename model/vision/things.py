"""What a clip shows, as things with words: the part of its tokens that people could read.

`lite` keeps of every clip a few *things* beside its visual tokens: which word, how sure, how many,
what colour, where, which way. They are numbers in the clip's tokens (`pack`, `unpack`), the same
whatever language model reads them; `caption` spells them out in the words of one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from model.vision.vocabulary import COLOURS, COUNTS, MANY, WordTable

MOVEMENTS = ("left", "right", "up", "down")
CODE = 12
"""Numbers that a thing takes: word, sureness, kind, sureness of the kind, count, colour, movement,
place from the left and from the top, width, height, one to spare."""
NONE = -1.0
SURE = 0.5
"""From this sureness on a thing is said plainly, below it "perhaps"."""
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing, or several of a kind, that a clip shows.

    Attributes:
        word: Number of its word.
        sure: How sure that is, 0 to 1.
        kind: The ImageNet class that says which kind; None if that is not sure.
        count: How many; 5 is more than four.
        colour: Number of its colour; None if it has no clear one.
        movement: Number in `MOVEMENTS`; None if it stays or that is not clear.
        x: Its middle, from the left, 0 to 1.
        y: Its middle, from the top, 0 to 1.
        width: Share of the frame's width.
        height: Share of the frame's height.
    """

    word: int
    sure: float = 1.0
    kind: int | None = None
    count: int = 1
    colour: int | None = None
    movement: int | None = None
    x: float = 0.5
    y: float = 0.5
    width: float = 0.5
    height: float = 0.5


def pack(things: Sequence[Thing], rows: int) -> Float[Tensor, "rows code"]:
    """Return the first `rows` of `things` as numbers; a row without a thing begins with -1."""
    packed = torch.full((rows, CODE), NONE)
    for row, thing in zip(packed, things, strict=False):
        row[:11] = torch.tensor(
            [
                thing.word,
                thing.sure,
                _number(thing.kind),
                0.0,
                thing.count,
                _number(thing.colour),
                _number(thing.movement),
                thing.x,
                thing.y,
                thing.width,
                thing.height,
            ]
        )
    return packed


def unpack(packed: Float[Tensor, "rows code"]) -> list[Thing]:
    """Return the things that `pack` was given, as exactly as half precision keeps them."""
    return [
        Thing(
            word=round(row[0]),
            sure=row[1],
            kind=_optional(row[2]),
            count=round(row[4]),
            colour=_optional(row[5]),
            movement=_optional(row[6]),
            x=row[7],
            y=row[8],
            width=row[9],
            height=row[10],
        )
        for row in packed.tolist()
        if row[0] >= 0
    ]


def place_of(thing: Thing) -> str:
    """Return where a thing is: such as `top left`, `left` or `middle`."""
    column, row = (min(max(int(at * 3), 0), 2) for at in (thing.x, thing.y))
    words = [("top", "", "bottom")[row], ("left", "", "right")[column]]
    return " ".join(word for word in words if word) or "middle"


def caption(
    things: Sequence[Thing], table: WordTable, plain: Callable[[str], Sequence[int]], room: int
) -> list[int]:
    """Spell `things` in at most `room` text tokens: all names first, then what else is known.

    Args:
        things: Surest first.
        table: Their words.
        plain: Text to tokens.
        room: Most tokens.
    """
    slots: list[dict[str, Sequence[int]]] = []
    left = room
    for thing in things[:_MOST_NAMED]:
        fields = {name: plain(text) for name, text in _names(thing, table, first=not slots)}
        needed = sum(map(len, fields.values()))
        if needed > left:
            break
        slots.append(fields)
        left -= needed
    for number, name, text in _details(things[: len(slots)], table):
        tokens = plain(text)
        if len(tokens) <= left:
            slots[number][name] = tokens
            left -= len(tokens)
    return [t for fields in slots for name in _ORDER if name in fields for t in fields[name]]


_ORDER = ("comma", "perhaps", "count", "colour", "name", "kind", "place", "movement")


def _names(thing: Thing, table: WordTable, *, first: bool) -> Iterator[tuple[str, str]]:
    word = table[thing.word]
    if not first:
        yield "comma", ","
    if thing.sure < SURE:
        yield "perhaps", " perhaps"
    if thing.count > 1:
        yield "count", f" {COUNTS[thing.count] if thing.count < len(COUNTS) else MANY}"
    yield "name", f" {word.plural if thing.count > 1 else word.name}"


def _details(things: Sequence[Thing], table: WordTable) -> Iterator[tuple[int, str, str]]:
    """Yield what more is known, the most asked for first: number of the thing, field, text."""
    for number, thing in enumerate(things):
        if thing.sure < SURE:
            continue
        if thing.colour is not None:
            yield number, "colour", f" {COLOURS[thing.colour]}"
        if thing.movement is not None:
            yield number, "movement", f" moving {MOVEMENTS[thing.movement]}"
        if number == 0 and thing.kind is not None and table.kinds[thing.kind]:
            yield number, "kind", f" ({table.kinds[thing.kind]})"
        if thing.count == 1:
            yield number, "place", f" at {place_of(thing)}"


def _number(value: int | None) -> float:
    return NONE if value is None else float(value)


def _optional(value: float) -> int | None:
    return None if value < 0 else round(value)
