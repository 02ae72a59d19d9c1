"""Makes of a question with words of time one about that range, for every way that questions come in."""

import asyncio
from dataclasses import replace
from datetime import tzinfo

from model.types import Question
from stream.status import StreamStatus
from web.time_words.extent import Reference
from web.time_words.understand import NOTHING_ELSE, TimeAsked, understand

_LINES_BACK = 4
"""Lines of the user's that are looked through for what "And at 20 seconds?" asks."""


def reference_of(status: StreamStatus, now: float, zone: tzinfo | None) -> Reference:
    """Return what words of time about a stream are measured from.

    Of a stream that nothing feeds any more "the last minute" is the last that it showed.

    Args:
        status: Of the stream.
        now: Unix seconds.
        zone: Of whoever asks; None is where this process runs.
    """
    ended = status.end if status.state == "ended" else None
    return Reference(now - status.began, status.began, zone, ended)


def apply(question: Question, reference: Reference) -> tuple[Question, TimeAsked | None]:
    """Return the question to put, and what was understood of its words of time, if it has any.

    The range that a client gives itself (`since`, `until`) counts, not words.

    Args:
        question: Its last line is what was asked; instructions may stand before it.
        reference: The time of whoever asks.
    """
    if question.since is not None or question.until is not None:
        return question, None
    told, gap, asked = question.text.rpartition("\n")
    if (found := understand(asked, reference)) is None:
        return question, None
    rest = found.rest or _asked_before(question, reference)
    return (
        replace(question, text=told + gap + rest, since=found.since, until=found.until),
        replace(found, rest=rest),
    )


async def apply_aside(
    question: Question, reference: Reference
) -> tuple[Question, TimeAsked | None]:
    """Do as `apply` does, in a thread: a question made for it takes tens of milliseconds."""
    return await asyncio.to_thread(apply, question, reference)


def _asked_before(question: Question, reference: Reference) -> str:
    """Return what "And at 20 seconds?" asks: the question before it, if there was one."""
    lines = [turn for turn in question.conversation if turn.role == "user"]
    for turn in reversed(lines[-_LINES_BACK:]):
        if (before := understand(turn.text, reference)) is None:
            return turn.text
        if before.rest is not None:
            return before.rest
    return NOTHING_ELSE
