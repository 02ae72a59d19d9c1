"""Quiet streams out of films of the real world, as pixels: looked at by the model as a camera's would be.

A film's pictures are shown again and again, to and fro, each with its own noise and under light that
wanders and now and then jumps. What is watched for is what a question says is not in it; for an event
a film that shows it takes its place for a while.
"""

import asyncio
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from model.engine.contract import Engine
from model.types import Clip, ClipTokens
from model.vision.things import Thing
from model.vision.vocabulary import WordTable
from stream.file.film import open_film
from stream.watches.condition import Clause, Condition
from stream.watches.words.lexicon import Lexicon
from training.exams.film_cases import Case
from training.watches.quiet import CLIP_SECONDS, CLIPS_AN_HOUR
from training.watches.scores import Tally
from training.watches.trial import fires, told_of

# What *was* there is not there all the time.
ASKED = re.compile(r"is there (?:an? )?(.+?)\?", re.IGNORECASE)
SIDE = 448
MOST_PICTURES = 24
AT_ONCE = 4
BEFORE, EVENT, AFTER = 6, 6, 1
JUMP = 0.02


@dataclass(frozen=True, slots=True)
class Pair:
    """A film in which a thing is not, and one that shows it.

    Attributes:
        condition: What is watched for.
        without: The film without it.
        shows: A film that shows it; None if there is none.
    """

    condition: Condition
    without: Path
    shows: Path | None


def pairs_of(cases: Sequence[Case], table: WordTable) -> list[Pair]:
    """Return what can be watched for in the films of `cases`, by what is asked about them."""
    lexicon, shown, absent = Lexicon(table), list[tuple[Path, str]](), list[tuple[Path, str]]()
    for case in cases:
        found = ASKED.fullmatch(case.question)
        words, _ = lexicon.find(found[1].lower().split(), 0) if found else ((), 0)
        if words:
            (shown if case.is_right("yes") else absent).append((case.film, words[0]))
    where = {word: film for film, word in reversed(shown)}  # the first that shows it
    quiet = [Pair(_there(word), film, where.get(word)) for film, word in absent]
    films = [film for film, _ in absent]
    # What nothing was asked to be without is shown after a film of another kind of things.
    rest = [word for word in where if all(word != other for _, other in absent)]
    others = [Pair(_there(w), films[n % len(films)], where[w]) for n, w in enumerate(rest)]
    return [*quiet, *(p for p in others if p.without != p.shows)]


def _there(word: str) -> Condition:
    return Condition((Clause((word,)),))


class FilmTrial:
    """Shows films to a model and watches.

    Args:
        engine: The model.
        table: Its words.
        seed: Where chance begins.
    """

    def __init__(self, engine: Engine, table: WordTable, seed: int) -> None:
        self._engine = engine
        self._table = table
        self._random = np.random.default_rng(seed)

    async def run(self, pairs: Sequence[Pair], hours: float, say: Callable[[str], None]) -> Tally:
        """Return what became of every pair; the quiet hours are spread over the films evenly."""
        tally = Tally()
        quiet = [pair for pair in pairs if pair.without != pair.shows]
        for number, pair in enumerate(quiet):
            clips = round(hours * CLIPS_AN_HOUR / len(quiet))
            seen = await self._see([(pair.without, clips)])
            alarms = fires(pair.condition, seen, self._table)
            tally.add(Tally(alarms=len(alarms), hours=clips / CLIPS_AN_HOUR))
            if pair.shows is not None:
                parts = [(pair.without, BEFORE), (pair.shows, EVENT), (pair.without, AFTER)]
                fired = fires(pair.condition, await self._see(parts), self._table)
                tally.add(told_of(fired, BEFORE, BEFORE + EVENT))
            word = pair.condition.positive[0].words[0]
            say(f"{number + 1}/{len(quiet)} {word}: {len(alarms)} false, {tally.numbers()}")
        return tally

    async def _see(self, parts: Sequence[tuple[Path, int]]) -> list[Sequence[Thing]]:
        """Return the things of so many clips of each film, one after another."""
        clips = [
            clip
            for film, count in parts
            for clip in self._clips(await asyncio.to_thread(pictures, film), count)
        ]
        seen: list[ClipTokens] = []
        for at in range(0, len(clips), AT_ONCE):
            batch = [self._engine.encode(clip) for clip in clips[at : at + AT_ONCE]]
            seen += [encoded.tokens for encoded in await asyncio.gather(*batch)]
        found = await self._engine.things(seen)
        assert found is not None
        return found

    def _clips(self, frames: np.ndarray, count: int) -> Iterator[Clip]:
        light, sigma = 1.0, float(self._random.uniform(2, 10))
        to_and_fro = [*range(len(frames)), *range(len(frames) - 2, 0, -1)] or [0]
        each = self._engine.frames_per_clip
        for number in range(count):
            if self._random.random() < JUMP:
                light = float(self._random.uniform(0.6, 1.4))
            light += 0.02 * (1.0 - light) + float(self._random.normal(0, 0.01))
            chosen = [to_and_fro[(number * each + n) % len(to_and_fro)] for n in range(each)]
            noise = sigma * self._random.standard_normal(frames[chosen].shape, dtype=np.float32)
            pixels = np.clip(frames[chosen] * light + noise, 0, 255).astype(np.uint8)
            yield Clip(torch.from_numpy(pixels), number * CLIP_SECONDS, number * CLIP_SECONDS + 3)


def pictures(film: Path) -> np.ndarray:
    """Return up to so many pictures of a film, spread over it, small."""
    container, video = open_film(film)
    with container:
        frames = [f.to_ndarray(format="rgb24", width=SIDE * 4 // 3, height=SIDE) for f in container.decode(video)]  # fmt: skip
    step = max(1, len(frames) // MOST_PICTURES)
    return np.stack(frames[::step][:MOST_PICTURES])
