"""Spans of time in words, and how well two of them agree."""

import re
from collections.abc import Sequence

Span = tuple[float, float]

_RANGE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:s|sec|seconds?)?\s*(?:-|\u2013|to|and|until)\s*(\d+(?:\.\d+)?)", re.IGNORECASE)  # fmt: skip
_CLOCK = re.compile(r"\b(?:(\d{1,2}):)?(\d{1,2}):(\d{2}(?:\.\d+)?)\b")
_PUBLISHED_RANGE = re.compile(r"(\d+\.*\d*)\s*-\s*(\d+\.*\d*)")
_NUMBER = re.compile(r"\b(\d+\.\d+\b|\b\d+)\b")
_KEYWORDS = ("start", "end", "happen")


def said_spans(answer: str) -> list[Span]:
    """Return every span of time that `answer` names, in order: `12.5 - 18 s`, `1:05 to 1:20`."""
    text = _CLOCK.sub(lambda found: f"{_seconds(found):g}", answer)
    spans = [(float(start), float(end)) for start, end in _RANGE.findall(text)]
    return [(min(span), max(span)) for span in spans]


def published_span(answer: str) -> Span | None:
    """Return the span that the published script for Charades-STA reads in an answer."""
    text = answer.lower().replace("to", "-")
    if found := _PUBLISHED_RANGE.findall(text):
        start, end = (float(_shorter(number)) for number in found[0])
        return min(start, end), max(start, end)
    sentences = [s for s in re.split(r"[!?\n]", text) if any(word in s for word in _KEYWORDS)]
    firsts = [float(numbers[0]) for s in sentences if (numbers := _NUMBER.findall(s))]
    return (min(firsts[:2]), max(firsts[:2])) if len(firsts) >= 2 else None


def iou(one: Span, other: Span) -> float:
    """Return the intersection of two spans over their union; 0 for two that are empty."""
    together = max(one[1], other[1]) - min(one[0], other[0])
    common = min(one[1], other[1]) - max(one[0], other[0])
    return max(common, 0.0) / together if together > 0 else 0.0


def evidence_span(evidence: Sequence[tuple[float, float, float]]) -> Span | None:
    """Return the span that the clips an answer rests on make: around the best, while they weigh half.

    Args:
        evidence: Start, end and score of clips, oldest first, one after the other.
    """
    if not evidence:
        return None
    scores = [score for _, _, score in evidence]
    first = last = scores.index(max(scores))
    while first > 0 and scores[first - 1] >= max(scores) / 2:
        first -= 1
    while last < len(scores) - 1 and scores[last + 1] >= max(scores) / 2:
        last += 1
    return evidence[first][0], evidence[last][1]


def _seconds(found: re.Match[str]) -> float:
    hours, minutes, rest = found.groups()
    return int(hours or 0) * 3600 + int(minutes) * 60 + float(rest)


def _shorter(number: str) -> str:
    # The script's pattern takes "3..5" and "12." as well, on which it then fails.
    return re.sub(r"\.+", ".", number).rstrip(".")
