"""Which clips an answer in words rests on: those that show what it names.

The language model's attention says which clips a question drew it to, and is no good witness of one clip
alone: it passes over the first of a history, whatever that shows. Where tokens have words (`lite`), clips
that show none of what the answer names, or the question if the answer names nothing ("Yes, at 0
seconds."), are no evidence for it. Among those that do, attention says which; where it hardly looked at
any of them, they share alike, as the clips of counted answers do.
"""

import asyncio
import logging
import re
from bisect import bisect_left
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import replace

from memory.errors import StoreUnavailable
from model.types import AnswerPiece, Evidence, Finish, Words
from model.vision.things import SURE
from model.vision.vocabulary import word_table
from stream.past.presence import Shown
from stream.past.second_look import named_words
from stream.past.thing_index import ThingIndex

log = logging.getLogger(__name__)
_HARDLY = 0.05
"""Share of all attention below which clips that show what is named were passed over."""
_DENIAL = re.compile(
    r"\s*(?:no\b|not\b|none\b|never\b|nothing\b|nobody\b|i have not\b)", re.IGNORECASE
)


async def ground(
    pieces: AsyncGenerator[AnswerPiece, None], question: str, stream: str, index: ThingIndex
) -> AsyncGenerator[AnswerPiece, None]:
    """Yield a written answer, with the clips that show what it names as its evidence.

    Args:
        pieces: The answer, with evidence by attention; closed with this.
        question: In words.
        stream: The name of what was asked about.
        index: Knows what its clips show.
    """
    answer = ""
    async with aclosing(pieces):
        async for piece in pieces:
            if isinstance(piece, Words):
                answer += piece.text
                yield piece
            else:
                yield replace(piece, evidence=await _found(piece, question, answer, stream, index))


async def _found(
    finish: Finish, question: str, answer: str, stream: str, index: ThingIndex
) -> tuple[Evidence, ...]:
    evidence = finish.evidence
    if not evidence:
        return evidence
    try:
        seen = await index.read(stream, evidence[0].start, evidence[-1].end)
    except StoreUnavailable as error:
        # The answer is told already; that memory went away meanwhile does not make it a wrong one.
        log.warning("%s: an answer's evidence is attention alone: %s", stream, error)
        return evidence
    if not seen.whole:
        return evidence
    return await asyncio.to_thread(grounded, evidence, question, answer, seen.clips)


def grounded(
    evidence: Sequence[Evidence], question: str, answer: str, clips: Iterable[Shown]
) -> tuple[Evidence, ...]:
    """Return `evidence` of an answer, of the clips alone that show what is named.

    All of it stays where nothing is named or shown, and of an answer that says no: that rests on
    everything that was looked at.

    Args:
        evidence: By attention, oldest first; its scores sum to 1.
        question: In words.
        answer: In words.
        clips: What was shown meanwhile, oldest first.
    """
    table = word_table()
    words = named_words(answer.lower(), table) or named_words(question.lower(), table)
    if not words or _DENIAL.match(answer):
        return tuple(evidence)
    seen = [(clip.start, clip.end, _sureness(words, clip)) for clip in clips]
    surest = max((sure for _, _, sure in seen), default=0.0)
    enough = SURE if surest >= SURE else 0.0
    showing = [(start, end) for start, end, sure in seen if sure > 0 and sure >= enough]
    ends = [end for _, end in showing]
    shows = [
        (first := bisect_left(ends, one.start)) < len(showing) and showing[first][0] <= one.end
        for one in evidence
    ]
    if not any(shows):
        return tuple(evidence)
    looked = sum(one.score for one, is_shown in zip(evidence, shows, strict=True) if is_shown)
    alike = 1 / sum(shows)
    return tuple(
        replace(one, score=(one.score / looked if looked > _HARDLY else alike) if is_shown else 0.0)
        for one, is_shown in zip(evidence, shows, strict=True)
    )


def _sureness(words: frozenset[int], clip: Shown) -> float:
    return max((thing.sure for thing in clip.things if thing.word in words), default=0.0)
