"""How many of a thing there may be at once, in all and for one caller.

A place is given back by whoever took it, on every kind of end; taking twice or giving back twice
is harmless, so a slot cannot leak into "too many users" said to the only user.
"""

from collections.abc import Hashable

from web.security import Caller


class Full(Exception):
    """There is no place left; the message says whose limit it is."""


class Places:
    """Counts who holds what.

    Args:
        kind: What is counted, in the plural, for the message.
        in_all: How many there may be.
        each: How many one caller may have.
    """

    def __init__(self, kind: str, *, in_all: int, each: int) -> None:
        self._kind = kind
        self._in_all = in_all
        self._each = each
        self._held: dict[Hashable, Caller] = {}

    def __len__(self) -> int:
        return len(self._held)

    def take(self, what: Hashable, caller: Caller) -> None:
        """Give `caller` a place for `what`; it may have it already.

        Raises:
            Full: If the limit in all or the caller's own is reached.
        """
        others = [holder for held, holder in self._held.items() if held != what]
        if len(others) >= self._in_all:
            raise Full(f"All {self._in_all} places for {self._kind} are taken; try again soon.")
        if others.count(caller) >= self._each:
            raise Full(f"This token has its {self._each} {self._kind} already; end one first.")
        self._held[what] = caller

    def give_back(self, what: Hashable) -> None:
        """Free the place of `what`, if it has one."""
        self._held.pop(what, None)
