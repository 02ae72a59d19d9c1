"""How well a clip fulfils the clauses of a condition: from its things alone, no language model.

A clause is compiled once to the numbers of its words; a clip of eight things is then held against
fifty watches in well under a millisecond.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from model.vision.things import MOVEMENTS, Thing, place_of
from model.vision.vocabulary import COLOURS, WordTable
from stream.watches.condition import Clause, Condition


@dataclass(frozen=True, slots=True)
class Matcher:
    """A clause, ready to be held against clips.

    Attributes:
        words: Numbers of the words that count.
        at_least: How many there must be.
        colour: Number of the colour, or None.
        movement: Number of the movement, or None.
        place: Words of the place, all of which must fit.
    """

    words: frozenset[int]
    at_least: int
    colour: int | None
    movement: int | None
    place: tuple[str, ...]

    def sureness(self, things: Sequence[Thing]) -> float:
        """Return how sure it is that `things` fulfil the clause, 0 to 1.

        Of several things that are needed together the least sure one counts.
        """
        fitting = [t for t in things if t.word in self.words and self._fits(t)]
        count = 0
        for thing in sorted(fitting, key=lambda t: -t.sure):
            count += thing.count
            if count >= self.at_least:
                return min(thing.sure, 1.0)
        return 0.0

    def _fits(self, thing: Thing) -> bool:
        if self.colour is not None and thing.colour != self.colour:
            return False
        if self.movement is not None and thing.movement != self.movement:
            return False
        if not self.place:
            return True
        at = place_of(thing).split(" ")
        return all(word in at for word in self.place)


@dataclass(frozen=True, slots=True)
class Matchers:
    """A condition, ready to be held against clips."""

    positive: tuple[Matcher, ...]
    negative: tuple[Matcher, ...]

    def __call__(self, things: Sequence[Thing]) -> "ClauseScores":
        """Return how sure it is that a clip shows what each clause names."""
        return ClauseScores(
            tuple(matcher.sureness(things) for matcher in self.positive),
            tuple(matcher.sureness(things) for matcher in self.negative),
        )


@dataclass(frozen=True, slots=True)
class ClauseScores:
    """How sure it is that a clip shows what each clause names, 0 to 1.

    Attributes:
        positive: Of the clauses that must be seen.
        negative: Of those that must not.
    """

    positive: tuple[float, ...]
    negative: tuple[float, ...]

    @property
    def score(self) -> float:
        """How sure it is that the whole condition is fulfilled."""
        return min((*self.positive, *(1.0 - sure for sure in self.negative)))


def compile_condition(condition: Condition, table: WordTable) -> Matchers:
    """Return `condition` ready to be matched; words that `table` lacks match nothing."""
    return Matchers(
        tuple(_compile(clause, table) for clause in condition.positive),
        tuple(_compile(clause, table) for clause in condition.negative),
    )


def _compile(clause: Clause, table: WordTable) -> Matcher:
    wanted = set(clause.words)
    return Matcher(
        frozenset(n for n, w in enumerate(table.words) if wanted & {w.name, *w.broader}),
        clause.at_least,
        None if clause.colour is None else COLOURS.index(clause.colour),
        None if clause.movement is None else MOVEMENTS.index(clause.movement),
        () if clause.place is None else tuple(clause.place.split(" ")),
    )
