"""Ends an answer where a client's `stop` stands in it, also where that comes in two pieces."""

from collections.abc import Sequence


class StopWords:
    """What may be said of an answer as it comes.

    Args:
        words: The first of them that comes ends the answer; it is not said.

    Attributes:
        met: Whether one has come.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.met = False
        self._words = words
        self._held = ""

    def take(self, text: str) -> str:
        """Return what may be said now that `text` has come; what may begin a stop word is held back."""
        if self.met:
            return ""
        self._held += text
        places = [at for word in self._words if (at := self._held.find(word)) >= 0]
        if places:
            self.met = True
            said, self._held = self._held[: min(places)], ""
            return said
        free = len(self._held) - max(map(self._begun, self._words), default=0)
        said, self._held = self._held[:free], self._held[free:]
        return said

    def rest(self) -> str:
        """Return what was held back, at the end of the answer."""
        said, self._held = self._held, ""
        return said

    def _begun(self, word: str) -> int:
        """Return how many letters of `word` what is held ends with."""
        lengths = range(min(len(word) - 1, len(self._held)), 0, -1)
        return next((n for n in lengths if self._held.endswith(word[:n])), 0)
