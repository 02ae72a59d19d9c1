"""What moved, which colours there were and what had one, told from what all clips show.

"What moved?"               "A rocket moved up, a penguin to the left and a blue star down."
"What colours did you see?" "Grey (a car), blue (a star) and red (a circle)."
"Was anything red?"         "A red circle, from 2:15 to 2:24."
"""

from collections.abc import Sequence

from model.vision.things import SURE, Thing
from model.vision.vocabulary import COLOURS, with_article, word_table
from stream.past.counted.about import as_most_say, movement_of
from stream.past.counted.stretches import until
from stream.past.counted.words import Counting
from stream.past.presence import Shown, Stretch, clear_colour, presence
from stream.past.wording import listed, minutes, sentence, times

_MOST_NAMED = 8
_NEWEST = 2
"""Clips that say whether a thing is moving now."""

_Seen = tuple[Stretch, int, list[Thing]]
"""When a thing was there, its word, and the thing as each clip that plainly shows it does."""


def looks(asked: Counting, clips: Sequence[Shown]) -> tuple[str, list[int]]:
    """Return what moved, which colours there were, or what had one, in words, and the numbers of clips that show it.

    Args:
        asked: What of it; of what moves its order has "now" and a way if it asks for these, its name "anything" if whether anything does.
        clips: All that were looked through, oldest first; not nothing.
    """
    if asked.kind == "moved":
        return _moved(asked, clips)
    return _colours(clips) if asked.colour is None else _coloured(asked.colour, clips)


def _moved(asked: Counting, clips: Sequence[Shown]) -> tuple[str, list[int]]:
    asked_for = asked.order.split()
    now = "now" in asked_for
    told: dict[str, str] = {}
    showing: set[int] = set()
    for stretch, word, things in _seen(clips, now=now):
        way = movement_of(things, len(things))
        other_way = asked_for[-1:] not in ([], ["now"]) and not way.endswith(asked_for[-1])
        if word not in asked.words or not way or other_way:
            continue
        verb = ("move" if things[-1].count > 1 else "moves") if now else "moved"
        what = as_most_say(things)
        told.setdefault(f"{what} {way}", f"{what} {way}" if told else f"{what} {verb} {way}")
        showing.update(range(stretch.first, stretch.last + 1))
    if not told:
        nothing = _nothing_moved(asked_for)
        return sentence(f"no, {nothing}" if asked.name == "anything" else nothing), []
    said = listed(_at_most(list(told.values())))
    return sentence(f"yes: {said}" if asked.name == "anything" else said), sorted(showing)


def _nothing_moved(asked_for: Sequence[str]) -> str:
    way = "".join(
        f" {way}" if way in {"up", "down"} else f" to the {way}"
        for way in asked_for
        if way != "now"
    )
    now = " now" if "now" in asked_for else ""
    return f"nothing that I see {'moves' if now else 'moved'}{way}{now}"


def _colours(clips: Sequence[Shown]) -> tuple[str, list[int]]:
    of: dict[int, dict[str, None]] = {}
    showing: set[int] = set()
    for stretch, word, things in _seen(clips):
        if (colour := clear_colour(things)) is not None:
            of.setdefault(colour, {})[with_article(word_table()[word].name)] = None
            showing.update(range(stretch.first, stretch.last + 1))
    if not of:
        return "I have not seen anything of a clear colour.", []
    said = [f"{COLOURS[colour]} ({listed(_at_most(list(names)))})" for colour, names in of.items()]
    return sentence(listed(said)), sorted(showing)


def _coloured(colour: int, clips: Sequence[Shown]) -> tuple[str, list[int]]:
    found = [
        (stretch, things) for stretch, _, things in _seen(clips) if clear_colour(things) == colour
    ]
    if not found:
        return f"I have not seen anything {COLOURS[colour]}.", []
    of: dict[str, list[tuple[float, float]]] = {}
    for s, things in found:
        of.setdefault(as_most_say(things), []).append((clips[s.first].start, until(s, clips)))
    said = [
        f"{what}, {f'{times(len(spans))}, ' if len(spans) > 1 else ''}"
        f"from {minutes(spans[0][0])} to {minutes(spans[-1][1])}"
        for what, spans in list(of.items())[-_MOST_NAMED:]
    ]
    return sentence("; ".join(said)), sorted(
        {n for s, _ in found for n in range(s.first, s.last + 1)}
    )


def _seen(clips: Sequence[Shown], *, now: bool = False) -> list[_Seen]:
    """Return each time that a thing was plainly there, oldest first; only of now, in the newest clips."""
    found = []
    for word, stretches in presence(clips).items():
        for stretch in stretches:
            first = max(stretch.first, len(clips) - _NEWEST) if now else stretch.first
            if now and stretch.last < len(clips) - 1:
                continue
            things = [
                thing
                for clip in clips[first : stretch.last + 1]
                for thing in clip.things
                if thing.word == word and thing.sure >= SURE
            ]
            found.append((stretch, word, things))
    return sorted(found, key=lambda seen: (seen[0].first, seen[1]))


def _at_most(names: list[str]) -> list[str]:
    if len(names) <= _MOST_NAMED:
        return names
    return [*names[: _MOST_NAMED - 1], f"{len(names) - _MOST_NAMED + 1} more"]
