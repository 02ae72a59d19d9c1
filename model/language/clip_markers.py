"""The text before each clip: when it began and, where the network can tell, what is new in it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from model.language.prompt import Prompt
from model.types import ClipTokens
from model.vision.changes import SceneSoFar

NOTE_POSITIONS = 4
"""Positions that notes take for each clip, on the average of a history at most."""
SPARE_POSITIONS = 600
"""Positions that notes may be ahead of that average."""
LATE = 1e6
"""Media seconds of the clip whose time marker stands for those of all: eleven days, and later ones are
hardly longer."""

Note = Callable[[SceneSoFar | None, ClipTokens], tuple[str, SceneSoFar | None]]
"""Given what has been shown up to the clip before, says what is new in a clip, and what has been shown
with it. Called on the thread that reads histories."""


@dataclass(frozen=True, slots=True)
class Noted:
    """How far the notes of a history have come.

    Attributes:
        scene: What has been shown since the last scene began.
        spare: Positions left for notes.
    """

    scene: SceneSoFar | None = None
    spare: int = SPARE_POSITIONS


class ClipMarkers:
    """Writes the markers of one network's histories.

    Args:
        prompt: How the language model is spoken to.
        note: Says what is new in a clip; None where nobody can.
    """

    def __init__(self, prompt: Prompt, note: Note | None) -> None:
        self._prompt, self._note = prompt, note

    @property
    def positions(self) -> int:
        """How many positions a clip's marker takes, on the average of a history at most."""
        return len(self._prompt.marker(LATE)) + (NOTE_POSITIONS if self._note else 0)

    @property
    def spare(self) -> int:
        """How many positions the markers of a history may take beyond that."""
        return SPARE_POSITIONS if self._note else 0

    def write(self, noted: Noted, clips: Sequence[ClipTokens]) -> tuple[list[list[int]], Noted]:
        """Return the tokens before each of `clips`, and how far the notes have come with them.

        A note that there is no room for is left out: a stream that changes all the time takes no more
        positions than there are.

        Args:
            noted: As of the clip before; `Noted()` before the first.
            clips: The next ones, oldest first.
        """
        markers = []
        for clip in clips:
            marker, noted = self._next(noted, clip)
            markers.append(marker)
        return markers, noted

    def _next(self, noted: Noted, clip: ClipTokens) -> tuple[list[int], Noted]:
        plain = self._prompt.marker(clip.start)
        if self._note is None:
            return plain, noted
        note, scene = self._note(noted.scene, clip)
        marker = self._prompt.marker(clip.start, note) if note else plain
        spare = min(noted.spare + NOTE_POSITIONS, SPARE_POSITIONS) - (len(marker) - len(plain))
        if spare < 0:
            return plain, replace(noted, scene=scene, spare=noted.spare + NOTE_POSITIONS)
        return marker, Noted(scene, spare)
