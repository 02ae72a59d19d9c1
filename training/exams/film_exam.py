"""Ask about real films the way `flashback ask FILE` does, beside two controls of the same network.

A film is sampled and encoded once, then every question about it is put to three histories:

    seen    all of it
    last    its last clip alone (four frames): what a memory must beat on questions about the past
    blind   as many clips at the same times, every pixel grey: what can be guessed from the question,
            the film's length and the habits of the network, with nothing seen. Leaving the clips out
            would be another test: the network was never trained to answer without any.

Words of time are taken as they are for users (`web/time_words`): all are put the question without
them, and the range that they mean is what is seen of the film, and what is grey.
"""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import torch

from memory.local_store import LocalStore
from model.engine.contract import Engine, Past
from model.engine.pulling import GivenClips
from model.errors import NothingSeen
from model.types import AnswerPiece, Clip, ClipTokens, Finish, Question, Usage, Words
from stream.file.sampling import MOST
from stream.live import LiveStream
from stream.registry import Registry
from training.exams.film_cases import FilmCase
from web.cli.source.ask import frames_at_most
from web.cli.source.watch import look_at, watch
from web.errors import Failed
from web.pulled_sources import pull_settings
from web.settings import Settings
from web.stream_settings import stream_settings
from web.time_words.apply import apply
from web.time_words.extent import Reference

GREY = 127


@dataclass(frozen=True, slots=True)
class FilmAnswer:
    """A question and what was answered.

    Attributes:
        case: What was asked.
        seen: The answer of the network that saw the film.
        last: Of the network that saw its last clip alone; None without controls.
        blind: Of the network that saw nothing but grey; None without controls.
        rests: Whether the clip that a right answer rests on shows what it is about; None if unknown.
    """

    case: FilmCase
    seen: str
    last: str | None
    blind: str | None
    rests: bool | None = None


async def examine(
    engine: Engine,
    settings: Settings,
    cases: Iterable[FilmCase],
    progress: Callable[[FilmAnswer], None],
    *,
    controls: bool = True,
    times: bool = True,
) -> None:
    """Ask every case, film by film.

    Args:
        engine: The network.
        settings: How files are sampled.
        cases: What to ask.
        progress: Told of each answer.
        controls: Whether to ask those who saw less as well.
        times: Whether words of time in a question become a range, as they do for users.

    Raises:
        Failed: If not one picture of a film can be seen.
    """
    grey = await _grey(engine) if controls else None
    guessed: dict[tuple[Question, int, float], str] = {}
    by_film = sorted(cases, key=lambda case: str(case.film))
    for film, asked in groupby(by_film, key=lambda case: case.film):
        async with _watched(engine, settings, film) as (live, clips, length):
            for case in asked:
                question = Question(case.question, duration=length)
                if times:
                    question, _ = apply(question, Reference(length or clips[-1].end))
                seen, usage = await text_of(live.ask(question))
                if grey is None:
                    progress(FilmAnswer(case, seen, None, None))
                    continue
                # The range is in what they are shown; of the film's end there is only that.
                alone = replace(question, since=None, until=None)
                last = (
                    seen
                    if len(clips) == usage.clips == 1
                    else await _ask(engine, clips[-1:], replace(alone, duration=None))
                )
                looked = [c for c in clips if usage.start <= c.start <= usage.end]
                key = (question, len(looked), looked[-1].end)
                if key not in guessed:
                    unseen = [replace(grey, start=c.start, end=c.end) for c in looked]
                    guessed[key] = await _ask(engine, unseen, alone)
                progress(FilmAnswer(case, seen, last, guessed[key]))


@asynccontextmanager
async def _watched(
    engine: Engine, settings: Settings, film: Path
) -> AsyncIterator[tuple[LiveStream, list[ClipTokens], float | None]]:
    """Sample and encode a film; yield the stream that remembers it, its clips and its length.

    Raises:
        Failed: If not one picture can be seen.
    """
    store = LocalStore(engine.encoder, form=settings.stored_values, exact=engine.exact_columns)
    registry = Registry(
        engine=engine,
        store=store,
        settings=stream_settings(settings),
        wall=time.time,
        monotonic=time.monotonic,
    )
    try:
        live = await registry.open("film")
        subject = await look_at(str(film), None, pull_settings(settings))
        sampled = await watch(subject, live, lambda *_: None, frames_at_most(MOST, engine))
        await live.settle()
        clips = [tokens async for tokens in store.clips("film")]
        if not clips:
            raise Failed(f"{film} holds not one picture that can be seen", 2)
        yield live, clips, None if sampled is None else sampled.length
        await registry.forget("film")
    finally:
        await registry.close()


async def _grey(engine: Engine) -> ClipTokens:
    pixels = torch.full((engine.frames_per_clip, 224, 224, 3), GREY, dtype=torch.uint8)
    return (await engine.encode(Clip(pixels, 0.0, 0.0))).tokens


async def _ask(engine: Engine, clips: Sequence[ClipTokens], question: Question) -> str:
    """Return the answer of the network that saw `clips` and nothing else."""
    past = Past("control", GivenClips(clips), once=True)
    return (await text_of(engine.answer(past, question)))[0]


async def text_of(pieces: AsyncGenerator[AnswerPiece, None]) -> tuple[str, Usage]:
    """Return an answer whole, and what it was made from.

    Raises:
        Failed: If there was nothing to answer from.
    """
    text, finish = await whole(pieces)
    return text, finish.usage


async def whole(pieces: AsyncGenerator[AnswerPiece, None]) -> tuple[str, Finish]:
    """Return an answer whole, and how it ended.

    Raises:
        Failed: If there was nothing to answer from.
    """
    text = ""
    try:
        async with aclosing(pieces):
            async for piece in pieces:
                if isinstance(piece, Words):
                    text += piece.text
                else:
                    finish: Finish = piece
    except NothingSeen as error:
        raise Failed(str(error)) from None
    return text.strip(), finish
