"""A small real engine: it remembers what it was given and says what it was asked."""

import asyncio
import math

import torch

from model.errors import NothingSeen
from model.types import ClipTokens, Encoded, Evidence, Finish, Usage, Words
from tests.stream.fakes import SmallEngine


class EchoEngine(SmallEngine):
    """Keeps one token a clip; answers with the question's words, one by one.

    Attributes:
        gate: While it is not set, an answer stops before its second word.
        asked: Every question it was asked.
        failure: What an answer fails with, if not None.
        closed_early: Set once an answer was closed before its end.
        things_of: Returns the things of a clip; None has none.
    """

    name = "echo"
    encoder = "echo-encoder"

    def __init__(self):
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked = []
        self.failure = None
        self.closed_early = asyncio.Event()
        self.things_of = None

    async def encode(self, clip):
        values = clip.pixels.float().mean(dim=(0, 1, 2)).unsqueeze(0) / 255
        values = values.to(torch.float16)
        return Encoded(ClipTokens(values, clip.start, clip.end, len(clip.pixels)), 0.0)

    async def prepare(self, past):
        return False

    async def blocks(self, past):
        return []

    async def learn(self, stream, clip, after):
        pass

    async def answer(self, past, question):
        self.asked.append(question)
        if self.failure is not None:
            raise self.failure
        seen = [
            clip
            for first, last in past.spans
            async for clip in past.source.clips(past.stream, math.nextafter(first, -math.inf), last)
        ]
        if not seen:
            raise NothingSeen
        finished = False
        try:
            for place, word in enumerate(question.text.split()):
                if place:
                    await self.gate.wait()
                yield Words(word + " ")
            finished = True
            share = 1 / len(seen)
            yield Finish(
                reason="stop",
                evidence=tuple(Evidence(clip.start, clip.end, share) for clip in seen),
                usage=Usage(
                    clips=len(seen),
                    frames=4 * len(seen),
                    visual_tokens=len(seen),
                    tokens_kept=len(seen),
                    prompt_tokens=len(question.text.split()),
                    answer_tokens=len(question.text.split()),
                    start=seen[0].start,
                    end=seen[-1].end,
                ),
            )
        finally:
            if not finished:
                self.closed_early.set()

    async def things(self, clips):
        return None if self.things_of is None else [self.things_of(clip) for clip in clips]

    async def forget(self, stream):
        pass

    async def close(self):
        pass
