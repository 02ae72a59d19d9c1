"""Stretches of clips, as times: those of several words as one, and until when they last."""

from collections.abc import Sequence

from stream.past.presence import Shown, Stretch, parted

_GAP = 4.0
"""Seconds to the next clip up to which what a clip shows is taken to go on."""


def joined(
    stretches: Sequence[tuple[int, int]], clips: Sequence[Shown], blink: int = 0
) -> list[Stretch]:
    """Return stretches of several words as those in which any of them was there.

    Over a time in which nothing was watched nothing goes on.

    Args:
        stretches: The first and the last clip of each, in the order of the first.
        clips: Which they are of.
        blink: Clips that may lie between two that are one.
    """
    found: list[Stretch] = []
    for first, last in stretches:
        near = bool(found) and first <= found[-1].last + 1 + blink
        if near and not any(parted(clips[n], clips[n + 1]) for n in range(found[-1].last, first)):
            found[-1] = Stretch(found[-1].first, max(last, found[-1].last))
        else:
            found.append(Stretch(first, last))
    return found


def until(stretch: Stretch, clips: Sequence[Shown]) -> float:
    """Return when what a stretch shows was gone: as the next clip begins, if that follows at once."""
    last = clips[stretch.last]
    if stretch.last + 1 == len(clips):
        return last.end
    after = clips[stretch.last + 1]
    near = after.start - last.end <= _GAP and not parted(last, after)
    return after.start if near else last.end
