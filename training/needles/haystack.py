"""Long films of which every frame is another, and pictures to hide in them as pixels.

The published needle test repeats half of its haystack, and puts needles in as embeddings at the
beginning of a clip. Here a needle is a picture like any other frame, at any place of its clip.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import av
import numpy as np
import torch
from PIL import Image

from model.engine.contract import Engine
from model.types import Clip, ClipTokens
from model.video_chat import VideoChat
from model.vision.things import SURE
from model.vision.vocabulary import word_table
from training.drawn.backgrounds import HELD_OUT_KINDS, Pixels, background
from training.drawn.drawings import Sprites
from training.drawn.scenes import COLOURS, DrawnThing, Placement, paste, thing_picture
from training.errors import BadData
from training.needles.asking import Live, Memory, ReadOnce

Frames = Callable[[int], Pixels]
BATCH = 8
"""Clips encoded at once."""


def drawn_frames(seed: int, side: int) -> Frames:
    """Return frames of drawn patterns, no two alike, on which nothing is to be seen."""

    def frame(number: int) -> Pixels:
        kind = HELD_OUT_KINDS[number % len(HELD_OUT_KINDS)]
        return background(kind, seed * 1_000_003 + number, side, side)

    return frame


def recorded_frames(films: Sequence[Path], count: int, side: int) -> Frames:
    """Return `count` frames of films, one after the other, each frame of a film at most once.

    Raises:
        BadData: If they have not so many.
    """
    kept: list[Pixels] = []
    for film in films:
        with av.open(str(film)) as container:
            for frame in container.decode(video=0):
                if len(kept) == count:
                    break
                pixels = frame.reformat(width=side, height=side, format="rgb24").to_ndarray()
                kept.append(pixels.astype(np.uint8, copy=False))
    if len(kept) < count:
        raise BadData(f"{len(films)} films have {len(kept)} frames; {count} are wanted")
    return kept.__getitem__


def picture(things: Sequence[DrawnThing], sprites: Sprites, seed: int, side: int) -> Pixels:
    """Return a frame that shows `things` beside each other."""
    avoid = next((COLOURS[thing.colour] for thing in things if thing.colour), None)
    canvas = Image.fromarray(background(HELD_OUT_KINDS[seed % 2], seed, side, side, avoid=avoid))
    size = 0.55 if len(things) == 1 else 0.4
    for number, thing in enumerate(things):
        place = Placement(number, (number + 0.5) / len(things), 0.5, size)
        paste(canvas, thing_picture(thing, sprites), place, 1.0)
    return np.asarray(canvas)


@dataclass(frozen=True, slots=True, eq=False)
class Haystack:
    """A long film, looked at once; needles cost one clip each.

    Attributes:
        chat: The network that looks.
        frames: Every frame by its number; one a second.
        clips: As the network keeps them.
        remember: Reads clips, so that they can be asked about.
    """

    chat: VideoChat
    frames: Frames
    clips: Sequence[ClipTokens]
    remember: Callable[[Sequence[ClipTokens]], Memory]

    @staticmethod
    def look_at(
        chat: VideoChat,
        frames: Frames,
        count: int,
        progress: Callable[[int], None],
        engine: Engine | None = None,
    ) -> "Haystack":
        """Return `count` frames, rounded up to whole clips.

        Args:
            chat: The network.
            frames: Every frame by its number.
            count: How many.
            progress: Told of clips that were looked at.
            engine: What is asked, as in service; None asks the network itself.
        """
        wide = chat.parts.config.vision.frames_per_clip
        numbers = list(range(-(-count // wide)))
        clips: list[ClipTokens] = []
        for first in range(0, len(numbers), BATCH):
            some = numbers[first : first + BATCH]
            clips += chat.encode([_clip(frames, number, wide, {}) for number in some])
            progress(len(some))

        def remember(some: Sequence[ClipTokens]) -> Memory:
            return ReadOnce(chat, some) if engine is None else Live(engine, some)

        return Haystack(chat, frames, clips, remember)

    def first(self, count: int) -> "Haystack":
        """Return its first frames alone, rounded up to whole clips."""
        wide = self.chat.parts.config.vision.frames_per_clip
        return replace(self, clips=self.clips[: -(-count // wide)])

    def shows(self, pixels: Pixels) -> list[str] | None:
        """Return what the eyes name plainly of a picture that stays for a whole clip; None if they have no words."""
        wide = self.chat.parts.config.vision.frames_per_clip
        return self.named(self.chat.encode([_clip(lambda _: pixels, 0, wide, {})])[0])

    def named(self, clip: ClipTokens) -> list[str] | None:
        """Return what a clip shows plainly, by name; None if the model's tokens have no words."""
        if (things := self.chat.parts.things) is None:
            return None
        return [word_table()[one.word].name for one in things(clip) if one.sure >= SURE]

    def with_needles(self, needles: Mapping[int, Pixels]) -> list[ClipTokens]:
        """Return the film's clips with pictures put in the place of frames, by their number."""
        wide = self.chat.parts.config.vision.frames_per_clip
        touched = sorted({number // wide for number in needles})
        clips = list(self.clips)
        fresh = self.chat.encode([_clip(self.frames, number, wide, needles) for number in touched])
        for number, tokens in zip(touched, fresh, strict=True):
            clips[number] = tokens
        return clips

    def grey(self) -> list[ClipTokens]:
        """Return as many clips at the same times in which there is nothing but grey."""
        wide = self.chat.parts.config.vision.frames_per_clip
        blank = np.full_like(self.frames(0), 127)
        [one] = self.chat.encode([_clip(lambda _: blank, 0, wide, {})])
        return [ClipTokens(one.values, c.start, c.end, c.frames) for c in self.clips]


def _clip(frames: Frames, number: int, wide: int, needles: Mapping[int, Pixels]) -> Clip:
    numbers = range(number * wide, (number + 1) * wide)
    pixels = np.stack([needles[n] if n in needles else frames(n) for n in numbers])
    return Clip(torch.from_numpy(pixels), float(numbers[0]), float(numbers[-1]))
