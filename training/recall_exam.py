"""What a day is asked about, and what makes an answer right: recall by age and kind of question.

Every event gives a question of each kind; questions about what was never shown stand beside those
about what was. An answer has its evidence beside it: whether the moment that weighed most in it lies
in the event.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from model.history import History
from model.language.dropout import Tokens
from model.language.prompt import VisibleSpan
from model.language.sampling import TextStream
from model.reading import Reading
from model.types import ClipTokens, Evidence, Question
from model.video_chat import VideoChat
from model.vision.things import place_of
from model.vision.vocabulary import Word, with_article
from training.day import Day, Event
from training.dialogue.now import NUMBERS

KINDS = ("what", "when", "order", "count", "where", "ever", "never")
LONGEST = 24
NEAR = 8.0
"""Seconds by which a time may be wrong, or `NEAR_SHARE` of how long ago it was, if that is more."""
NEAR_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class Case:
    """One question about a day.

    Attributes:
        kind: One of `KINDS`.
        age: How long ago its event was, in seconds; of what never was, that of the event beside it.
        text: The question.
        right: Says whether an answer is right.
        moment: Where the event lies, in media seconds; None if it never was.
    """

    kind: str
    age: float
    text: str
    right: Callable[[str], bool]
    moment: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was answered.

    Attributes:
        case: The question.
        answer: In words.
        right: Whether it is.
        found: Whether the evidence that weighs most lies in the event; None if there is no event.
    """

    case: Case
    answer: str
    right: bool
    found: bool | None


def cases(day: Day) -> Iterator[Case]:
    """Yield every question about `day`."""
    table = day.world.table
    for number, event in enumerate(day.events):
        one, several = table[event.one.word], table[event.several.word]
        first, then = (event.start, event.turn), (event.turn, event.end)
        whole = (event.start, event.end)
        at = event.start + (event.turn - event.start) / 2

        def case(kind: str, text: str, right: Callable[[str], bool], moment: tuple[float, float] | None, age: float = event.age) -> Case:  # fmt: skip
            return Case(kind, age, text, right, moment)

        yield case("what", f"What was shown at {at:.0f} seconds?", _names(one), first)
        yield case("when", f"When was the {one.name} shown?", _tells_time(event), first)
        yield case("order", f"What came after the {one.name}?", _names(several), whole)
        said = NUMBERS[event.several.count]
        yield case("count", f"How many {several.plural} were there?", _says(said), then)
        yield case("where", f"Where was the {one.name}?", _says(*place_of(event.one).split()), first)  # fmt: skip
        yield case("ever", f"Was there {with_article(one.name)}?", _begins("yes"), first)
        never = table[day.absent[number % len(day.absent)]]
        yield case("never", f"Was there {with_article(never.name)}?", _begins("no", "i have not"), None)  # fmt: skip


class Pupil:
    """Who is asked: a history, or nobody who has seen anything.

    Args:
        service: The network.
        clips: What the history is made of; none at all is blind.
        end: Media time at which is asked, in seconds.
    """

    def __init__(self, service: VideoChat, clips: Sequence[ClipTokens], end: float) -> None:
        self._service, self._end = service, end
        self.history: History | None = None
        if clips:
            self.history = service.open()
            service.extend(self.history, clips)

    def read(self, text: str) -> tuple[Reading, tuple[Evidence, ...]]:
        """Read a question; return from what its answer is written, and the evidence."""
        if self.history is None:
            return self._blind(text), ()
        asked = self._service.ask(self.history, Question(text))
        assert asked is not None
        return asked.reading, self._service.evidence(asked)

    def _blind(self, text: str) -> Reading:
        prompt, embed = self._service.prompt, self._service.parts.decoder.embed
        ids = [*prompt.prefix(), *prompt.suffix(Question(text), VisibleSpan(0.0, self._end, 4))]
        with torch.inference_mode():
            return self._service.reader.read(Tokens.of_text(embed(torch.tensor(ids))))

    def write(self, reading: Reading) -> str:
        """Return the greedy answer."""
        text, words = TextStream(self._service.prompt.tokenizer), ""
        for _ in range(LONGEST):
            token = int(reading.logits.argmax())
            if token == self._service.prompt.end:
                break
            words += text.add(token)
            self._service.reader.step([reading], [token])
        return words


def found(case: Case, evidence: Sequence[Evidence]) -> bool | None:
    """Return whether the evidence that weighs most lies in the event."""
    if case.moment is None or not evidence:
        return None
    best = evidence[int(np.argmax([one.score for one in evidence]))]
    return best.start <= case.moment[1] and best.end >= case.moment[0]


def _words(answer: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", answer.lower())


def _says(*keys: str) -> Callable[[str], bool]:
    def right(answer: str) -> bool:
        said = f" {' '.join(_words(answer))} "
        return all(f" {key} " in said for key in keys)

    return right


def _names(word: Word) -> Callable[[str], bool]:
    called = [" ".join(_words(name)) for name in (word.name, word.plural, *word.others)]

    def right(answer: str) -> bool:
        return any(_says(name)(answer) for name in called)

    return right


def _begins(*starts: str) -> Callable[[str], bool]:
    def right(answer: str) -> bool:
        return " ".join(_words(answer)).startswith(starts)

    return right


def _tells_time(event: Event) -> Callable[[str], bool]:
    near = max(NEAR, NEAR_SHARE * event.age)

    def right(answer: str) -> bool:
        told = [float(word) for word in _words(answer) if word.isdigit()]
        return bool(told) and event.start - near <= told[0] <= event.turn + near

    return right
