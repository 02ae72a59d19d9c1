"""What was read of a request so far: clauses, and the marks that wait for the next name."""

from dataclasses import dataclass, field, replace

from stream.errors import BadInput
from stream.watches.condition import MOST_COUNTED, Clause


@dataclass(slots=True)
class ClauseReading:
    """What was read so far, and the marks that wait for the next name."""

    positive: list[Clause] = field(default_factory=list)
    negative: list[Clause] = field(default_factory=list)
    unmatched: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    after_seen: bool = False
    least: int = 1
    most: int | None = None
    exactly: bool = False
    colour: str | None = None
    place: str | None = None
    movement: str | None = None
    no: bool = False
    alternative: bool = False
    newest: list[Clause] | None = None

    def add(self, words: tuple[str, ...]) -> None:
        """Add a name with what was said of it.

        Raises:
            BadInput: If it is an alternative to something of another kind.
        """
        if self.alternative and self.newest and self._is_plain:
            last = self.newest[-1]
            merged = tuple(dict.fromkeys((*last.words, *words)))
            self.newest[-1] = replace(last, words=merged)
        else:
            if self.alternative:
                raise BadInput(
                    'Only names can be joined by "or", such as "a dog or a cat": make a watch of each.',
                )
            self._add(Clause(words, self.least, self._colour(words), self.movement, self.place))
        self.least, self.most = 1, None
        self.exactly = self.no = self.alternative = False
        self.colour = self.movement = self.place = None

    @property
    def _is_plain(self) -> bool:
        return self.least == 1 and self.most is None and self.colour is None

    def _add(self, clause: Clause) -> None:
        if self.most is not None:  # fewer than so many: not that many
            self.negative.append(replace(clause, at_least=self.most))
            self.newest = self.negative
        if self.most is None or self.exactly:
            self.newest = self.negative if self.no else self.positive
            self.newest.append(clause)

    def _colour(self, words: tuple[str, ...]) -> str | None:
        if self.colour is not None and "person" in words:
            self.unmatched.append(self.colour)
            self.notes.append("Of people no colour is seen: what they wear is not matched.")
            return None
        return self.colour

    def detail(self, *, movement: str | None = None, place: str | None = None) -> None:
        """Take a direction or place: of the thing just named, or of the next."""
        if not self.newest:
            self.movement, self.place = movement or self.movement, place or self.place
            return
        last = self.newest[-1]
        self.newest[-1] = replace(
            last, movement=movement or last.movement, place=place or last.place
        )

    def gone(self) -> None:
        """Turn the thing named last into one that must not be seen any more."""
        if not self.newest:
            self.no = self.after_seen = True
        else:
            if self.newest is self.positive:
                self.negative.append(self.positive.pop())
                self.newest = self.negative
            self.after_seen = True


def take_mark(reading: ClauseReading, mark_: str) -> None:
    """Do as a mark of `phrases` says.

    Raises:
        BadInput: If it counts further than can be counted.
    """
    kind, _, value = mark_.removeprefix("@").partition(":")
    match kind:
        case "no":
            reading.no = True
        case "gone":
            reading.gone()
        case "least":
            reading.least = max(1, _counted(int(value)))
            reading.no = reading.no or int(value) == 0
        case "fewer":
            reading.most = max(1, _counted(int(value)))
        case "exactly":
            reading.least, reading.most = max(1, int(value)), _counted(int(value) + 1)
            reading.exactly = int(value) > 0
        case "move":
            reading.detail(movement=value)
        case _:
            reading.detail(place=value.replace("-", " "))


def _counted(count: int) -> int:
    """Return `count` if things are told apart up to it.

    Raises:
        BadInput: If not.
    """
    if count > MOST_COUNTED:
        raise BadInput(
            f'Things are counted up to four; beyond that there is only "more than four", so {count} or '
            "more cannot be watched for.",
        )
    return count
