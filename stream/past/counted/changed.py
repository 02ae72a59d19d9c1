"""What came and what left last: "Did anything change?", told from when each thing was there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from model.vision.changes import phrase
from model.vision.things import Thing
from model.vision.vocabulary import with_article, word_table
from stream.past.presence import Shown, presence
from stream.past.wording import listed, minutes, sentence

_MOST_NAMED = 3
_NEAR = 1
"""Clips that lie between what leaves and what comes in its place, at most: eyes blink."""


@dataclass(frozen=True, slots=True)
class _Event:
    """A thing that came or left.

    Attributes:
        clip: Number of the first clip that shows it, or does not any more.
        seen: Number of a clip that shows it.
        word: Number of its word.
        came: Whether it came; else it left.
    """

    clip: int
    seen: int
    word: int
    came: bool


def last_change(clips: Sequence[Shown]) -> tuple[str, list[int]]:
    """Return what came or left last in `clips`, in words, and the numbers of clips that show it."""
    events = list(_events(clips))
    if not events:
        return "Nothing that I have a word for has changed.", []
    newest = max(event.clip for event in events)
    last = sorted(
        (event for event in events if event.clip >= newest - _NEAR),
        key=lambda e: (not e.came, e.clip),
    )
    told = groupby(last[:_MOST_NAMED], key=lambda event: event.came)
    said = [
        f"{listed([_named(event, clips) for event in events])} {'came' if came else 'left'}"
        for came, events in told
    ]
    at = minutes(clips[min(event.clip for event in last)].start)
    showing = sorted({event.seen for event in last})
    return sentence(f"at {at} {listed(said)}"), showing


def _events(clips: Sequence[Shown]) -> Iterator[_Event]:
    for word, stretches in presence(clips).items():
        for stretch in stretches:
            if stretch.first > 0:
                yield _Event(stretch.first, stretch.first, word, came=True)
            if stretch.last < len(clips) - 1:
                yield _Event(stretch.last + 1, stretch.last, word, came=False)


def _named(event: _Event, clips: Sequence[Shown]) -> str:
    things = (thing for thing in clips[event.seen].things if thing.word == event.word)
    thing = max(things, key=lambda one: one.sure, default=Thing(event.word))
    said = phrase(thing, word_table())
    return said if thing.count > 1 else with_article(said)
