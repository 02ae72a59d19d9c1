"""Finds the words of the model's vocabulary in what people write: plurals, other words, broader ones."""

import difflib
from collections.abc import Sequence

from model.vision.vocabulary import WordTable

_LONGEST_NAME = 4
"""Words in the longest name that is looked for: `hot air balloon`."""
_PEOPLE = "somebody someone anybody anyone everybody everyone persons women men children kids"


class Lexicon:
    """Names of things, as people write them.

    Args:
        table: The model's vocabulary.
    """

    def __init__(self, table: WordTable) -> None:
        self.table = table
        self._names = _names_of(table)

    def find(self, tokens: Sequence[str], at: int) -> tuple[tuple[str, ...], int]:
        """Return the words of the longest name that begins at `at`, and how many tokens it takes.

        Without one: no words, and 0.
        """
        for length in range(min(_LONGEST_NAME, len(tokens) - at), 0, -1):
            words = self._names.get(" ".join(tokens[at : at + length]))
            if words:
                return words, length
        return (), 0

    def close(self, name: str) -> list[str]:
        """Return up to three names that are spelled much like `name`."""
        return difflib.get_close_matches(name, self._names, n=3, cutoff=0.8)


def _names_of(table: WordTable) -> dict[str, tuple[str, ...]]:
    """Return what each name stands for; of one that stands for several things the plainest."""
    names: dict[str, tuple[str, ...]] = {}
    for word in table.words:
        for other in word.others:
            names[other] = (*names.get(other, ()), word.name)
    names |= {broader: (broader,) for word in table.words for broader in word.broader}
    names |= {word.name: (word.name,) for word in table.words}
    plurals = {_plural(name): words for name, words in names.items()}
    plurals |= {word.plural: (word.name,) for word in table.words}
    people = {name: ("person",) for name in _PEOPLE.split() if "person" in table.number}
    return plurals | names | people


def _plural(name: str) -> str:
    if name.endswith(("s", "x", "ch", "sh")):
        return f"{name}es"
    if name.endswith("y") and name[-2:-1] not in "aeiou":
        return f"{name[:-1]}ies"
    return f"{name}s"
