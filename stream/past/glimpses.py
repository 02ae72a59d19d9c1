"""What one clip alone half saw is left out of what is told: a slip of the eye, as the summary leaves it out."""

from collections.abc import Sequence
from dataclasses import replace

from model.vision.things import SURE
from stream.past.presence import Shown, presence
from stream.past.second_look import Seen


def without_glimpses(history: Sequence[Seen], frames: int) -> list[Seen]:
    """Return `history` with the things that are plain in it, and in one clip alone by a slip, left out.

    Of a block nobody can say any more how many of its clips saw a thing: it is left as it is.

    Args:
        history: Oldest first; blocks of folded clips may be among them.
        frames: That a clip has which is not folded.
    """
    shown = [Shown(one.tokens.start, one.tokens.end, tuple(one.things)) for one in history]
    there = {
        word: {place for s in stretches for place in range(s.first, s.last + 1)}
        for word, stretches in presence(shown).items()
    }
    return [
        one
        if one.tokens.frames > frames
        else replace(
            one,
            things=[t for t in one.things if t.sure < SURE or place in there.get(t.word, ())],
        )
        for place, one in enumerate(history)
    ]
