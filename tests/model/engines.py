"""An engine around the tiny network for tests: what it is given, what it is asked, what it does."""

import asyncio
from weakref import WeakKeyDictionary

import torch

from model.engine.contract import Past
from model.engine.pulling import GivenClips
from model.language.decoder import no_hook
from model.types import Clip, Question, Words
from model.video_chat import VideoChat
from model.zoo.tiny import tiny

CHAT = VideoChat(tiny())


class Recording(VideoChat):
    """Notes what the engine has it do, in order; fails at what is named."""

    def __init__(self):
        super().__init__(tiny())
        self.calls = []
        self.fails = set()
        self._step, self.reader.step = self.reader.step, self.step

    def encode(self, clips):
        self._note("encode", [clip.start for clip in clips])
        return super().encode(clips)

    def ask(self, history, question, hook=no_hook):
        self._note("ask", question.text)
        return super().ask(history, question, hook)

    def extend(self, history, clips, hook=no_hook):
        self._note("extend", len(clips))
        super().extend(history, clips, hook)

    def evidence(self, asked, hook=no_hook):
        self._note("evidence", None)
        return super().evidence(asked, hook)

    def step(self, readings, chosen, hook=no_hook):
        self._note("step", len(readings))
        self._step(readings, chosen, hook)

    def _note(self, what, about):
        self.calls.append((what, about))
        if what in self.fails:
            raise RuntimeError(f"no {what} today")


def clip(number, seed=0):
    generator = torch.Generator().manual_seed(1000 * seed + number)
    pixels = torch.randint(0, 256, (4, 24, 32, 3), dtype=torch.uint8, generator=generator)
    return Clip(pixels, 4.0 * number, 4.0 * number + 3)


_SHOWN = WeakKeyDictionary()
"""What each stream of each engine has shown: its memory."""


def at_rest(engine):
    """Return what keeps the engine's thread from taking anything meanwhile: all is there before it looks."""
    return engine._work


def done_by(engine):
    """Return what a `Recording` network was made to do, in order."""
    return engine._chat.calls


def reach(engine, stream="a"):
    """Return how far the history of `stream` reaches in the engine's cache; None if it was given up."""
    return engine._histories.reach(stream)


def past(engine, stream="a", **about):
    """Return all that `stream` has shown, as whoever asks `engine` names it."""
    return Past(stream, GivenClips(_SHOWN.setdefault(engine, {}).setdefault(stream, [])), **about)


async def give(engine, stream, clips):
    """Remember `clips`, and have `engine` learn of them."""
    give_from_any_thread(engine, stream, clips)


def give_from_any_thread(engine, stream, clips):
    """Do as `give` does."""
    shown = _SHOWN.setdefault(engine, {}).setdefault(stream, [])
    for one in clips:
        after = shown[-1].end if shown else None
        shown.append(one)
        engine._pulling.learn(stream, one, after)


async def seen(engine, stream, count, seed=0):
    made = await asyncio.gather(*(engine.encode(clip(n, seed)) for n in range(count)))
    clips = [encoded.tokens for encoded in made]
    await give(engine, stream, clips)
    return clips


def encoded(count):
    """Return clips that no engine of a test has been given."""
    return CHAT.encode([clip(number) for number in range(count)])


async def ask(engine, stream="a", *, text="what?", of=None, **about):
    pieces = [
        p
        async for p in engine.answer(
            of or past(engine, stream), Question(text, **({"tokens": 6} | about))
        )
    ]
    return "".join(p.text for p in pieces if isinstance(p, Words)), pieces[-1]
