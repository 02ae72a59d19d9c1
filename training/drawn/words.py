"""The words that the vision encoder is taught to say with its tokens.

Before the language model is involved at all, every visual token is pulled towards the language
model's own input embeddings of the words that describe what the token covers: what it is, its
colour, where it is, which way it goes. Afterwards the language model finds, in place of pictures,
something close to words it knows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from tokenizers import Tokenizer
from torch import Tensor

from training.drawn.drawings import THINGS
from training.drawn.scenes import COLOURS, SHAPES
from training.drawn.takes import TakePart

NOTHING = "nothing"
NAMES = (*THINGS, *SHAPES, NOTHING)
UNTOLD = -100
"""A word group that does not apply."""

GROUPS: dict[str, tuple[str, ...]] = {
    "name": NAMES,
    "colour": tuple(COLOURS),
    # Not "left" and "right": those say where a thing is.
    "movement": ("west", "east", "north", "south", "frozen"),
    "column": ("left", "center", "right"),
    "row": ("top", "middle", "bottom"),
    "change": ("constant", "arriving", "gone"),
    "count": ("one", "two", "three", "four"),
}
MOVEMENTS = ("left", "right", "up", "down", "still")
CHANGES = (None, "appears", "disappears")


@dataclass(frozen=True, slots=True, eq=False)
class WordGroup:
    """The directions in embedding space that stand for the words of one group."""

    directions: Float[Tensor, "words hidden"]


def word_groups(
    embedding: Float[Tensor, "vocab hidden"], tokenizer: Tokenizer
) -> dict[str, WordGroup]:
    """Return every group's directions: its words' embeddings less their mean, at length 1."""
    groups = {}
    for name, words in GROUPS.items():
        rows = torch.stack([_embedded(word, embedding, tokenizer) for word in words])
        centred = rows - rows.mean(dim=0)
        groups[name] = WordGroup(torch.nn.functional.normalize(centred, dim=-1))
    return groups


def describe(seen: Sequence[TakePart]) -> dict[str, Int64[Tensor, " things"]]:
    """Return, for every group, each thing's word; `UNTOLD` where it has none."""
    columns: Mapping[str, list[int]] = {
        "name": [NAMES.index(s.thing.name) for s in seen],
        "colour": [_place(s.thing.colour, tuple(COLOURS)) for s in seen],
        "movement": [_place(s.movement, MOVEMENTS) for s in seen],
        "column": [_third(s.x, s) for s in seen],
        "row": [_third(s.y, s) for s in seen],
        "change": [CHANGES.index(s.change) for s in seen],
        "count": [s.count - 1 for s in seen],
    }
    return {group: torch.tensor(words, dtype=torch.long) for group, words in columns.items()}


def _embedded(word: str, embedding: Tensor, tokenizer: Tokenizer) -> Tensor:
    return embedding[tokenizer.encode(f" {word}", add_special_tokens=False).ids].float().mean(dim=0)


def _place(word: str | None, words: tuple[str, ...]) -> int:
    return UNTOLD if word is None else words.index(word)


def _third(at: float, seen: TakePart) -> int:
    """Return which third of the picture a thing stands in; untold of several or moving ones."""
    third = min(max(int(at * 3), 0), 2)
    near_border = min(abs(at - 1 / 3), abs(at - 2 / 3)) < 0.03
    unclear = seen.count > 1 or seen.movement not in {"still", None} or near_border
    return UNTOLD if unclear else third
