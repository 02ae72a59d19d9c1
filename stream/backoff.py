"""How long to wait before the next try: longer each time, never together, never too long."""

import random
from collections.abc import Callable


class Backoff:
    """Doubles from `first` to `longest` seconds, less a random half of it.

    The random part keeps many sources that were lost together from coming back together.
    """

    def __init__(
        self, first: float, longest: float, chance: Callable[[], float] = random.random
    ) -> None:
        if not 0 < first <= longest:
            raise ValueError(f"waits must be ordered and positive: {first=} {longest=}")
        self._first = first
        self._longest = longest
        self._chance = chance
        self._next = first

    def next(self) -> float:
        """Return how many seconds to wait now."""
        wait, self._next = self._next, min(2 * self._next, self._longest)
        return wait * (1 - self._chance() / 2)

    def reset(self) -> None:
        """Begin anew: it worked."""
        self._next = self._first
