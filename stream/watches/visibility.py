"""How well a thing can be seen: for how long it has to be missing before it counts as gone.

An eye finds a person who stands before it in nearly every clip, and a small car under noise in one of three. It does
not miss them evenly: what is covered, or too dark, is missed in several clips in a row. So two shares are kept of the time
in which a thing was about, those of a chain of two states (Gilbert 1960, "Capacity of a burst-noise channel"): how many
clips miss it, and how many of those that follow one that missed it. They say how likely it is that so many in a row
miss what is still there; it counts as gone once that is unlikely.
"""

from dataclasses import dataclass

AT_LEAST = 4
"""Clips without a thing, however well it was seen."""
AT_MOST = 45
"""Clips without a thing after which it is gone, however badly it was seen: three minutes."""
LONGEST_GAP = 15
"""Clips in a row that may have missed a thing which was found again; after more it had left, and came back."""
_KNOWN_AFTER, _HARD = 6.0, 0.25
"""Clips after which it is known how well a thing is seen; and the share that misses it from which on it is hard to see."""
_CHANCE = 0.0001
"""How likely it may be, at any clip, that something is still there when it counts as gone: some 0.1 times an hour."""
_KEPT = 0.996
"""What each clip leaves of the weight of those before it: half in twelve minutes."""
_MISSED, _OF_CLIPS = 1.0, 20.0
_MISSED_AGAIN, _SEEN_AGAIN = 10.0, 10.0
"""What is supposed before much is known: one clip of 20 misses a thing, and every other one after that."""


@dataclass(frozen=True, slots=True)
class Visibility:
    """How well a thing was seen while it was about; clips of long ago count less.

    Attributes:
        looked: Clips in which it was about.
        missed: Those of them that did not show it.
        gaps: How often one that showed it was followed by one that did not.
        blinks: Those missed between two that showed it so soon after each other that it had surely not left.
    """

    looked: float = 0.0
    missed: float = 0.0
    gaps: float = 0.0
    blinks: float = 0.0

    def found(self, after: int) -> "Visibility":
        """Return the visibility after a clip that shows the thing, and `after` in a row that did not."""
        gap = after if after <= LONGEST_GAP else 0
        kept = _KEPT ** (gap + 1)
        return Visibility(
            self.looked * kept + gap + 1,
            self.missed * kept + gap,
            self.gaps * kept + (gap > 0),
            self.blinks * kept + (gap if gap < AT_LEAST else 0),
        )

    @property
    def hard(self) -> float | None:
        """The share of clips that showed it while it was surely about, where that is small: it may be there unseen.

        Who passes by now and then is not missed in between, so a row of misses that is longer than a blink does not count.
        """
        shown = self.looked - self.missed
        about = shown + self.blinks
        if about < _KNOWN_AFTER or self.blinks < _HARD * about:
            return None
        return shown / about

    @property
    def gone_after(self) -> int:
        """Clips in a row without the thing after which it is gone; chance would hardly miss so many."""
        if not self.looked:
            return AT_LEAST
        chance = (self.missed + _MISSED) / (self.looked + _OF_CLIPS)
        again, seen = self.missed - self.gaps + _MISSED_AGAIN, self.gaps + _SEEN_AGAIN
        needed = 1
        while chance > _CHANCE and needed < AT_MOST:
            chance *= again / (again + seen)  # each that misses it makes the next one likelier to
            again, needed = again + 1.0, needed + 1
        return max(needed, AT_LEAST)


NOT_SEEN = Visibility()
