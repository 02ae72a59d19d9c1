"""Small real classes that stand in for the engine and the store in tests of the live loop."""

import asyncio
from contextlib import nullcontext

import numpy as np
import torch

from memory.errors import StoreUnavailable
from memory.local_store import LocalStore
from model.engine.pulling import Pulling
from model.errors import EngineBusy, NothingSeen
from model.folding.visual_rows import VisualRows
from model.types import GREEDY, ClipTokens, Encoded, Evidence, Finish, Usage, Words
from stream.status import Changed


class HandClock:
    """A clock that moves when the test says so."""

    def __init__(self, now=1000.0):
        self.now = now

    def __call__(self):
        return self.now


class FakeHistories:
    """Holds clips as they are: of a new history the newest `most`.

    Attributes:
        held: Clips by the history's name.
    """

    def __init__(self, most=1_000_000):
        self.held = {}
        self._most = most

    def reach(self, name):
        clips = self.held.get(name)
        return clips[-1].end if clips else None

    def add(self, name, clips, after, most):
        reach = self.reach(name)
        if after is not None and (reach is None or reach < after):
            return
        if reach is None:
            clips, reach = clips[-self._most :], float("-inf")
        self.held.setdefault(name, []).extend(clip for clip in clips if clip.start > reach)

    def receiving(self, name):
        return nullcontext()

    def forget(self, name):
        self.held.pop(name, None)


class SmallEngine:
    """What an engine says of itself, of the smallest."""

    exact_columns = 0
    rows = VisualRows()
    frames_per_clip = 4
    image_size = 32
    one_scene = False
    sampling = GREEDY
    follow_ups = True
    clips_at_most = 1700


class FakeEngine(SmallEngine):
    """Encodes a clip as its mean colour; answers with how many clips its history holds.

    Close `gate` to keep clips waiting in the encoder.
    """

    name = "fake"
    encoder = "fake-encoder"

    def __init__(self):
        self.gate = asyncio.Event()
        self.gate.set()
        self.encoding = asyncio.Event()
        self.encoded = []
        self.histories = FakeHistories()
        self._pulling = Pulling(self.histories)
        self.busy = False
        self.broken = False

    async def encode(self, clip):
        if self.busy:
            raise EngineBusy("Too many clips wait for the encoder.")
        if self.broken:
            raise RuntimeError("the device is gone")
        self.encoding.set()
        await self.gate.wait()
        self.encoded.append(clip)
        mean = clip.pixels.float().mean(dim=(0, 1, 2))
        tokens = ClipTokens(mean[None], clip.start, clip.end, len(clip.pixels))
        return Encoded(tokens, 0.0)

    async def prepare(self, past):
        await self._pulling.bring(past)
        return False

    async def blocks(self, past):
        return []

    async def learn(self, stream, clip, after):
        self._pulling.learn(stream, clip, after)

    async def answer(self, past, question):
        await self.prepare(past)
        clips = self.histories.held.get(past.name)
        if not clips:
            raise NothingSeen("Nothing has been seen on this stream yet.")
        yield Words(f"{len(clips)} ")
        yield Words("clips")
        usage = Usage(len(clips), 4 * len(clips), 1, 1, 1, 2, clips[0].start, clips[-1].end)
        yield Finish("stop", tuple(Evidence(c.start, c.end, 1 / len(clips)) for c in clips), usage)
        if past.once:
            self._pulling.drop(past.name)

    async def things(self, clips):
        return None

    async def forget(self, stream):
        self._pulling.forget(stream)

    async def close(self):
        self.gate.set()


class FakeStore(LocalStore):
    """A store in this process that fails when it is told to.

    Set `away` to make every call fail, `broken` to make writing fail as no store should.
    """

    def __init__(self):
        super().__init__("fake-encoder", form="float16")
        self.away = False
        self.broken = False
        self.written = asyncio.Event()

    def _check(self):
        if self.away:
            raise StoreUnavailable("The store cannot be reached.")

    async def begin(self, stream, now):
        self._check()
        return await super().begin(stream, now)

    async def resume(self, stream, began):
        self._check()
        return await super().resume(stream, began)

    async def append(self, stream, tokens, thumbnail):
        self._check()
        if self.broken:
            raise RuntimeError("this is not in the contract")
        kept = await super().append(stream, tokens, thumbnail)
        self.written.set()
        return kept

    def lose(self):
        """Come back empty."""
        self.__init__()

    async def clips(self, stream, after=float("-inf"), until=float("inf")):
        self._check()
        async for tokens in super().clips(stream, after, until):
            yield tokens

    async def moments(self, stream, after=float("-inf"), limit=1000, **until):
        self._check()
        return await super().moments(stream, after, limit, **until)

    async def thumbnail(self, stream, start):
        self._check()
        return await super().thumbnail(stream, start)

    async def find(self, stream):
        self._check()
        return await super().find(stream)

    async def streams(self, after="", limit=None):
        self._check()
        return await super().streams(after, limit)

    async def forget(self, stream):
        self._check()
        await super().forget(stream)


def picture(colour=(200, 30, 30), height=24, width=32):
    """Return an RGB picture of one colour."""
    return np.full((height, width, 3), colour, dtype=np.uint8)


def show(feed, clock, seconds, per_second=10, colour=(200, 30, 30), origin=0.0):
    """Play `seconds` of one colour into `feed` while the clock moves on; return the slots."""
    slots = []
    for _ in range(round(seconds * per_second)):
        slot = feed.offer(clock() - origin)
        if slot is not None:
            feed.push(slot, picture(colour))
            slots.append(slot)
        clock.now += 1 / per_second
    return slots


async def watch(live, feed, clock, seconds, per_second=10, colour=(200, 30, 30), origin=0.0):
    """Play as `show` does, with an encoder and a store that keep up."""
    for _ in range(round(seconds * per_second)):
        slot = feed.offer(clock() - origin)
        if slot is not None:
            feed.push(slot, picture(colour))
            await live.settle()
        clock.now += 1 / per_second


def tokens(start, end):
    """Return the tokens of a clip that nobody encoded."""
    return ClipTokens(values=torch.zeros(1, 3), start=start, end=end)


async def until(condition, news):
    """Read news until an event fulfils `condition`; return it, or None at the end."""
    async for event in news:
        if condition(event):
            return event
    return None


def becomes(state, reason=""):
    """Return a condition for `until`: the stream is in `state` and says `reason`."""
    return lambda event: (
        isinstance(event, Changed) and event.status.state == state and reason in event.status.reason
    )
