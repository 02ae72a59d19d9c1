"""The words that `lite` knows: what its image networks can tell apart, as people say it.

An image network names a thing as exactly as it can ("Chesapeake Bay retriever"); people say "a dog".
The table `words.tsv` gives every class of the networks its everyday word, with plural, broader
words ("animal") and other words for the same ("puppy"); the class's own name is the word's *kind*.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

IMAGENET_CLASSES, COCO_CLASSES = 1000, 80
COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "black", "white", "brown", "grey")  # fmt: skip
COUNTS = ("none", "one", "two", "three", "four")
MANY = "many"
"""How several are said when there are more than four."""


@dataclass(frozen=True, slots=True)
class Word:
    """One everyday word.

    Attributes:
        name: Singular.
        plural: Of several.
        broader: Words that are also right, such as "animal" for "dog".
        others: Other words for the same.
        kinds: What the ImageNet classes that it covers are called, by class.
        coco: The COCO classes that it covers.
        drawings: Drawn things that it covers, by their name in the drawing sets.
    """

    name: str
    plural: str
    broader: tuple[str, ...]
    others: tuple[str, ...]
    kinds: dict[int, str]
    coco: tuple[int, ...]
    drawings: tuple[str, ...]


class WordTable:
    """All words, by number and by what covers them."""

    def __init__(self, words: Sequence[Word]) -> None:
        self.words = tuple(words)
        self.number = {word.name: number for number, word in enumerate(words)}
        self.of_imagenet = [-1] * IMAGENET_CLASSES
        self.of_coco = [-1] * COCO_CLASSES
        self.of_drawing: dict[str, int] = {}
        self.kinds = [""] * IMAGENET_CLASSES
        for number, word in enumerate(words):
            for kind, name in word.kinds.items():
                self.of_imagenet[kind] = number
                self.kinds[kind] = name if name.lower() != word.name else ""
            for coco in word.coco:
                self.of_coco[coco] = number
            for drawing in word.drawings:
                self.of_drawing[drawing] = number

    def __len__(self) -> int:
        """Return how many words there are."""
        return len(self.words)

    def __getitem__(self, number: int) -> Word:
        """Return the word of that number."""
        return self.words[number]


@cache
def word_table() -> WordTable:
    """Return the table that comes with the product."""
    lines = (Path(__file__).parent / "words.tsv").read_text(encoding="utf-8").splitlines()
    return WordTable([_read(line) for line in lines if not line.startswith("#")])


def with_article(name: str) -> str:
    """Return "a dog", "an apple"; a plural or a stuff word ("broccoli", "blue jeans") as it is."""
    colour, _, rest = name.partition(" ")
    if (rest if colour in COLOURS else name) in _WITHOUT_ARTICLE:
        return name
    vowel = name[0].lower() in "aeiou" and not name.startswith(("uni", "eu", "ukulele"))
    return f"{'an' if vowel or name.startswith('hour') else 'a'} {name}"


def plurals_of(name: str) -> tuple[str, ...]:
    """Return what `name` may be called of several, by the rules of English: "men", "puppies", "boxes"; "boxs" as well."""
    first, gap, last = name.rpartition(" ")
    if last in _IRREGULAR:
        return f"{first}{gap}{_IRREGULAR[last]}", f"{name}s"
    if last.endswith("y") and last[-2:-1] not in {*"aeiou"}:
        return f"{name[:-1]}ies", f"{name}s"
    if last.endswith(("s", "x", "ch", "sh")):
        return f"{name}es", f"{name}s"
    return (f"{name}s",)


def in_words(word: Word, count: int, colour: int | None) -> str:
    """Return "a red car", "two people"; an orange is not said to be orange.

    Args:
        word: What it is.
        count: How many; more than `COUNTS` tells are many.
        colour: Number of the colour, if it has a clear one.
    """
    said = "" if colour is None or COLOURS[colour] == word.name else f"{COLOURS[colour]} "
    if count == 1:
        return with_article(f"{said}{word.name}")
    return f"{COUNTS[count] if count < len(COUNTS) else MANY} {said}{word.plural}"


_IRREGULAR = {
    "man": "men", "woman": "women", "child": "children", "calf": "calves", "foot": "feet", "goose": "geese",
    "mouse": "mice", "knife": "knives", "loaf": "loaves", "ox": "oxen", "wolf": "wolves", "leaf": "leaves",
}  # fmt: skip
_WITHOUT_ARTICLE = frozenset(
    [
        "scissors",
        "binoculars",
        "sunglasses",
        "jeans",
        "pajamas",
        "skis",
        "armor",
        "makeup",
        "broccoli",
        "bread",
        "hay",
        "pasta",
        "dough",
        "meat",
        "guacamole",
        "coffee",
        "eggnog",
        "wool",
        "cloth",
        "corn",
        "grapes",
        "cherries",
        "bars",
        "toilet paper",
        "mashed potato",
        "food",
        "fruit",
        "furniture",
        "clothing",
    ]
)


def _read(line: str) -> Word:
    columns = [*line.split("\t"), *[""] * 6][:7]
    name, plural, broader, others, kinds, coco, drawings = columns
    return Word(
        name,
        plural,
        _listed(broader),
        _listed(others),
        {int(n): kind for n, kind in (pair.split(":", 1) for pair in kinds.split("|") if pair)},
        tuple(int(n) for n in _listed(coco)),
        _listed(drawings),
    )


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(",") if part)
