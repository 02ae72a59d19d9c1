"""A stream's time in equal slices, each with a moment that shows it: what a timeline is drawn from.

Hours of moments are read once; of days only one moment a slice is asked for, so that a month costs what an hour does.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from memory.store import ClipStore, Moment

_READ_WHOLE = 2000
"""Moments that are read one by one: a slice of more is not fooled by the length of a clip."""
_LONGEST_CLIP = 60.0


@dataclass(frozen=True, slots=True)
class Slice:
    """A piece of a stream's time, in media seconds.

    Attributes:
        start: Where it begins.
        end: Where it ends.
        moment: One that shows it; None if nothing of it is remembered.
    """

    start: float
    end: float
    moment: Moment | None


async def slices(
    store: ClipStore, stream: str, since: float, until: float, count: int
) -> list[Slice]:
    """Cut a stream's time from `since` to `until` into `count` slices.

    Raises:
        StoreUnavailable: If memory cannot be read.
    """
    known = await store.moments(stream, since - _LONGEST_CLIP, _READ_WHOLE + 1, until=until)
    if len(known) <= _READ_WHOLE:
        return cut(known, since, until, count)
    found: list[Moment] = []
    for slice_ in cut((), since, until, count):
        before_next = math.nextafter(slice_.end, -math.inf)
        found += await store.moments(stream, slice_.start, 1, until=before_next)
    return cut(found, since, until, count)


def cut(moments: Sequence[Moment], since: float, until: float, count: int) -> list[Slice]:
    """Return the slices with, of `moments` in their order, the first that reaches into each.

    Raises:
        ValueError: If there is no time to cut, or no slice to make.
    """
    if until <= since or count < 1:
        raise ValueError(f"{since:g} to {until:g} cannot be cut into {count}")
    width, place, found = (until - since) / count, 0, []
    for number in range(count):
        start, end = since + number * width, since + (number + 1) * width
        while place < len(moments) and moments[place].end < start:
            place += 1
        shows = place < len(moments) and moments[place].start < end
        found.append(Slice(start, end, moments[place] if shows else None))
    return found
