"""How often an address may try tokens that are none of ours.

A token that we make cannot be guessed, one that somebody chose can. So an address that has shown
some wrong ones has to wait. Others may share it, behind a proxy or a router: a token that was
right there before stays right, and a program that repeats one wrong token counts once.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv6Address, IPv6Network, ip_address

GUESSES = 10
PAUSE_SECONDS = 60.0
ADDRESSES = 4096
"""Addresses that are known; beyond that, whichever was heard of longest ago is forgotten."""
_OF_ONE_CUSTOMER = 64
"""Bits: whoever has an IPv6 address has all those that begin with them."""


@dataclass(slots=True)
class _Tries:
    """What one address has shown.

    Attributes:
        since: When the first of the wrong tokens came.
        wrong: Their digests.
        right: The names of callers who were let in.
    """

    since: float = 0.0
    wrong: set[bytes] = field(default_factory=set)
    right: set[str] = field(default_factory=set)


class Guesses:
    """Counts the tokens that each address shows.

    Args:
        monotonic: Seconds that never go back.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._tries: OrderedDict[str, _Tries] = OrderedDict()

    def pause(self, address: str, name: str | None) -> float:
        """Return how many seconds `address` has to wait before a token of its is believed.

        Args:
            address: Where it came from.
            name: Whose token it is; None for a wrong one. Who came from there before waits not.
        """
        tries = self._of(address)
        left = tries.since + PAUSE_SECONDS - self._monotonic()
        return left if len(tries.wrong) >= GUESSES and left > 0 and name not in tries.right else 0.0

    def right(self, address: str, name: str) -> None:
        """Note that `name` was let in from `address`."""
        self._of(address).right.add(name)

    def wrong(self, address: str, digest: bytes) -> None:
        """Note that `address` has shown a token that is none of ours, by its digest."""
        tries, now = self._of(address), self._monotonic()
        if now - tries.since >= PAUSE_SECONDS:
            tries.wrong.clear()
        if not tries.wrong:
            tries.since = now
        tries.wrong.add(digest)

    def _of(self, address: str) -> _Tries:
        key = _customer(address)
        tries = self._tries.setdefault(key, _Tries())
        self._tries.move_to_end(key)
        if len(self._tries) > ADDRESSES:
            self._tries.popitem(last=False)
        return tries


def _customer(address: str) -> str:
    """Return what stands for whoever has `address`; names of sockets are taken as they are."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(IPv6Network((found, _OF_ONE_CUSTOMER), strict=False))
