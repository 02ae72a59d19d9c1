"""What the way in needs of an issuer of tokens; with none it needs no library either."""

from collections.abc import Iterator
from typing import Protocol

from web.access.tokens import Caller


class TokenIssuer(Protocol):
    """Somebody whose tokens let in."""

    @property
    def trusted(self) -> bool:
        """Whether there is one."""

    async def find(self, token: str) -> Caller | None:
        """Return who holds `token`; None if it is none of this issuer's, or is too old.

        Raises:
            Refusal: 503 if the issuer's keys cannot be had.
        """

    def callers(self) -> Iterator[Caller]:
        """Yield who was let in, the newest first."""

    def end_expired(self) -> None:
        """End what is open with tokens that are good no more."""


class NoIssuer:
    """Nobody's tokens let in but our own."""

    trusted = False

    async def find(self, token: str) -> Caller | None:
        """Return nobody."""

    def callers(self) -> Iterator[Caller]:
        """Yield nobody."""
        return iter(())

    def end_expired(self) -> None:
        """Do nothing."""
