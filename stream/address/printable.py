"""Names of files, fit to be shown: a name may hold anything but a slash, also what steers a terminal."""

import unicodedata

_JOINERS = "\u200c\u200d"
"""Between the letters of Persian words, and between the people of a family of emoji."""


def printable(path: str) -> str:
    """Return `path` for terminals and JSON: what steers them, or is not text, is escaped."""
    return "".join(map(_escaped, path))


def _escaped(character: str) -> str:
    harmless = character in _JOINERS or unicodedata.category(character) == "Zs"
    if character.isprintable() or harmless:
        return character
    return character.encode("unicode_escape").decode()
