"""Whether an answer about the sample stream is right, by the list of what it shows when.

The sample repeats, so a thing is shown again and again: an answer may mean any showing so far. A
model sees a clip when it is over, so what is shown "now" is what was shown in the last seconds.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import web

LIST = Path(web.__file__).parent / "sample" / "sample.json"
NOW = 7.0
"""Seconds up to a question whose pictures count as those of now: a clip, and the wait for it."""
EARLY, LATE = 4.0, 2.0
"""Seconds that a time may lie before a showing (its clip begins there) or after it."""


@dataclass(frozen=True, slots=True)
class Showing:
    """One part of the sample, at one of its rounds.

    Attributes:
        start: Second it begins at, since the sample began.
        end: Second it ends at.
        words: Every word that is right for something it shows.
    """

    start: float
    end: float
    words: frozenset[str]


class SampleTruth:
    """What the sample shows.

    Args:
        path: The list beside the film.
    """

    def __init__(self, path: Path = LIST) -> None:
        parts = json.loads(path.read_text(encoding="utf-8"))
        self._parts = [
            Showing(
                part["start"],
                part["end"],
                frozenset(w for s in part["shows"] for w in (s["word"], *s["also"])),
            )
            for part in parts
        ]
        self.length = self._parts[-1].end

    def shown(self, since: float, until: float) -> list[Showing]:
        """Return what is shown between two seconds since the sample began, in order."""
        rounds = range(int(max(since, 0.0) // self.length), int(until // self.length) + 1)
        showings = (
            Showing(part.start + n * self.length, part.end + n * self.length, part.words)
            for n in rounds
            for part in self._parts
        )
        return [each for each in showings if each.start <= until and each.end > since]

    def is_right(self, kind: str, thing: str | None, answer: str, at: float) -> bool:
        """Say whether `answer` is right.

        Args:
            kind: What the question asks for, see `web.http.lookback.suggestions.Kind`.
            thing: What it is about.
            answer: In words.
            at: When it was asked, in seconds since the sample began.

        Raises:
            ValueError: If nobody knows what is right for questions of this kind.
        """
        now, past = self.shown(at - NOW, at), self.shown(0.0, at)
        match kind:
            case "see":
                return _names(answer, now)
            case "first":
                return _names(answer, past[:1])
            case "happened":
                return _names(answer, past)
            case "present":
                return _present(answer, [thing in showing.words for showing in now])
            case "was":
                return _present(answer, [any(thing in showing.words for showing in past)])
            case "when":
                return _in_time(answer, [s for s in past if thing in s.words])
            case "before" | "after":
                return _names(answer, self._beside(thing, past, -1 if kind == "before" else 1))
        raise ValueError(f"what is right for questions of the kind {kind} is not known")

    def _beside(self, thing: str | None, past: Sequence[Showing], step: int) -> Iterator[Showing]:
        """Yield what comes `step` parts beside `thing`, where that is something else."""
        for number, showing in enumerate(past):
            there = number + step
            if thing in showing.words and 0 <= there < len(past) and thing not in past[there].words:
                yield past[there]


def _present(answer: str, there: Sequence[bool]) -> bool:
    """Say whether yes or no ("Not now.") is right; where that changed just now, both are."""
    yes, no = (re.match(rf"\W*{word}\b", answer.lower()) for word in ("yes", "not?"))
    return bool((yes and any(there)) or (no and not all(there)))


def _names(answer: str, showings: Iterable[Showing]) -> bool:
    words = {word for showing in showings for word in showing.words}
    return any(re.search(rf"\b{re.escape(word)}(s|es)?\b", answer.lower()) for word in words)


def _in_time(answer: str, showings: Iterable[Showing]) -> bool:
    second = second_of(answer)
    return second is not None and any(
        showing.start - EARLY <= second <= showing.end + LATE for showing in showings
    )


def second_of(answer: str) -> float | None:
    """Return the first time that `answer` names, in seconds; None if there is none.

    It may be put as `75 seconds`, `1:15`, `0:01:15` or `1 minute and 15 seconds`.
    """
    if clock := re.search(r"\b(?:(\d+):)?(\d+):(\d\d)\b", answer):
        return 3600.0 * int(clock[1] or 0) + 60.0 * int(clock[2]) + int(clock[3])
    if minutes := re.search(r"(\d+) minutes?(?:,? (?:and )?(\d+) seconds?)?", answer):
        return 60.0 * int(minutes[1]) + int(minutes[2] or 0)
    number = re.search(r"\d+(\.\d+)?", answer)
    return float(number[0]) if number else None
