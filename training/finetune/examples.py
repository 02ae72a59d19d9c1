"""From a record to what the network reads: tokens, places of what is seen, and what is to be said.

Worded as the released checkpoints are: what is seen stands where the text says `<image>`, or first;
after a film comes the sentence about its length. Only answers are learned.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from model.config import VisionConfig
from model.language.dropout import TEXT
from model.language.prompt import FLASH, Prompt
from model.language.tokenizer import BEGIN
from model.types import Clip
from model.vision.preprocess import squares
from training.finetune.data_list import Record
from training.finetune.media import BrokenMedia, read_film, read_picture

PLACE = re.compile(r"<(?:image|video)>\n?")
UNLEARNED = -100


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """What one step of the network reads of a record.

    Attributes:
        ids: Tokens; 0 where something that is seen stands.
        clip: Which clip or picture a token belongs to; -1 is text.
        place: Which of its tokens it is.
        target: The token to be said next; -100 where nothing is learned.
        frames: Pixels by clip, each of as many frames as it has (one for a picture).
        source: Where it comes from.
    """

    ids: Int64[Tensor, " n"]
    clip: Int64[Tensor, " n"]
    place: Int64[Tensor, " n"]
    target: Int64[Tensor, " n"]
    frames: tuple[UInt8[Tensor, "frames 3 size size"], ...]
    source: str

    def to(self, device: torch.device) -> "Example":
        """Return the same on `device`."""
        return Example(
            self.ids.to(device),
            self.clip.to(device),
            self.place.to(device),
            self.target.to(device),
            tuple(frames.to(device) for frames in self.frames),
            self.source,
        )


Row = tuple[int, int, int, int]


class ExampleMaker:
    """Makes examples of records.

    Args:
        prompt: How the language model is spoken to.
        vision: What the encoder takes.
        fewest: Frames of a film.
        most: Frames of a film.
        length: Tokens beyond which an example is cut.
    """

    def __init__(
        self, prompt: Prompt, vision: VisionConfig, fewest: int, most: int, length: int
    ) -> None:
        self._prompt, self._vision = prompt, vision
        self._fewest, self._most, self._length = fewest, most, length
        self._plain = prompt.tokenizer.plain
        self._begin = prompt.tokenizer.special(BEGIN)

    def make(self, record: Record) -> Example:
        """Return the example of a record.

        Raises:
            BrokenMedia: If what it shows cannot be read, or does not fit its text or the length.
        """
        shown, sentence = self._shown(record)
        rows = [(token, TEXT, TEXT, UNLEARNED) for token in self._prompt.prefix()]
        places = iter(range(len(shown)))
        for number, (role, text) in enumerate(record.turns):
            if role == "assistant":
                rows += self._said(text)
            else:
                rows += self._asked(text, places, sentence, len(shown), first=number == 0)
        if next(places, None) is not None:
            raise BrokenMedia(f"{record.source}: more pictures than places for them in its text")
        if len(rows) > self._length:
            rows = rows[: self._length]
        # What is to be said stands one before.
        columns = torch.tensor(rows, dtype=torch.int64).unbind(-1)
        ids, clip, place, said = columns
        target = torch.cat([said[1:], said.new_full((1,), UNLEARNED)])
        if not (target != UNLEARNED).any():
            raise BrokenMedia(f"{record.source}: no answer within {self._length} tokens")
        used = int(clip.max()) + 1
        return Example(ids, clip, place, target, tuple(shown[:used]), record.source)

    def _shown(self, record: Record) -> tuple[list[Tensor], str]:
        """Return the pixels of every clip or picture, and the sentence about a film's length."""
        size, cpu = self._vision.image_size, torch.device("cpu")
        if record.video is None:
            pictures = [read_picture(path) for path in record.images]
            return [squares([Clip(p, 0.0, 0.0)], size, cpu)[0] for p in pictures], ""
        together = self._vision.frames_per_clip
        film = read_film(record, self._fewest, self._most, together)
        clips = [Clip(part, 0.0, 0.0) for part in torch.split(film.frames, together)]
        sentence = FLASH.time.format(start=0, end=film.seconds, duration=film.seconds, frames=film.seen)  # fmt: skip
        return list(squares(clips, size, cpu)), sentence

    def _asked(
        self, text: str, places: Iterator[int], sentence: str, shown: int, *, first: bool
    ) -> list[Row]:
        """Return a user's line; the first stands in the line that the prefix has begun."""
        rows: list[Row] = []
        if not first:
            tokens = [*self._plain("\n"), self._begin, *self._plain("user\n")]
            rows += [(token, TEXT, TEXT, UNLEARNED) for token in tokens]
        parts = PLACE.split(text)
        if first and shown and len(parts) == 1:
            parts = ["", text]
        for number, part in enumerate(parts):
            if number:
                # All clips of a film stand in one place; pictures each in their own.
                clips = list(places) if sentence else [next(places, None)]
                rows += [row for clip in clips if clip is not None for row in self._visual(clip)]
                part = (sentence if sentence and clips else "\n") + part
            rows += [(token, TEXT, TEXT, UNLEARNED) for token in self._plain(part)]
        return [*rows, (self._prompt.end, TEXT, TEXT, UNLEARNED)]

    def _visual(self, clip: int) -> list[Row]:
        return [(0, clip, place, UNLEARNED) for place in range(self._vision.tokens_per_clip)]

    def _said(self, text: str) -> list[Row]:
        opened = [*self._plain("\n"), self._begin, *self._plain("assistant\n")]
        answer = [*self._plain(text), self._prompt.end]
        rows = [(token, TEXT, TEXT, UNLEARNED) for token in opened]
        return rows + [(token, TEXT, TEXT, token) for token in answer]
