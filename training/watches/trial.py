"""Runs watches over reports of clips: what fires in quiet, and how soon after an event begins."""

from collections.abc import Iterable, Sequence

import numpy as np

from model.vision.things import Thing
from model.vision.vocabulary import WordTable
from stream.watches.condition import Condition
from stream.watches.records import Watch
from stream.watches.running import RunningWatches
from training.streams.world import World
from training.watches.quiet import CLIP_SECONDS, CLIPS_AN_HOUR, Eye, Kind, QuietWatch, case
from training.watches.scores import Tally

BEFORE, LONGEST_EVENT, AFTER = 30, 15, 6
SHORTEST_EVENT = 5
MISSED = 2
"""Clips before an event that may have missed what was still there: it is gone so much sooner."""


def fires(condition: Condition, clips: Iterable[Sequence[Thing]], table: WordTable) -> list[int]:
    """Return the numbers of the clips at which a watch for `condition` fires, all else by default."""
    running = RunningWatches(table)
    running.set(Watch("watch", "", (), condition))
    fired = []
    for number, things in enumerate(clips):
        start = number * CLIP_SECONDS
        events = running.take("stream", things, start, start + 0.75 * CLIP_SECONDS, start)
        fired += [number for event in events if event.open]
    return fired


def quiet(world: World, random: np.random.Generator, kind: Kind, hours: float) -> Tally:
    """Watch in vain for so many hours."""
    one = case(world, random, kind)
    eye = Eye(world, random, one.word)
    clips = eye.clips(one.quiet, round(hours * CLIPS_AN_HOUR), likeness=_may_be_taken_for(one))
    return Tally(alarms=len(fires(one.condition, clips, world.table)), hours=hours)


def event(world: World, random: np.random.Generator, kind: Kind) -> Tally:
    """Plant an event in a quiet stream and see whether, and when, it is told."""
    one = case(world, random, kind)
    eye, likeness = Eye(world, random, one.word), _may_be_taken_for(one)
    # What must have lasted is told with the clip that ends then.
    wait = round(one.condition.hold_s / CLIP_SECONDS) - 1 if one.condition.hold_s else 0
    length = wait + int(random.integers(SHORTEST_EVENT, LONGEST_EVENT + 1))
    clips = [
        *eye.clips(one.quiet, BEFORE, likeness=likeness),
        *eye.clips(one.event, length, likeness=False),
        *eye.clips(one.quiet, AFTER, likeness=likeness),
    ]
    fired = fires(one.condition, clips, world.table)
    return told_of(fired, BEFORE + wait, BEFORE + length, early=MISSED if wait else 0)


def told_of(fired: Sequence[int], first: int, end: int, early: int = 0) -> Tally:
    """Count one event.

    Args:
        fired: At which clips the watch fired.
        first: The first clip with which it could be told.
        end: The clip behind its last one.
        early: So many clips before it is not a false alarm either.
    """
    delays = [max(0, number - first) for number in fired if first - early <= number < end]
    return Tally(events=1, delays=delays[:1])


def _may_be_taken_for(one: QuietWatch) -> bool:
    return all(thing.word != one.word for thing in one.quiet)
