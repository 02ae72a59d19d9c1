"""Whether pictures that no other is built on may be left undecoded.

That spares most of decoding where many more pictures come than are wanted. Where few come, or an
encoder builds on few of its pictures, what is left is fewer than are wanted: there all are decoded.
"""

import math

_ENOUGH = 4.0
_WIDEST_GAP = 0.5


class SkipRule:
    """Learns by what is left when they are skipped."""

    def __init__(self) -> None:
        self._too_few_at = math.inf
        self._skipping = False
        self._last: float | None = None

    def skips(self, arriving: float, wanted: float) -> bool:
        """Say whether to skip them now.

        Args:
            arriving: Pictures per second that come; 0 if that is not known.
            wanted: Pictures per second that are wanted.
        """
        self._skipping = arriving >= _ENOUGH * wanted and wanted < self._too_few_at
        return self._skipping

    def decoded(self, time: float, wanted: float) -> None:
        """Note that a picture was decoded that belongs at `time`, in seconds."""
        gap = 0.0 if self._last is None else time - self._last
        self._last = time
        if self._skipping and gap > _WIDEST_GAP / wanted:
            self._too_few_at = min(self._too_few_at, wanted)
