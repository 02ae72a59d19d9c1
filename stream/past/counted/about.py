"""What is told of one thing, from what clips show: how many, of what colour, when, which way, with what else.

"Tell me about the penguin."        "A penguin, from 1:04 to 1:13, moving up."
"Who is there?"                     "Nobody now. Last seen at 2:15."
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from model.vision.things import MOVEMENTS, SURE, Thing, place_of
from model.vision.vocabulary import COLOURS, in_words, word_table
from stream.past.counted.answers import There, of_one, spans_of
from stream.past.counted.places import is_placed
from stream.past.counted.words import Counting
from stream.past.presence import Shown, clear_colour, mostly
from stream.past.wording import listed, sentence

_UP_DOWN = frozenset({MOVEMENTS.index("up"), MOVEMENTS.index("down")})
_MOVES = 1 / 3
"""Share of the clips with a thing that have to show it move the same way."""
_WITH = 1 / 2
"""Share of the clips with a thing that have to show another, for it to be told with the thing."""
_MOST_WITH = 3


def about(asked: Counting, there: There, clips: Sequence[Shown]) -> str:
    """Return what is known of one thing.

    Args:
        asked: Which.
        there: When it was there.
        clips: All that were looked through, oldest first.
    """
    who = asked.kind == "who"
    if not there.spans:
        return f"I have not seen {there.said}."
    if who and not (there.now or there.part or there.ended):
        return f"Nobody now. Last seen at {there.end}."
    if who and there.lasts:
        newest = _plain(asked, [clips[-1]])
        return sentence(as_most_say(newest or _plain(asked, [clips[n] for n in there.clips])))
    shown = _plain(asked, [clips[n] for n in there.clips])
    said = f"{as_most_say(shown)}, {spans_of(there)}"
    if moves := movement_of(shown, len(there.clips)):
        said += f", moving {moves.removeprefix('to the ')}"
    others = _others(asked, there, clips)
    return sentence(f"{said}, with {listed(others)}" if others else said)


def how_it_was(asked: Counting, there: There, clips: Sequence[Shown]) -> str | None:
    """Return of which colour it was, where, or which way it moved, each time; None if clips do not agree on any."""
    runs: list[list[int]] = []
    for number in there.clips:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    if asked.kind == "whereabouts":
        return _whereabouts(asked, there, clips)
    if asked.kind == "place":
        return _where(asked, there, [[clips[n] for n in run] for run in runs])
    said = []
    for run in runs[-1:] if asked.order else runs:
        things = _plain(asked, [clips[n] for n in run])
        said.append(_colour(things) if asked.kind == "colour" else movement_of(things, len(run)))
    distinct = list(dict.fromkeys(how for how in said if how))[:_MOST_WITH]
    if not distinct:
        return None
    if asked.kind == "colour":
        return sentence(", then ".join(distinct))
    verb = "moves" if asked.order and there.lasts else "moved"
    return f"It {verb} {', then '.join(distinct)}."


def _whereabouts(asked: Counting, there: There, clips: Sequence[Shown]) -> str:
    """Return when it was last there, and where, if clips agree on that."""
    stretch = [n for n in there.clips if clips[n].end > there.spans[-1][0]]
    place = _place_in(asked, [clips[n] for n in (stretch[-1:] if there.lasts else stretch)])
    said = of_one("last", there).removesuffix(".")
    return f"{said}, {place}." if place else f"{said}."


def _where(asked: Counting, there: There, runs: Sequence[Sequence[Shown]]) -> str | None:
    """Return where it is now, or was each time; None if clips do not agree each time.

    Of what is not there any more it is said where it was last.
    """
    if asked.order and not there.now and not there.ended:
        place = _place_in(asked, runs[-1])
        gone = f"{there.it_is.capitalize()} not there any more. Last seen at {there.end}"
        return None if there.perhaps else f"{gone}{', ' if place else ''}{place}."
    places = _places([runs[-1][-1:]] if asked.order and there.now else runs, asked)
    if not places:
        return None
    distinct = list(dict.fromkeys(places))
    if len(distinct) > _MOST_WITH:
        return f"{of_one('last', there).removesuffix('.')}, {places[-1]}."
    return sentence(", then ".join(distinct))


def _places(runs: Sequence[Sequence[Shown]], asked: Counting) -> list[str]:
    """Return where it was in each of `runs`, of what moved where the last began and ended; empty if one does not tell."""
    places = [_place_in(asked, run) for run in runs]
    if all(places):
        return places
    if not all(place or _path(asked, run) for place, run in zip(places, runs, strict=True)):
        return []
    return _path(asked, runs[-1]) or places[-1:]


def _path(asked: Counting, clips: Iterable[Shown]) -> list[str]:
    """Return where `clips` show one thing first and last; empty if it is several, or its way is not known."""
    plain = _plain(asked, clips)
    if any(t.count > 1 or not is_placed(t) for t in plain) or not movement_of(plain, len(plain)):
        return []
    return [_at(place_of(plain[0])), _at(place_of(plain[-1]))]


def _place_in(asked: Counting, clips: Iterable[Shown]) -> str:
    """Return where most of `clips` show it; empty if they do not agree, or it is several."""
    plain = _plain(asked, clips)
    if 2 * sum(t.count > 1 for t in plain) >= len(plain):  # Several are nowhere in particular.
        return ""
    found = Counter(place_of(t) for t in plain if t.count == 1 and is_placed(t))
    place, times = found.most_common(1)[0] if found else ("", 0)
    if 2 * times <= found.total():
        return ""
    return _at(place)


def _at(place: str) -> str:
    return "in the middle" if place == "middle" else f"at the {place}"


def _colour(things: Sequence[Thing]) -> str:
    """Return the colour that most of `things` have; empty if there is none."""
    colour = clear_colour(things) if things else None
    return "" if colour is None else COLOURS[colour]


def _plain(asked: Counting, clips: Iterable[Shown]) -> list[Thing]:
    """Return the thing as each of `clips` that plainly shows it does."""
    return [
        t
        for clip in clips
        for t in clip.things
        if t.word in asked.words and asked.colour in {None, t.colour} and t.sure >= SURE
    ]


def as_most_say(things: Sequence[Thing]) -> str:
    """Return "a grey car", "three bottles": what most of `things` say."""
    word = word_table()[mostly(t.word for t in things)]
    return in_words(word, mostly(t.count for t in things), clear_colour(things))


def movement_of(things: Sequence[Thing], clips: int) -> str:
    """Return which way `things` moved ("up", "to the left"), as enough of so many clips agree; empty if they do not."""
    ways = Counter(t.movement for t in things if t.movement is not None)
    if not ways:
        return ""
    way, count = ways.most_common(1)[0]
    if count < _MOVES * clips or 2 * count <= ways.total():
        return ""
    return MOVEMENTS[way] if way in _UP_DOWN else f"to the {MOVEMENTS[way]}"


def _others(asked: Counting, there: There, clips: Sequence[Shown]) -> list[str]:
    """Return what else these clips plainly show, the most often shown first."""
    showing = [clips[n] for n in there.clips]
    with_it: dict[int, list[Thing]] = {}
    for clip in showing:
        for thing in clip.things:
            if thing.sure >= SURE and thing.word not in asked.words:
                with_it.setdefault(thing.word, []).append(thing)
    least = max(_WITH * len(showing), min(2, len(showing)))
    often = sorted(with_it.values(), key=lambda things: (-len(things), things[0].word))
    return [as_most_say(things) for things in often if len(things) >= least][:_MOST_WITH]
