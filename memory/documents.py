"""The contract of a document store: small JSON documents that outlive the process, beside the clips.

What people ask for once and expect to be there tomorrow (watches, what they told, what waits to be
delivered) is kept here. A kind of documents is bounded by whoever writes it: what is lowest in order
makes room.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

Document: TypeAlias = Mapping[str, Any]
LARGEST_DOCUMENT = 64 * 1024
"""Bytes of one document as JSON."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One document that is kept.

    Attributes:
        key: Its name, unique in its kind.
        order: Where it stands among its kind, such as the Unix second that it is about.
        document: Its fields.
    """

    key: str
    order: float
    document: Document


class DocumentStore(Protocol):
    """JSON documents by kind and key, in an order that their writer gives them.

    Every method raises `StoreUnavailable` if the store cannot be reached.
    """

    async def put(self, kind: str, kept: Entry, keep: int) -> None:
        """Keep a document in the place of the one of its key.

        Args:
            kind: Letters, digits and `-`.
            kept: The document.
            keep: Documents of the kind that stay; beyond it the lowest in order are dropped.

        Raises:
            StoreError: If it is larger than `LARGEST_DOCUMENT`.
            StoreFull: If there is no room.
        """
        ...

    async def get(self, kind: str, key: str) -> Entry | None:
        """Return the document of that key; None if there is none."""
        ...

    async def newest(self, kind: str, limit: int, after: float = float("-inf")) -> list[Entry]:
        """Return up to `limit` documents, the highest in order first, all above `after`.

        A document that cannot be read is passed over and logged.
        """
        ...

    async def lowest(self, kind: str, limit: int) -> list[Entry]:
        """Return up to `limit` documents, the lowest in order first; see `newest`."""
        ...

    async def remove(self, kind: str, key: str) -> bool:
        """Drop a document; return whether there was one."""
        ...

    async def add(
        self, kind: str, key: str, amounts: Mapping[str, int], base: Mapping[str, int]
    ) -> dict[str, int]:
        """Add `amounts` to numbers that several processes count in, and return what they are now.

        Args:
            kind: As of a document.
            key: Whose numbers.
            amounts: What to add, by name; 0 only asks.
            base: What a number begins with that is not kept yet; of the same names.

        Raises:
            StoreFull: If there is no room.
        """
        ...

    async def sums(self, kind: str) -> dict[str, dict[str, int]]:
        """Return the numbers of every key, by name."""
        ...

    async def drop_sums(self, kind: str, key: str) -> None:
        """Drop the numbers of a key; one that has none is fine."""
        ...

    async def count(self, kind: str) -> int:
        """Return how many documents of a kind are kept."""
        ...
