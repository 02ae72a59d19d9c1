"""How two things lie to each other in the picture, by the middles and sides that a clip gives them."""

from model.vision.things import Thing
from stream.past.counted.relation_words import How

_WHOLE = 0.9
"""Of the frame's width and height: of what takes so much nobody knows where it is."""
_APART = 0.06
"""Shares of the frame by which a middle must lie further to one side."""
_REACH = 0.35
"""Shares of the frame that may lie between things which are beside each other."""
_STEEP = 2.0
"""Of two things one is above the other, not beside it, if it is so many times further up than aside."""


def lies(one: Thing, how: How, other: Thing) -> bool | None:
    """Say whether `one` lies so to `other`; None if a picture does not tell that, or where they are is not known."""
    if how == "with":
        return True
    if how == "on" or not (is_placed(one) and is_placed(other)):
        return None
    x, y = one.x - other.x, one.y - other.y
    if how in {"left", "right"}:
        return (-x if how == "left" else x) > _APART and _STEEP * abs(x) >= abs(y)
    if how in {"above", "below"}:
        return (-y if how == "above" else y) > _APART and _STEEP * abs(y) >= abs(x)
    gap_x = abs(x) - (one.width + other.width) / 2
    gap_y = abs(y) - (one.height + other.height) / 2
    if max(gap_x, gap_y) > _REACH:
        return False
    return how == "near" or not (gap_y > 0 and abs(y) > _STEEP * abs(x))


def is_placed(thing: Thing) -> bool:
    """Say whether it is known where `thing` is."""
    return thing.width < _WHOLE or thing.height < _WHOLE
