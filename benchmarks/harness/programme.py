"""What is shown and asked in an hour: parts of the sample in turn, some of them once only.

Scenes of real cameras come again and again; between them each of the drawn things is shown once, at a
known time. What is asked about these is right or wrong by the list beside the sample.
"""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
from PIL import Image

from training.sample_stream.sample_truth import LIST, SampleTruth, Showing, second_of

SAMPLE = LIST.with_name("sample.mp4")
ONCE = ("cat", "rocket", "elephant", "penguin", "clock", "star", "pizza", "circle")
"""What the parts of the sample that are shown once show."""
SHARES = (0.03, 0.13, 0.2, 0.33, 0.47, 0.6, 0.73, 0.92)
"""Where in that time each of them begins."""
SHOWN_SECONDS = 16.0
_NEAR = 8.0
"""Seconds by which a time that is told may be wrong: two clips."""


@dataclass(frozen=True, slots=True)
class ProgrammeItem:
    """A thing that is shown once.

    Attributes:
        thing: Its name.
        start: Second it begins at.
        words: Every word that is right for it.
        part: Which part of the sample shows it.
    """

    thing: str
    start: float
    words: frozenset[str]
    part: Showing

    @property
    def end(self) -> float:
        """Second it ends at."""
        return self.start + SHOWN_SECONDS


@dataclass(frozen=True, slots=True)
class Query:
    """A question about it.

    Attributes:
        kind: `what`, `when`, `ever` or `never`.
        text: In words.
        event: What it is about.
    """

    kind: str
    text: str
    event: ProgrammeItem

    def is_right(self, answer: str) -> bool:
        """Say whether `answer` is."""
        said = answer.lower()
        match self.kind:
            case "what":
                return any(re.search(rf"\b{re.escape(w)}s?\b", said) for w in self.event.words)
            case "when":
                second = second_of(answer)
                near = self.event.start - _NEAR, self.event.end + _NEAR
                return second is not None and near[0] <= second <= near[1]
            case "ever":
                return said.lstrip().startswith("yes")
        return said.lstrip().startswith(("no", "i have not"))


class Programme:
    """What is shown in so many seconds."""

    def __init__(self, seconds: float) -> None:
        parts = SampleTruth().shown(0.0, SampleTruth().length - 1)
        found = {thing: next(p for p in parts if thing in p.words) for thing in ONCE}
        self.events = [
            ProgrammeItem(thing, float(round(share * seconds)), found[thing].words, found[thing])
            for thing, share in zip(ONCE, SHARES, strict=True)
        ]
        self._usual = [part for part in parts if part not in found.values()]

    def sample_second(self, second: float) -> float:
        """Return the second of the sample that is shown at `second`."""
        for event in self.events:
            if event.start <= second < event.end:
                return event.part.start + (second - event.start) % _length(event.part)
        turn, within = divmod(second, _length(self._usual[0]))
        return self._usual[int(turn) % len(self._usual)].start + within

    def queries(self, age: float) -> Iterator[Query]:
        """Yield what is asked when so many seconds were shown: of what was, and two of what was not."""
        past = [event for event in self.events if event.end + _NEAR < age]
        for event in past:
            yield Query("what", f"What was shown at {event.start + 6:.0f} seconds?", event)
            yield Query("when", f"When was the {event.thing} shown?", event)
            yield Query("ever", f"Was there a {event.thing}?".replace("a e", "an e"), event)
        for event in [e for e in self.events if e.start > age][-2:]:
            yield Query("never", f"Was there a {event.thing}?".replace("a e", "an e"), event)


def pictures(path: Path = SAMPLE) -> list[bytes]:
    """Return one JPEG for every second of the sample."""
    found: list[bytes] = []
    with av.open(str(path)) as film:
        for frame in film.decode(video=0):
            if frame.time is not None and frame.time >= len(found):
                found.append(_jpeg(frame))
    return found


def _jpeg(frame: av.VideoFrame) -> bytes:
    out = io.BytesIO()
    Image.fromarray(frame.to_ndarray(format="rgb24")).save(out, "JPEG", quality=90)
    return out.getvalue()


def _length(part: Showing) -> float:
    return part.end - part.start
