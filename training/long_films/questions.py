"""Questions about a planned film, with their answers: what, when, order, count, change, captions.

Each thing is called by its name; what appears more than once is asked about only where that does
not matter. Times are said in whole seconds.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from training.drawn.scenes import DIRECTIONS
from training.long_films.plan import FilmPlan, PlannedEvent

NUMBERS = ("no", "one", "two", "three")
TIMES = ("Never.", "Once.", "Twice.")
ASKED = ("what", "when", "order", "count", "change", "caption", "summary")
LISTED = 12
"""Events that a summary tells at most; of more, evenly spread ones."""


@dataclass(frozen=True, slots=True)
class PlannedQuestion:
    """A question and its answer.

    Attributes:
        kind: One of `ASKED`.
        question: In words.
        answer: In words.
        span: Seconds that it is about; None for the whole film.
    """

    kind: str
    question: str
    answer: str
    span: tuple[float, float] | None


def called(event: PlannedEvent) -> str:
    """Return the thing's name, with its colour if it is a shape."""
    return f"{event.thing.colour} {event.thing.name}" if event.thing.colour else event.thing.name


def named(event: PlannedEvent) -> str:
    """Return what is to be seen: `a dog`, `two dogs`, `a red circle`."""
    name = called(event)
    if event.count > 1:
        return f"{NUMBERS[event.count]} {_plural(name)}"
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def told(event: PlannedEvent) -> str:
    """Return what happens: `a dog moves to the left`."""
    verb = "move" if event.count > 1 else "moves"
    way = {"left": "to the left", "right": "to the right", "up": "up", "down": "down"}
    if event.movement in DIRECTIONS:
        return f"{named(event)} {verb} {way[event.movement]}"
    return f"{named(event)} {'stand' if event.count > 1 else 'stands'} still"


def pairs(plan: FilmPlan, count: int) -> list[PlannedQuestion]:
    """Return `count` questions at most, of all kinds in turn, chosen by the film's seed."""
    random = np.random.default_rng([plan.seed, 41])
    kinds = [_shuffled(random, list(_KINDS[kind](plan))) for kind in ASKED]
    found: list[PlannedQuestion] = []
    while len(found) < count and any(kinds):
        found += [some.pop() for some in kinds if some][: count - len(found)]
    return found


def _shuffled(random: np.random.Generator, some: list[PlannedQuestion]) -> list[PlannedQuestion]:
    return [some[int(n)] for n in random.permutation(len(some))]


def _what(plan: FilmPlan) -> Iterator[PlannedQuestion]:
    for event in plan.events:
        middle = int((event.start + event.end) / 2)
        if event.start <= middle < event.end:
            yield PlannedQuestion("what", f"What was shown at {middle} seconds?", _sentence(named(event)), (event.start, event.end))  # fmt: skip


def _when(plan: FilmPlan) -> Iterator[PlannedQuestion]:
    for event in _once(plan.events):
        span = f"From {event.start:.0f} to {event.end:.0f} seconds."
        yield PlannedQuestion(
            "when", f"When was the {called(event)} shown?", span, (event.start, event.end)
        )


def _order(plan: FilmPlan) -> Iterator[PlannedQuestion]:
    only = {called(event) for event in _once(plan.events)}
    for before, after in zip(plan.events, plan.events[1:], strict=False):
        span = (before.start, after.end)
        if called(before) in only:
            yield PlannedQuestion("order", f"What came after the {called(before)}?", _sentence(named(after)), span)  # fmt: skip
        if called(after) in only:
            yield PlannedQuestion("order", f"What came before the {called(after)}?", _sentence(named(before)), span)  # fmt: skip


def _count(plan: FilmPlan) -> Iterator[PlannedQuestion]:
    often = Counter(called(event) for event in plan.events)
    for name, times in sorted(often.items()):
        answer = TIMES[times] if times < len(TIMES) else f"{times} times."
        yield PlannedQuestion("count", f"How often was the {name} shown?", answer, None)
    for event in _once(plan.events):
        question = f"How many {_plural(called(event))} were shown at once?"
        yield PlannedQuestion(
            "count", question, _sentence(NUMBERS[event.count]), (event.start, event.end)
        )


def _change(plan: FilmPlan) -> Iterator[PlannedQuestion]:
    for before, after in zip(plan.places, plan.places[1:], strict=False):
        if before.night != after.night:
            answer = "It became dark." if after.night else "It became light."
        else:
            answer = "The background changed."
        at = after.start
        yield PlannedQuestion(
            "change", f"What changed at {at:.0f} seconds?", answer, (at - 2, at + 2)
        )


def _caption(plan: FilmPlan) -> Iterator[PlannedQuestion]:
    for first, last in zip(plan.events, plan.events[2:], strict=False):
        start, end = int(first.start), int(last.end) + 1
        inside = [event for event in plan.events if start <= event.start and event.end <= end]
        said = ", then ".join(told(event) for event in inside)
        yield PlannedQuestion("caption", f"What happened from {start} to {end} seconds?", _sentence(said), (start, end))  # fmt: skip


def _summary(plan: FilmPlan) -> Iterator[PlannedQuestion]:
    events = plan.events
    if len(events) > LISTED:
        events = tuple(events[n * len(events) // LISTED] for n in range(LISTED))
    if events:
        yield PlannedQuestion("summary", "What has happened so far?", _sentence(", then ".join(map(told, events))), None)  # fmt: skip


_KINDS = {
    "what": _what, "when": _when, "order": _order, "count": _count,
    "change": _change, "caption": _caption, "summary": _summary,
}  # fmt: skip


def _once(events: Sequence[PlannedEvent]) -> list[PlannedEvent]:
    often = Counter(called(event) for event in events)
    return [event for event in events if often[called(event)] == 1]


def _plural(name: str) -> str:
    if name.endswith(("s", "sh", "ch", "x")):
        return name if name.endswith("s") else f"{name}es"
    return f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."
