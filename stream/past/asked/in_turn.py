"""Questions that came in one are answered one after the other, as if each had been asked alone.

"When did the cat come and when did it leave?"      "At 10 seconds. At 0:19."
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace

from model.types import AnswerPiece, Finish, Question, Turn, Usage, Words
from stream.past.asked.spelling import well_spelled_question
from stream.past.straight import asked_in_one

NOTHING_READ = Finish("stop", (), Usage(0, 0, 0, 0, 0, 0, 0.0, 0.0))
"""The end of what is answered without anything of the past."""

Answer = Callable[[Question], Awaitable[AsyncGenerator[AnswerPiece, None]]]
"""Finds the way to the answer of one question."""


async def in_turn(question: Question, answer: Answer) -> AsyncGenerator[AnswerPiece, None]:
    """Answer all that `question` asks, well spelled, one thing after the other; use `aclosing`.

    Args:
        question: In words as they came.
        answer: Answers one thing.
    """
    spelled, taken = await asyncio.to_thread(well_spelled_question, question)
    if taken:
        yield Words(taken)
    if spelled is None:
        yield NOTHING_READ
        return
    turns = spelled.conversation
    finishes: list[Finish] = []
    for part in asked_in_one(spelled):
        if finishes:
            yield Words(" ")
        said = ""
        left = question.tokens - sum(f.usage.answer_tokens for f in finishes)
        asked = replace(question, text=part, conversation=turns, tokens=max(left, 1))
        async with aclosing(await answer(asked)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Finish):
                    finishes.append(piece)
                else:
                    said += piece.text
                    yield piece
        if finishes[-1].reason != "stop":
            break
        turns = (*turns, Turn("user", part), Turn("assistant", said))
    yield finishes[0] if len(finishes) == 1 else _one_finish(finishes)


def _one_finish(finishes: Sequence[Finish]) -> Finish:
    """Return the end of all, with the evidence of all, a share each."""
    based = [finish for finish in finishes if finish.evidence]
    evidence = (replace(e, score=e.score / len(based)) for f in based for e in f.evidence)
    read = [finish.usage for finish in finishes if finish.usage.clips] or [finishes[-1].usage]
    usage = Usage(
        clips=max(u.clips for u in read),
        frames=max(u.frames for u in read),
        visual_tokens=max(u.visual_tokens for u in read),
        tokens_kept=max(u.tokens_kept for u in read),
        prompt_tokens=sum(u.prompt_tokens for u in read),
        answer_tokens=sum(u.answer_tokens for u in read),
        start=min(u.start for u in read),
        end=max(u.end for u in read),
    )
    return Finish(finishes[-1].reason, tuple(sorted(evidence, key=lambda e: e.start)), usage)
