"""From a source's own times to the stream's media time.

A stream's time zero is when it began, and its time goes on with the wall clock whatever feeds
it. A source's times have any origin, jump, wrap, stop, and come in bursts; its frames also arrive
late by a varying delay. What is wanted is the time of capture, as near as arrival tells it.
"""

import math
from collections.abc import Callable
from typing import Protocol

Clock = Callable[[], float]
"""Returns the time in seconds; which time, the parameter says."""


class MediaTimeline(Protocol):
    """Gives every picture of one source its media time; times never go back."""

    def media_time(self, time: float, now: float) -> float:
        """Return the media time of the picture at `time` of the source that arrived at `now`."""
        ...


class ArrivalTimeline:
    """For a live source: its own pace, held against the time of arrival.

    The smallest delay seen so far is taken for none, so no picture lies in the future and a
    burst (a segment of HLS) keeps its inner pace. Where the source's time jumps back, stands still
    or falls behind by more than `tolerance` seconds, arrival counts.
    """

    def __init__(self, earliest: float, tolerance: float = 2.0) -> None:
        self._last = earliest
        self._tolerance = tolerance
        self._before: float | None = None
        self._offset = 0.0

    def media_time(self, time: float, now: float) -> float:
        """Return the media time of the picture at `time` that arrived at `now` (media seconds).

        Not a number and infinity count as a clock that stands still.
        """
        stands_still = not math.isfinite(time) or time == self._before
        if not stands_still:
            self._follow(time, now)
        media = now if stands_still else min(time + self._offset, now)
        self._last = max(self._last, media)
        return self._last

    def _follow(self, time: float, now: float) -> None:
        lost = self._before is None or time < self._before
        if lost or now - (time + self._offset) > self._tolerance:
            self._offset = now - time
        else:
            self._offset = min(self._offset, now - time)
        self._before = time


class OwnTimeline:
    """For a file read as fast as it can be: its own times, counted on from `base`."""

    def __init__(self, base: float) -> None:
        self._base = base
        self._last = base

    def media_time(self, time: float, now: float) -> float:
        """Return `base` plus `time`; never less than before."""
        self._last = max(self._last, self._base + time)
        return self._last
