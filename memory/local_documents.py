"""A document store in this process, for `flashback ask` and for tests: nothing survives the process."""

from collections.abc import Mapping

from memory.documents import Entry
from memory.redis.documents import read, written


class LocalDocuments:
    """Keeps documents in dictionaries; they go through JSON as in Redis."""

    def __init__(self) -> None:
        self._kinds: dict[str, dict[str, tuple[float, bytes]]] = {}
        self._sums: dict[str, dict[str, dict[str, int]]] = {}

    async def put(self, kind: str, kept: Entry, keep: int) -> None:
        """See `DocumentStore.put`.

        Raises:
            StoreError: If it is larger than may be kept.
        """
        documents = self._kinds.setdefault(kind, {})
        documents[kept.key] = (kept.order, written(kept.document))
        for key, _ in self._sorted(kind)[: max(0, len(documents) - keep)]:
            del documents[key]

    async def get(self, kind: str, key: str) -> Entry | None:
        """See `DocumentStore.get`."""
        found = self._kinds.get(kind, {}).get(key)
        return None if found is None else read(kind, key, *found)

    async def newest(self, kind: str, limit: int, after: float = float("-inf")) -> list[Entry]:
        """See `DocumentStore.newest`."""
        above = [pair for pair in reversed(self._sorted(kind)) if pair[1][0] > after]
        return self._read(kind, above[:limit])

    async def lowest(self, kind: str, limit: int) -> list[Entry]:
        """See `DocumentStore.lowest`."""
        return self._read(kind, self._sorted(kind)[:limit])

    async def remove(self, kind: str, key: str) -> bool:
        """See `DocumentStore.remove`."""
        return self._kinds.get(kind, {}).pop(key, None) is not None

    async def add(
        self, kind: str, key: str, amounts: Mapping[str, int], base: Mapping[str, int]
    ) -> dict[str, int]:
        """See `DocumentStore.add`."""
        kept = self._sums.setdefault(kind, {}).setdefault(key, {})
        for name, amount in amounts.items():
            kept[name] = kept.get(name, base[name]) + amount
        return {name: kept[name] for name in amounts}

    async def sums(self, kind: str) -> dict[str, dict[str, int]]:
        """See `DocumentStore.sums`."""
        return {key: dict(kept) for key, kept in self._sums.get(kind, {}).items()}

    async def drop_sums(self, kind: str, key: str) -> None:
        """See `DocumentStore.drop_sums`."""
        self._sums.get(kind, {}).pop(key, None)

    async def count(self, kind: str) -> int:
        """See `DocumentStore.count`."""
        return len(self._kinds.get(kind, {}))

    def _sorted(self, kind: str) -> list[tuple[str, tuple[float, bytes]]]:
        return sorted(self._kinds.get(kind, {}).items(), key=lambda pair: (pair[1][0], pair[0]))

    def _read(self, kind: str, found: list[tuple[str, tuple[float, bytes]]]) -> list[Entry]:
        kept = [read(kind, key, order, data) for key, (order, data) in found]
        return [one for one in kept if one is not None]
