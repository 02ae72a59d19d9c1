"""What one clip alone half saw is left out of what is told: a slip of the eye, as the summary leaves it out."""

from collections.abc import Sequence
from dataclasses import replace

from model.vision.things import SURE
from stream.past.presence import Shown, presence


def without_glimpses(history: Sequence[Shown], frames: int | None = None) -> list[Shown]:
    """Return `history` without what is plain in one clip of it alone, and there by a slip.

    Of a block nobody can say any more how many of its clips saw a thing: it is left as it is.

    Args:
        history: Oldest first; blocks of folded clips may be among them.
        frames: That a clip has which is not folded; None takes all as clips.
    """
    there = {
        word: {place for s in stretches for place in range(s.first, s.last + 1)}
        for word, stretches in presence(history).items()
    }

    def steady(place: int, clip: Shown) -> Shown:
        if frames is not None and clip.frames > frames:
            return clip
        kept = (t for t in clip.things if t.sure < SURE or place in there.get(t.word, ()))
        return replace(clip, things=tuple(kept))

    return [steady(place, clip) for place, clip in enumerate(history)]
