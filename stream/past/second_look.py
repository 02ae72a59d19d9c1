"""Which originals a question is answered from, once a folded history has said where to look.

A block that stands for minutes says what was there, not exactly when, where or how often. So a
question is first put to the folded history; what its evidence names is fetched from memory as it was
seen, and answers. Where the evidence names nothing that is folded there is nothing more to be seen.
"""

from collections.abc import Sequence
from dataclasses import replace

from model.types import Evidence

NAMED = 8
"""Blocks that are looked at again, at most."""
MOST_SECONDS = 2400.0
"""Media seconds that all of them may span; a block longer than what is left is passed over."""
BLOCKS = 32
"""What they are folded to, at most: they are read while someone waits."""

_LEAST = 0.05
"""Share of the mean below which what an empty question looks at is not divided by: it is mere chance."""

Span = tuple[float, float]


def calibrated(evidence: Sequence[Evidence], empty: Sequence[Evidence]) -> list[Evidence]:
    """Return evidence as far as the question made it, not the place in the history.

    A language model looks at what stands last whatever it is asked: of one picture that never changed
    `lite` gave the newest eighth two to six times its share. An empty question says how much.

    Args:
        evidence: Of a question.
        empty: Of an empty question put to the same history.
    """
    usual = {(one.start, one.end): one.score for one in empty}
    mean = 1 / max(len(empty), 1)
    scores = [
        one.score / max(usual.get((one.start, one.end), mean), _LEAST * mean) for one in evidence
    ]
    total = sum(scores) or 1.0
    return [replace(one, score=score / total) for one, score in zip(evidence, scores, strict=True)]


def named(evidence: Sequence[Evidence], clip_seconds: float) -> list[Span]:
    """Return the spans to look at again, with their neighbours, oldest first; none if none is folded.

    Args:
        evidence: Of the folded history, oldest first.
        clip_seconds: Length of a clip that is not folded, at most.
    """
    chosen: set[int] = set()
    left = MOST_SECONDS
    order = sorted(range(len(evidence)), key=lambda n: (-evidence[n].score, -n))
    for number in order[:NAMED]:
        for near in (number, number - 1, number + 1):
            if 0 <= near < len(evidence) and near not in chosen:
                seconds = evidence[near].end - evidence[near].start
                if seconds <= left and (near == number or seconds <= left / NAMED):
                    chosen.add(near)
                    left -= seconds
    spans = [(evidence[n].start, evidence[n].end) for n in sorted(chosen)]
    return spans if any(end - start > clip_seconds for start, end in spans) else []
