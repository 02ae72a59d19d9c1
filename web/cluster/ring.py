"""Which replica has the history of a stream, as every host finds it by itself: rendezvous hashing.

Of all replicas the one whose name and the stream's together have the highest hash. When a replica comes
or goes, only the streams move that it takes or had.
https://www.microsoft.com/en-us/research/wp-content/uploads/2017/02/HRW98.pdf
"""

from collections.abc import Iterable
from hashlib import blake2b


def ranked(stream: str, replicas: Iterable[str]) -> list[str]:
    """Return `replicas` in the order in which they are asked about `stream`."""
    return sorted(replicas, key=lambda replica: _weight(stream, replica), reverse=True)


def _weight(stream: str, replica: str) -> bytes:
    # Not `hash`: every process must find the same. No name holds a line break.
    return blake2b(f"{replica}\n{stream}".encode(), digest_size=8).digest()
