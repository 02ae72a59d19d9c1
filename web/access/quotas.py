"""How many of a thing there may be at once, in all and for one caller.

A stream has one place, whoever feeds it. Who takes it over holds it together with the one before
until that one has let go: the newcomer is never refused for what it replaces, one that fails takes
nothing from the one before, and the end of the old one frees nothing of the new one's.
"""

import asyncio
from collections.abc import Callable, Collection, Hashable

from web.access.tokens import Caller
from web.errors import Full

MAX_TAKEOVERS = 4


def share(total: int, callers: int, chosen: int | None = None) -> int:
    """Return how many of `total` places one of `callers` may have.

    Args:
        total: How many there are.
        callers: How many tokens there are; 0 for a service without any.
        chosen: What was set; None for half, so that no token shuts out all others.
    """
    if chosen is not None:
        return chosen
    return total if callers < 2 else (total + 1) // 2


class Lease:
    """What one holder has of a place, to give back or to use with `with`."""

    def __init__(self, let_go: Callable[["Lease"], None], caller: Caller) -> None:
        self.caller = caller
        self._let_go = let_go

    def release(self) -> None:
        """Let go; the place is free once its last holder did. Safe to call twice."""
        self._let_go(self)

    def __enter__(self) -> "Lease":
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class Quota:
    """Counts who holds what.

    Args:
        kind: What is counted, in the plural, for the message.
        total: How many there may be.
        each: How many one caller may have.
        exempt: Callers without a limit of their own.
        own: Returns what was set for one caller alone, less than `each`; None for nothing.
    """

    def __init__(
        self,
        kind: str,
        *,
        total: int,
        each: int,
        exempt: Collection[Caller] = (),
        own: Callable[[Caller], int | None] = lambda _: None,
    ) -> None:
        self._kind = kind
        self._total = total
        self._each = each
        self._exempt = exempt
        self._own = own
        self._held: dict[Lease, Hashable] = {}
        self._closed: str | None = None
        self._empty = asyncio.Event()
        self._empty.set()

    def __len__(self) -> int:
        return len(set(self._held.values()))

    def acquire(self, what: Hashable, caller: Caller) -> Lease:
        """Give `caller` a place for `what`, shared with those who hold it already.

        Raises:
            Full: If the limit in all or the caller's own is reached, `MAX_TAKEOVERS` hold it, or no
                places are given any more.
        """
        if self._closed is not None:
            raise Full(self._closed)
        if len({held for held in self._held.values() if held != what}) >= self._total:
            raise Full(f"All {self._total} places for {self._kind} are taken; try again soon.")
        own = {held for place, held in self._held.items() if place.caller == caller} - {what}
        if (most := self._own(caller)) is not None and len(own) >= most:
            text = f"This token may have {most} {self._kind} at once; end one first."
            raise Full(text, of_token=True)
        if len(own) >= self._each and caller not in self._exempt:
            raise Full(f"This token has its {self._each} {self._kind} already; end one first.")
        # Else one name could be connected to without a bound, each connection ending the last.
        if list(self._held.values()).count(what) >= MAX_TAKEOVERS:
            raise Full("Others are taking this over just now; try again soon.")
        place = Lease(self._let_go, caller)
        self._held[place] = what
        self._empty.clear()
        return place

    def close(self, reason: str) -> None:
        """Give no places any more, and say why; those that are held stay."""
        self._closed = reason

    async def wait_empty(self) -> None:
        """Wait until nobody holds a place."""
        await self._empty.wait()

    def _let_go(self, place: Lease) -> None:
        self._held.pop(place, None)
        if not self._held:
            self._empty.set()
