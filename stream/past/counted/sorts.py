"""The sorts of things that questions name: "animals", "vehicles", with the words of each."""

from functools import cache

from model.vision.vocabulary import WordTable


@cache
def sorts(table: WordTable) -> dict[str, frozenset[int]]:
    """Return the words of every sort, by its plural and its name."""
    words: dict[str, set[int]] = {}
    for number, word in enumerate(table.words):
        for sort in word.broader:
            alike = {number, table.number[sort]} if sort in table.number else {number}
            for form in (sort, _plural(sort)):
                words.setdefault(form, set()).update(alike)
    return {name: frozenset(numbers) for name, numbers in words.items()}


def _plural(sort: str) -> str:
    irregular = {"clothing": "clothes", "furniture": "pieces of furniture", "fish": "fish"}
    return irregular.get(sort, f"{sort}s")
