"""The replicas that there are now, as one host knows them."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from web.cluster.replica import Kind, Replica
from web.cluster.ring import ranked


class Members:
    """Replicas by kind and name. Whoever makes it adds and removes them as they come and go."""

    def __init__(self) -> None:
        self._replicas: dict[Kind, dict[str, Replica]] = {"encoder": {}, "answerer": {}}
        self._at_work: Counter[str] = Counter()
        self._changed = asyncio.Event()

    def names(self, kind: Kind) -> list[str]:
        """Return the names of the replicas of `kind`."""
        return list(self._replicas[kind])

    def add(self, kind: Kind, name: str, replica: Replica) -> None:
        """Take a replica in, in the place of the one of its name."""
        self._replicas[kind][name] = replica
        self._changed.set()

    def remove(self, name: str) -> None:
        """Ask a replica nothing more; one that is unknown is fine."""
        for replicas in self._replicas.values():
            replicas.pop(name, None)

    def answerer(self, stream: str) -> tuple[str, Replica] | None:
        """Return the replica that has the history of `stream`; None if there is none at all."""
        answerers = self._replicas["answerer"]
        first = next(iter(ranked(stream, answerers)), None)
        return None if first is None else (first, answerers[first])

    def encoder(self) -> tuple[str, Replica] | None:
        """Return the encoder that has least to do of what this host gave it; None without any."""
        encoders = self._replicas["encoder"]
        idlest = min(encoders, key=lambda name: self._at_work[name], default=None)
        return None if idlest is None else (idlest, encoders[idlest])

    def answerers(self) -> list[Replica]:
        """Return all that answer."""
        return list(self._replicas["answerer"].values())

    @contextmanager
    def at_work(self, name: str) -> Iterator[None]:
        """Count what a replica has to do for this host, while within."""
        self._at_work[name] += 1
        try:
            yield
        finally:
            self._at_work[name] -= 1

    async def wait_for(self, kind: Kind, seconds: float) -> bool:
        """Wait until there is a replica of `kind`, at most so long; return whether there is."""
        try:
            async with asyncio.timeout(seconds):
                while not self._replicas[kind]:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True
