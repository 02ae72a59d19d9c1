"""A world for streams to live in: sources, lookers, questions, and everything that goes wrong.

What is shown are pictures that carry their number, so that it can be told afterwards which of them
are remembered, which are said to be lost, and whether any vanished.
"""

import asyncio
import itertools
from contextlib import aclosing
from dataclasses import dataclass, field

from fakeredis import FakeAsyncRedis, FakeServer

from memory.errors import StoreFull, StoreUnavailable
from memory.local_store import LocalStore
from memory.redis.store import RedisStore
from model.engine.pulling import Pulling
from model.errors import EngineBusy, NothingSeen
from model.folding.visual_rows import VisualRows
from model.types import GREEDY, ClipTokens, Encoded, Evidence, Finish, Question, Usage, Words
from stream.errors import NoRoom, StreamClosed, UnknownStream
from stream.registry import Registry
from stream.settings import StreamSettings
from tests.stream.fakes import FakeHistories, picture

SETTINGS = StreamSettings(
    waiting_clips=2, unwritten_clips=4, retry_after=1.0, close_within=5.0, stalled_after=3.0
)
REFUSALS = (
    EngineBusy,
    NothingSeen,
    StoreFull,
    StoreUnavailable,
    StreamClosed,
    NoRoom,
    NoRoom,
    UnknownStream,
)
"""What a caller may be told; anything else is a bug."""
FOREVER = 10_000.0


def numbered(number):
    """Return a small picture that carries `number`."""
    return picture((number >> 16, number >> 8 & 255, number & 255), 4, 4)


def numbers(tokens):
    """Return what pictures clip tokens stand for."""
    return tuple(int(r) << 16 | int(g) << 8 | int(b) for r, g, b in tokens.values.tolist())


@dataclass
class Weather:
    """How the store is doing, and how slow: each call takes the next of `turns` rounds of the loop."""

    away: bool = False
    deaf: bool = False
    full: bool = False
    broken: bool = False
    turns: tuple[int, ...] = (0,)
    calls: int = 0

    async def pass_by(self):
        self.calls += 1
        for _ in range(self.turns[self.calls % len(self.turns)]):
            await asyncio.sleep(0)
        if self.away:
            raise StoreUnavailable("The store cannot be reached.")

    def lose_the_reply(self):
        if self.deaf:
            raise StoreUnavailable("The store did not answer in time.")


class WeatheredStore:
    """A store behind a network.

    Attributes:
        acknowledged: The pictures of every clip that the caller was told is safe.
    """

    encoder = "fake-encoder"

    def __init__(self, inner, weather):
        self.acknowledged = set()
        self._inner = inner
        self._weather = weather

    async def begin(self, stream, now):
        await self._weather.pass_by()
        if self._weather.full and await self._inner.find(stream) is None:
            raise StoreFull("There is no room.")
        record = await self._inner.begin(stream, now)
        self._weather.lose_the_reply()
        return record

    async def resume(self, stream, began):
        await self._weather.pass_by()
        if self._weather.full and await self._inner.find(stream) is None:
            raise StoreFull("There is no room.")
        record = await self._inner.resume(stream, began)
        self._weather.lose_the_reply()
        return record

    async def append(self, stream, tokens, thumbnail):
        await self._weather.pass_by()
        if self._weather.broken:
            self._weather.broken = False
            raise RuntimeError("this is not in the contract")
        if self._weather.full:
            raise StoreFull("There is no room.")
        kept = await self._inner.append(stream, tokens, thumbnail)
        self._weather.lose_the_reply()
        self.acknowledged.add(numbers(tokens))
        return kept

    async def clips(self, stream, after=float("-inf"), until=float("inf")):
        await self._weather.pass_by()
        async for tokens in self._inner.clips(stream, after, until):
            yield tokens
            await self._weather.pass_by()

    async def moments(self, stream, after=float("-inf"), limit=1000, **until):
        await self._weather.pass_by()
        return await self._inner.moments(stream, after, limit, **until)

    async def thumbnail(self, stream, start):
        await self._weather.pass_by()
        return await self._inner.thumbnail(stream, start)

    async def find(self, stream):
        await self._weather.pass_by()
        return await self._inner.find(stream)

    async def streams(self, after="", limit=None):
        await self._weather.pass_by()
        return await self._inner.streams(after, limit)

    async def compact(self):
        await self._weather.pass_by()
        await self._inner.compact()

    async def forget(self, stream):
        await self._weather.pass_by()
        await self._inner.forget(stream)
        self._weather.lose_the_reply()


class LocalDisk:
    """Data in this process, kept by whoever opens it next."""

    def __init__(self):
        self._data = LocalStore("fake-encoder", form="float16")

    def open(self):
        return self._data

    async def wipe(self):
        self._data.__init__("fake-encoder", form="float16")


class RedisDisk:
    """One Redis server; every process has a client and a store object of its own."""

    def __init__(self):
        self._server = FakeServer()

    def open(self):
        return RedisStore(FakeAsyncRedis(server=self._server), "fake-encoder", form="float16")

    async def wipe(self):
        await FakeAsyncRedis(server=self._server).flushall()


class SlowEngine:
    """Reads the numbers of pictures; a history holds them. Fails and forgets when told to.

    Attributes:
        seconds: How long a clip takes to encode.
        failures: How many clips it is going to fail on.
    """

    name = "fake"
    encoder = "fake-encoder"
    exact_columns = 0
    rows = VisualRows()
    frames_per_clip = 4
    sampling = GREEDY
    follow_ups = True
    image_size = 32
    one_scene = False
    capacity = 6
    clips_at_most = 8

    def __init__(self):
        self.seconds = 0.01
        self.failures = 0
        self.histories = FakeHistories(self.capacity)
        self.pulling = Pulling(self.histories)

    async def encode(self, clip):
        await asyncio.sleep(self.seconds)
        if self.failures:
            self.failures -= 1
            raise RuntimeError("the network fails on this clip")
        values = clip.pixels[:, 0, 0].float()
        return Encoded(ClipTokens(values, clip.start, clip.end, len(clip.pixels)), 0.0)

    async def things(self, clips):
        return None

    async def prepare(self, past):
        await self.pulling.bring(past)
        return False

    async def blocks(self, past):
        return []

    async def learn(self, stream, clip, after):
        self.pulling.learn(stream, clip, after)

    async def answer(self, past, question):
        await self.prepare(past)
        if not (clips := list(self.histories.held.get(past.name, ()))):
            raise NothingSeen("Nothing has been seen on this stream yet.")
        for clip in clips:
            yield Words(" ".join(map(str, numbers(clip))) + " ")
            await asyncio.sleep(0.01)
        usage = Usage(len(clips), 4 * len(clips), 1, 1, 1, 2, clips[0].start, clips[-1].end)
        yield Finish("stop", tuple(Evidence(c.start, c.end, 1 / len(clips)) for c in clips), usage)

    async def forget(self, stream):
        self.pulling.forget(stream)

    async def close(self):
        pass


@dataclass(eq=False)
class Source:
    """Someone who sends pictures into a stream."""

    name: str
    live: object
    feed: object
    origin: float
    own_times: bool


@dataclass(eq=False)
class Book:
    """What one life of a stream was given to remember."""

    live: object
    sources: list[Source] = field(default_factory=list)
    clips: list[tuple[int, ...]] = field(default_factory=list)


class World:
    """A service with its surroundings, over any number of restarts.

    Attributes:
        sources: Of the process that runs, those that have not left.
        books: Of the process that runs, by stream.
        gone: Pictures that were deleted, and may never come back.
        excused: Pictures that may be remembered or not: the process crashed, or the store's data went.
    """

    def __init__(self, disk, turns):
        self.weather = Weather(turns=turns)
        self.disk = disk
        self.loop = asyncio.get_running_loop()
        self.wall = 1_700_000_000.0
        self.shown = 0
        self.owner = {}
        self.gone, self.excused = set(), set()
        self.began = {}
        self.start()

    def start(self):
        """Begin a process with what is on the disk."""
        self.engine = SlowEngine()
        self.inside = self.disk.open()
        self.store = WeatheredStore(self.inside, self.weather)
        self.registry = Registry(
            engine=self.engine,
            store=self.store,
            settings=SETTINGS,
            wall=lambda: self.wall + self.loop.time(),
            monotonic=self.loop.time,
            capacity=2,
            idle=1,
            kept=6,
        )
        self.sources, self.books, self.running = [], [], set()

    async def crash(self):
        """End the process as `kill -9` does."""
        self.excused.update(self.owner)
        while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def stop(self):
        """End the process in good order, and make sure that nothing of it is left."""
        running = list(self.running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for source in self.sources:
            source.feed.close("The service is stopping.")
        async with asyncio.timeout(FOREVER):
            await self.registry.close()
        for _ in range(3):
            await asyncio.sleep(0)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, left
        self._check_books()

    def do(self, coroutine):
        """Let something begin to happen."""
        task = asyncio.create_task(self._refused_or_done(coroutine))
        self.running.add(task)
        task.add_done_callback(self.running.discard)

    async def _refused_or_done(self, coroutine):
        try:
            return await coroutine
        except REFUSALS:
            return None

    async def _finish(self, *tasks):
        async with asyncio.timeout(FOREVER):
            await asyncio.gather(*tasks)

    # What people do.

    async def connect(self, name, kind, own_times, dawdle, pictures=0, pause=0.6):
        live = await self.registry.open(name)
        book = self._book(live)
        for _ in range(dawdle):
            await asyncio.sleep(0)
        feed = live.open_feed(kind, own_times=own_times)
        source = Source(name, live, feed, self.loop.time(), own_times)
        book.sources.append(source)
        self.sources.append(source)
        await self.show(source, pictures, pause)

    async def show(self, source, pictures, pause):
        for _ in range(pictures):
            if source.feed.closed:
                return
            if source.own_times:
                async with asyncio.timeout(FOREVER):
                    await source.feed.room()
            slot = source.feed.offer(self.loop.time() - source.origin)
            if slot is not None:
                self.shown += 1
                self.owner[self.shown] = source.name
                source.feed.push(slot, numbered(self.shown))
            await asyncio.sleep(pause)

    async def leave(self, source):
        source.feed.close("The sender left.")

    async def look(self, name):
        live = await self.registry.find(name)
        self._book(live)
        for moment in await self.store.moments(name):
            await self.store.thumbnail(name, moment.start)
        live.check()
        await live.catch_up()

    async def list(self):
        listed = await self.registry.list()
        names = [status.name for status in listed]
        assert names == sorted(set(names))

    async def ask(self, name, dawdle):
        deleted = set(self.gone)
        live = await self.registry.find(name)
        self._book(live)
        for _ in range(dawdle):
            await asyncio.sleep(0)
        told = []
        async with aclosing(live.ask(Question("What?"))) as pieces:
            async for piece in pieces:
                if isinstance(piece, Words):
                    told += map(int, piece.text.split())
        assert isinstance(piece, Finish)
        assert told == sorted(told), "in the order in which it was shown"
        assert not deleted & set(told), "what was deleted is not told"
        return told

    async def forget(self, name):
        try:
            await self.registry.forget(name)
        except (StoreUnavailable, asyncio.CancelledError):  # it may be gone, or not
            self.excused.update(n for n, owner in self.owner.items() if owner == name)
            self.began.pop(name, None)
            raise
        self.gone.update(n for n, owner in self.owner.items() if owner == name)
        self.began.pop(name, None)

    async def wipe(self):
        """The store comes back empty."""
        self.excused.update(self.owner)
        self.began.clear()
        await self.disk.wipe()

    # What must be so.

    def check(self):
        """What must be so at any moment."""
        assert self.registry.fed <= 2
        streams = self.registry._streams
        for source in self.sources:
            if not source.feed.closed:
                assert streams.get(source.name) is source.live, "what is fed is in reach"
        self.sources = [source for source in self.sources if not source.feed.closed]
        fed = {source.name for source in self.sources}
        assert self.registry.fed == len(fed) == len(self.sources), "no place is leaked"

    async def calm_down(self, name):
        """Let all that goes on come to its end in fine weather, and check all that was told.

        A fed stream is remembered again, whatever happened; `name` is fed if there is a place.
        """
        self.weather.away = self.weather.full = self.weather.deaf = self.weather.broken = False
        self.engine.seconds, self.engine.failures = 0.01, 0
        await self._finish(*self.running)
        await asyncio.sleep(2 * SETTINGS.retry_after)
        if self.registry.fed < 2:
            await self._finish(self.connect(name, "webrtc", False, 0))
        for source in self.sources:
            if not source.feed.closed:
                await self._finish(self._remembered_again(source))
        for live in list(self.registry._streams.values()):
            await self._finish(live.settle())
        self._check_books()
        await self._check_memory()
        self.check()

    async def _remembered_again(self, source):
        await source.live.settle()
        await self.show(source, 12, 0.6)
        await source.live.settle()
        assert self._book(source.live).clips[-1] in self.store.acknowledged

    async def _check_memory(self):
        records = await self.inside.streams()
        for name in set(self.registry._streams) - {record.name for record in records}:
            asked = await self._refused_or_done(self.ask(name, 0))
            assert asked is None, "memory has lost it"
        statuses = {status.name: status for status in await self.registry.list()}
        assert sorted(statuses) == sorted({r.name for r in records} | set(self.registry._streams))
        for record in records:
            await self._check_stream(record, statuses.pop(record.name))
        for status in statuses.values():
            assert (status.clips, status.end) == (0, None), "memory has lost it"

    async def _check_stream(self, record, status):
        name = record.name
        clips = [clip async for clip in self.inside.clips(name)]
        for before, after in itertools.pairwise(clips):
            assert before.end < after.start, "times never go back nor overlap"
        told = [number for clip in clips for number in numbers(clip)]
        assert told == sorted(told)
        assert not self.gone & set(told), "what was deleted stays deleted"
        assert all(self.owner[number] == name for number in told)
        assert self.began.setdefault(name, record.began) == record.began
        for clip in self.store.acknowledged - {numbers(clip) for clip in clips}:
            free = self.gone | self.excused
            assert self.owner[clip[0]] != name or set(clip) <= free, "what was safe is kept"
        assert (status.clips, status.end) == (record.clips, record.end)
        await self._check_answer(name, told, clips)

    async def _check_answer(self, name, told, clips):
        asking = asyncio.create_task(self._refused_or_done(self.ask(name, 0)))
        await self._finish(asking)
        answer = asking.result() or []
        fewest = sum(len(numbers(clip)) for clip in clips[-SlowEngine.capacity :])
        assert answer == told[len(told) - len(answer) :], "answers cover what is remembered"
        assert len(answer) >= fewest

    def _check_books(self):
        for book in self.books:
            lost = [clip for clip in book.clips if clip not in self.store.acknowledged]
            status = book.live.status()
            assert status.lost.total == len(lost), "every clip is remembered or counted as lost"

    def _book(self, live):
        for book in self.books:
            if book.live is live:
                return book
        book = Book(live)
        self.books.append(book)
        put = live._pipeline.put

        def noted(clip, captured, **how):
            book.clips.append(numbers(ClipTokens(clip.pixels[:, 0, 0].float(), 0.0, 0.0)))
            put(clip, captured, **how)

        live._pipeline.put = noted
        return book
