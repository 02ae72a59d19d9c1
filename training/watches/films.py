"""Watches on pixels: hours of quiet footage, and events planted in it, looked at by the model as a camera's would be.

An hour is twelve parts of five minutes, each disturbed in its own way; parts of the same footage follow each other as
one stream. What each part showed is kept as it is found, so a run of hours that is cut short goes on where it was.
"""

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from model.engine.contract import Engine
from model.types import ClipTokens
from model.vision.things import Thing
from model.vision.vocabulary import WordTable
from stream.watches.condition import ABSENCE_SECONDS, Clause, Condition
from training.watches.disturbed import DISTURBANCES, Disturbance, clips_of
from training.watches.footage import WatchFootage, pictures
from training.watches.quiet import CLIPS_AN_HOUR
from training.watches.scores import Tally
from training.watches.trial import fires, told_of

PART = 75
"""Clips of a part: five minutes."""
EVENT = 6
_BEFORE, _AFTER = 30, 6
_AT_ONCE = 8

Shown = list[Sequence[Thing]]


@dataclass(frozen=True, slots=True)
class FilmPart:
    """Some minutes of footage under one disturbance.

    Attributes:
        name: Of the file that keeps what it showed.
        footage: Of what.
        disturbance: How it was disturbed.
        clips: How long it is.
        seed: Where its chance begins.
    """

    name: str
    footage: WatchFootage
    disturbance: Disturbance
    clips: int
    seed: tuple[int, ...]


@dataclass(slots=True)
class FootageStream:
    """What the parts of one footage showed, one after another."""

    footage: WatchFootage
    parts: list[tuple[FilmPart, Shown]] = field(default_factory=list)

    @property
    def shown(self) -> Shown:
        """All its clips."""
        return [things for _, part in self.parts for things in part]


def quiet_parts(
    footage: Sequence[WatchFootage], hours: float, seed: int, clips: int = PART
) -> list[FilmPart]:
    """Return the parts of so many quiet hours: all footage in turn, so that a run may be cut short."""
    count = round(hours * CLIPS_AN_HOUR / clips)
    return [
        FilmPart(
            f"quiet-{number:04d}",
            footage[number % len(footage)],
            DISTURBANCES[number // len(footage) % len(DISTURBANCES)],
            clips,
            (seed, 0, number),
        )
        for number in range(count)
    ]


class FilmTrial:
    """Shows footage to a model, and keeps what it saw.

    Args:
        engine: The model.
        table: Its words.
        keep: Folder for what each part showed; None keeps nothing.
        seed: Where chance begins.
        part: Clips of a part.
    """

    def __init__(
        self, engine: Engine, table: WordTable, keep: Path | None, seed: int, part: int = PART
    ) -> None:
        self._engine = engine
        self._table = table
        self._keep = keep
        self._seed = seed
        self._part = part

    async def run(
        self, footage: Sequence[WatchFootage], hours: float, events: int, say: Callable[[str], None]
    ) -> dict[str, Tally]:
        """Return what became of watches in so many quiet hours, and of so many planted events."""
        quiet = [one for one in footage if one.without]
        streams = {one.name: FootageStream(one) for one in quiet}
        parts = quiet_parts(quiet, hours, self._seed, self._part)
        for number, part in enumerate(parts):
            streams[part.footage.name].parts.append((part, await self.see(part)))
            say(f"quiet: {(number + 1) * self._part / CLIPS_AN_HOUR:.2f} hours")
        begun = [stream for stream in streams.values() if stream.parts]
        tallies = quiet_tallies(begun, self._table)
        tallies["film events"] = Tally()
        for number, (word, into, shows) in zip(range(events), planted(begun, footage), strict=False):  # fmt: skip
            part, before = into.parts[number % len(into.parts)]
            name, seed = f"event-{number:04d}", (self._seed, 1, number)
            seen = await self.see(FilmPart(name, shows, part.disturbance, EVENT, seed))
            told = told_in(before, seen, word, self._table)
            tallies["film events"].add(told)
            say(f"event {number + 1}: {word} of {shows.name} in {into.footage.name}, {part.disturbance}: {told.delays or 'missed'}")  # fmt: skip
        return tallies

    async def see(self, part: FilmPart) -> Shown:
        """Return what the model finds in each clip of a part."""
        kept = None if self._keep is None else self._keep / f"{part.name}.json"
        if kept is not None and kept.is_file():
            clips = json.loads(await asyncio.to_thread(kept.read_text))["clips"]
            return [[Thing(**thing) for thing in things] for things in clips]
        shown = await self._look(part)
        if kept is not None:
            about = {"footage": part.footage.name, "disturbance": part.disturbance}
            clips = [[asdict(thing) for thing in things] for things in shown]
            await asyncio.to_thread(_write, kept, json.dumps({**about, "clips": clips}))
        return shown

    async def _look(self, part: FilmPart) -> Shown:
        random, each = np.random.default_rng(part.seed), self._engine.frames_per_clip
        drawn = await asyncio.to_thread(pictures, part.footage, self._seed)
        clips = await asyncio.to_thread(clips_of, drawn, part.clips, each, part.disturbance, random)
        seen = list[ClipTokens]()
        for at in range(0, len(clips), _AT_ONCE):
            batch = [self._engine.encode(clip) for clip in clips[at : at + _AT_ONCE]]
            seen += [encoded.tokens for encoded in await asyncio.gather(*batch)]
        found = await self._engine.things(seen)
        assert found is not None
        return found


def _write(file: Path, text: str) -> None:
    """Write `file` whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_suffix(".part")
    beside.write_text(text)
    beside.replace(file)


def quiet_tallies(streams: Sequence[FootageStream], table: WordTable) -> dict[str, Tally]:
    """Return the false alarms of quiet streams.

    Of `film quiet` every stream has one watch, another one each five minutes: no hour counts twice. Of `every watch` all of
    them run all the time; of `nobody there` those for the absence of what is there throughout.
    """
    one, every, absence = Tally(), Tally(), Tally()
    for stream in streams:
        shown, without = stream.shown, stream.footage.without
        hours = len(shown) / CLIPS_AN_HOUR
        fired = {word: fires(there(word), shown, table) for word in without}
        every.add(Tally(alarms=sum(map(len, fired.values())), hours=hours * len(without)))
        mine = [at for word, at in _by_clip(fired, without) if at // PART % len(without) == word]
        one.add(Tally(alarms=len(mine), hours=hours))
        for word in stream.footage.shows:
            alarms = fires(nobody(word), shown, table)
            absence.add(Tally(alarms=len(alarms), hours=hours))
    return {"film quiet": one, "film quiet, every watch": every, "film, nobody there": absence}


def _by_clip(fired: dict[str, list[int]], words: Sequence[str]) -> Iterator[tuple[int, int]]:
    for number, word in enumerate(words):
        yield from ((number, clip) for clip in fired[word])


def planted(
    streams: Sequence[FootageStream], footage: Sequence[WatchFootage]
) -> Iterator[tuple[str, FootageStream, WatchFootage]]:
    """Yield, for ever, what appears, in which quiet stream without it, and the footage that shows it.

    Nothing is yielded if no quiet stream is without what some footage shows.
    """
    shown = [(word, one) for one in footage for word in one.shows]
    turn, idle = 0, 0
    while shown and streams and idle < len(shown) * len(streams):
        word, one = shown[turn % len(shown)]
        into = streams[(turn * 7 + turn // len(shown)) % len(streams)]
        turn += 1
        if word in into.footage.shows or into.footage is one or not _is_without(into.footage, word):
            idle += 1
            continue
        idle = 0
        yield word, into, one


def _is_without(footage: WatchFootage, word: str) -> bool:
    """Say whether `word` is not in `footage`: a drawn room holds nothing that has a name."""
    return footage.film is None or word in footage.without


def told_in(quiet: Shown, event: Shown, word: str, table: WordTable) -> Tally:
    """Plant what a part showed in quiet, and see whether, and when, it is told."""
    seen = [*quiet[:_BEFORE], *event, *quiet[_BEFORE : _BEFORE + _AFTER]]
    return told_of(fires(there(word), seen, table), _BEFORE, _BEFORE + len(event))


def there(word: str) -> Condition:
    """Return what a watch for `word` waits for, all else by default."""
    return Condition((Clause((word,)),))


def nobody(word: str) -> Condition:
    """Return what a watch for the absence of `word` waits for, all else by default."""
    return Condition(negative=(Clause((word,)),), hold_s=ABSENCE_SECONDS)
