"""Answers from pictures alone: each is a clip of one frame in a history that ends with the answer."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import torch

from model.engine.contract import Engine, Past
from model.engine.pulling import GivenClips
from model.types import AnswerPiece, Clip, Question
from stream.frames.frame import Picture
from web.identifiers import new_id


@dataclass(frozen=True, slots=True)
class Pictures:
    """Pictures that are asked about as a stream is.

    Attributes:
        engine: Encodes and answers.
        pixels: RGB, in the order in which they were given.
    """

    engine: Engine
    pixels: Sequence[Picture]

    async def ask(self, question: Question) -> AsyncGenerator[AnswerPiece, None]:
        """Answer from all pictures, as words come; use `aclosing`.

        Raises:
            EngineBusy: If too much waits already.
            ModelError: `question_too_long`: it is longer than can be read at once; `engine_failed`: the
                network fails.
        """
        clips = [
            (await self.engine.encode(Clip(torch.from_numpy(pixels.copy())[None], at, at))).tokens
            for at, pixels in enumerate(self.pixels)
        ]
        # No stream can be called so.
        past = Past(f"@{new_id('pictures')}", GivenClips(clips), once=True)
        async with aclosing(self.engine.answer(past, question)) as pieces:
            async for piece in pieces:
                yield piece
