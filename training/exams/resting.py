"""Whether the clip that an answer rests on most shows what it is about."""

import re
from collections.abc import Sequence

from model.types import Evidence
from model.vision.vocabulary import WordTable
from training.questions import Asked
from training.streams.world import WorldStream

_MOST = 0.5
"""Share of the clips above which naming one of them says little."""


def clips_about(asked: Asked, stream: WorldStream, table: WordTable) -> frozenset[int] | None:
    """Return the clips that show what an answer names, or else what its question names.

    None where neither names a thing that was shown, or most clips show it.

    Args:
        asked: The question with its right answer.
        stream: Asked about.
        table: Of the words of things.
    """
    for text in (asked.answer, asked.question):
        named = _words(text, table)
        shown = frozenset(
            clip
            for scene in stream.scenes
            if any(thing.word in named for thing in scene.things)
            for clip in scene.clips
        )
        if shown:
            return shown if len(shown) <= _MOST * len(stream.seen) else None
    return None


def rests_on(
    evidence: Sequence[Evidence], clips: frozenset[int], stream: WorldStream
) -> bool | None:
    """Say whether most of the evidence lies in one of `clips`; None without evidence."""
    best = max(evidence, key=lambda one: one.score, default=None)
    if best is None:
        return None
    return any(
        stream.starts[clip] <= best.end and best.start <= stream.ends[clip] for clip in clips
    )


def _words(text: str, table: WordTable) -> set[int]:
    padded = f" {' '.join(re.findall('[a-z]+', text.lower()))} "
    return {
        number
        for number, word in enumerate(table.words)
        if f" {word.name} " in padded or f" {word.plural} " in padded
    }
