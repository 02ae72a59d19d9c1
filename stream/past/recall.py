"""What a question about a stream is answered from: all of it, a range, parts, or a second look.

The engine makes a history of that out of memory. A range has one of its own: in the stream's history
every clip was read after all those before it, and what lies outside a range must not change the answer.
"""

import asyncio
import math
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import replace

from memory.store import ClipStore, Moment
from model.engine.contract import Engine, Past
from model.errors import NothingSeen
from model.types import AnswerPiece, Evidence, Finish, Question, Words
from stream.past.account import Account, plan_account, scenes_of, tell, too_much_at_once
from stream.past.account_words import account_wording
from stream.past.asides import aside
from stream.past.asked.in_turn import NOTHING_READ, in_turn
from stream.past.asked.unknown import unknown_word, with_doubt
from stream.past.counted.count import count, rests_on_a_glimpse
from stream.past.counted.words import Counting, asks_to_count
from stream.past.grounding import ground
from stream.past.presence import Shown
from stream.past.second_look import BLOCKS, SHOWN_BLOCKS, HistoryEntry, Span, named, shown
from stream.past.straight import in_one_straight_question
from stream.past.tense import as_of_the_past, asks_as_if_present
from stream.past.thing_index import ThingIndex

_EVERY = 1_000_000
_NEAREST = 4.0
"""Seconds to the clip that an instant between two clips is said to lie in, at most; in a film of which
frames were taken here and there it is the nearest, however far."""


class Recall:
    """What one stream's questions are answered from."""

    def __init__(
        self,
        stream: str,
        engine: Engine,
        store: ClipStore,
        *,
        looks_again: bool | None = None,
        index: ThingIndex | None = None,
    ) -> None:
        """Take what a stream's questions are answered from.

        Args:
            stream: Its name.
            engine: Answers.
            store: Holds the originals.
            looks_again: Whether what is asked about a folded history is looked at again, as it was
                seen; None is where words lead there.
            index: Knows what clips show; None is one of its own.
        """
        self._index = index or ThingIndex(engine, store)
        self._looks_again = looks_again
        self._stream = stream
        self._engine = engine
        self._store = store
        self._callers = 0
        self._closed = False

    @property
    def busy(self) -> bool:
        """Whether someone is being answered, or the history is being brought up to date."""
        return self._callers > 0

    @contextmanager
    def called(self) -> Iterator[None]:
        """Count someone who is being answered, or waits for it."""
        self._callers += 1
        try:
            yield
        finally:
            self._callers -= 1

    def close(self) -> None:
        """Answer nothing more: the stream may be deleted, and its name begun anew."""
        self._closed = True

    async def catch_up(self) -> None:
        """Have the history brought up to date: whoever expects a question does so ahead of it.

        Raises:
            StoreUnavailable: If memory cannot be read.
            EncoderMismatch: If what is remembered was made by another vision encoder.
        """
        with self.called():
            await self._engine.prepare(Past(self._stream, self._store))

    async def ask(self, question: Question) -> AsyncGenerator[AnswerPiece, None]:
        """Answer from everything remembered so far, as words come; use `aclosing`.

        Raises:
            NothingSeen: If no clip has been remembered, none in the time asked about, or the stream was closed or deleted
                meanwhile.
            StoreUnavailable: If memory cannot be read.
            EncoderMismatch: If what is remembered was made by another vision encoder.
            EngineBusy: If too many questions wait already, or too many streams are asked about.
            ModelError: `question_too_long`: it is longer than can be read at once; `engine_failed`: the
                network fails.
        """
        with self.called():
            async with aclosing(await self._way_to_answer(question)) as pieces:
                async for piece in pieces:
                    yield piece

    async def _way_to_answer(self, question: Question) -> AsyncGenerator[AnswerPiece, None]:
        """Return the answer to all that `question` asks, well spelled."""
        if await self._engine.things([]) is None:
            return await self._way_of_one(question)
        return in_turn(question, self._way_of_one)

    async def _way_of_one(self, question: Question) -> AsyncGenerator[AnswerPiece, None]:
        """Return the answer: counted, told in parts, or written from one past; or what is asked back."""
        if has_words := await self._engine.things([]) is not None:
            whole = in_one_straight_question(question)
            if isinstance(whole, str):
                return _at_once(Words(whole), NOTHING_READ)
            question = whole
        if not self._engine.follow_ups:  # Earlier lines would lead it astray.
            question = replace(question, conversation=())
        past, question = await self._past_of(question)
        if has_words:
            if counted := await self._counted(past, question):
                return _at_once(*counted)
            question, account = await self._account(past, question)
            if account is not None:
                return tell(account, question, self._answer_from)
            question = await self._of_what_is_gone(past, question)
        past = await self._second_look(past, question)
        answer = self._answer(past, question)
        return await self._with_doubt(past, question, answer) if has_words else answer

    async def _counted(self, past: Past, question: Question) -> tuple[Words, Finish] | None:
        """Return the answer to what needs no language model; None if `question` needs one."""
        if said := aside(question.text):
            return Words(said), NOTHING_READ
        if (asked := asks_to_count(question.text)) is None:
            return (Words(said), NOTHING_READ) if (said := unknown_word(question.text)) else None
        clips = await self._shown(past, question)
        if not clips:
            return None
        # Beside the event loop: of a day it takes a tenth of a second, or a few.
        return await asyncio.to_thread(count, asked, clips, question)

    async def _with_doubt(
        self, past: Past, question: Question, answer: AsyncGenerator[AnswerPiece, None]
    ) -> AsyncGenerator[AnswerPiece, None]:
        """Return a written `answer` with a "perhaps", if it can be no more than a guess."""
        glimpsed = False
        if isinstance(asked := asks_to_count(question.text), Counting):
            clips = await self._shown(past, question)
            glimpsed = await asyncio.to_thread(rests_on_a_glimpse, asked, clips)
        return with_doubt(question.text, answer, glimpsed=glimpsed)

    async def _of_what_is_gone(self, past: Past, question: Question) -> Question:
        """Return `question`, as of the past if it asks how something is that is no longer there."""
        if not asks_as_if_present(question.text):
            return question
        history = await self._shown(past, question)
        return (
            replace(question, text=as_of_the_past(question.text, history)) if history else question
        )

    def _answer_from(
        self, spans: Sequence[Span], question: Question
    ) -> AsyncGenerator[AnswerPiece, None]:
        """Answer from parts of the past alone."""
        return self._answer(Past(self._stream, self._store, tuple(spans), once=True), question)

    async def _answer(self, past: Past, question: Question) -> AsyncGenerator[AnswerPiece, None]:
        if self._closed:
            raise NothingSeen("This stream was closed or deleted meanwhile: ask again.")
        written = self._engine.answer(past, question)
        async with aclosing(ground(written, question.text, self._stream, self._index)) as pieces:
            async for piece in pieces:
                yield piece

    async def _account(self, past: Past, question: Question) -> tuple[Question, Account | None]:
        """Return what is to be told in parts, if `question` asks for an account and there is much.

        It comes with the question as it is to be put otherwise.
        """
        wording = account_wording(question.text)
        if wording is None:
            return question, None
        clips = await self._shown(past, question)
        scenes = await asyncio.to_thread(scenes_of, clips, self._engine.frames_per_clip)
        if too_much_at_once(scenes):
            return question, plan_account(scenes)
        return replace(question, text=wording), None

    async def _shown(self, past: Past, question: Question) -> Sequence[Shown]:
        """Return what `past` shows, clip by clip; of more than is gone through so, its blocks."""
        remembered = await self._index.read(self._stream, past.spans[0][0], past.spans[-1][1])
        if remembered.whole:
            return remembered.clips
        await self._engine.prepare(past)
        return [
            Shown(s.tokens.start, s.tokens.end, tuple(s.things), s.tokens.frames)
            for s in await self._seen(past, question)
        ]

    async def _past_of(self, question: Question) -> tuple[Past, Question]:
        """Return what `question` is answered from, and how to ask it of that.

        An instant between two clips is asked of the nearer one.

        Raises:
            NothingSeen: If no clip has been remembered, or none in the time asked about.
        """
        whole = Past(self._stream, self._store)
        if question.since is None and question.until is None:
            return whole, question
        clips = await self._in_range(question)
        if not clips:
            raise await self._refusal(question)
        grows = question.until is None
        # What comes after a range would move the positions of the question.
        if grows and await self._is_live(clips):
            return whole, question
        if question.since == question.until:
            question = replace(question, since=clips[0].start, until=clips[-1].start)
        span = (clips[0].start, math.inf if grows else clips[-1].start)
        # What is looked at is no longer the whole film, so its length says nothing of it.
        return Past(self._stream, self._store, (span,)), replace(question, duration=None)

    async def _second_look(self, past: Past, question: Question) -> Past:
        """Return what answers: the originals of what a folded `past` names, or `past` itself."""
        if self._looks_again is False:
            return past
        has_words = await self._engine.things([]) is not None
        if not (has_words or self._looks_again) or not await self._engine.prepare(past):
            return past
        frames = self._engine.frames_per_clip
        if has_words:
            seen = await self._seen(past, question)
            spans, most = shown(question.text, seen, frames), SHOWN_BLOCKS
        else:
            spans, most = named(await self._glance(past, question), frames), BLOCKS
        if not spans:
            return past
        return Past(self._stream, self._store, tuple(spans), most, once=True)

    async def _seen(self, past: Past, question: Question) -> list[HistoryEntry]:
        """Return what the history of `past` is made of, and shows."""
        if not (blocks := await self._engine.blocks(past)):
            await self._glance(past, question)  # which waits until all clips are taken
            blocks = await self._engine.blocks(past)
        things = await self._engine.things(blocks) or []
        return [HistoryEntry(*both) for both in zip(blocks, things, strict=True)]

    async def _glance(self, past: Past, question: Question) -> Sequence[Evidence]:
        """Return the evidence of a question that is read, and not answered."""
        glance = replace(question, tokens=0)
        async with aclosing(self._engine.answer(past, glance)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Finish):
                    return piece.evidence
        return ()

    async def _in_range(self, question: Question) -> list[Moment]:
        """Return the clips asked about."""
        since = -math.inf if question.since is None else question.since
        until = math.inf if question.until is None else question.until
        inside = await self._store.moments(self._stream, since, _EVERY, until=until)
        # The clip that had begun by then may reach into it.
        before = await self._store.moments(self._stream, limit=1, until=min(since, until))
        reaching = [moment for moment in before if moment.end >= since]
        if since == until and not (inside or reaching):
            return await self._beside(since, before, question)
        return reaching + inside

    async def _beside(
        self, instant: float, before: Sequence[Moment], question: Question
    ) -> list[Moment]:
        """Return the clip nearest to an instant that lies in none: between two samples of one scene.

        Args:
            instant: In media seconds.
            before: The clip before it, if there is one.
            question: Says whether it is about a whole film.
        """
        reach = _NEAREST if question.duration is None else math.inf
        after = await self._store.moments(self._stream, instant, _EVERY, until=instant + reach)
        near = [(instant - clip.end, clip) for clip in before]
        near += [(clip.start - instant, clip) for clip in after[:1]]
        found = min(near, key=lambda one: one[0], default=None)
        return [found[1]] if found is not None and found[0] <= reach else []

    async def _is_live(self, clips: Sequence[Moment]) -> bool:
        """Say whether the stream's own history holds these clips and nothing else."""
        if await self._store.moments(self._stream, limit=1) != clips[-1:]:
            return False
        earlier = math.nextafter(clips[0].start, -math.inf)
        return not await self._store.moments(self._stream, limit=1, until=earlier)

    async def _refusal(self, question: Question) -> NothingSeen:
        since, until = question.since, question.until
        asked = "" if since is None else f" from {since:g} s"
        asked += " on" if until is None else f" up to {until:g} s"
        held = await self._store.moments(self._stream, limit=_EVERY)
        if not held:
            return NothingSeen("Nothing has been seen on this stream yet.")
        span = f"from {held[0].start:.1f} to {held[-1].end:.1f} s"
        message = f"Nothing was seen{asked}; what is remembered of this stream goes {span}."
        return NothingSeen.in_range(message, (held[0].start, held[-1].end))


async def _at_once(words: Words, finish: Finish) -> AsyncGenerator[AnswerPiece, None]:
    yield words
    yield finish
