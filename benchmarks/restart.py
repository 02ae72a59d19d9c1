"""How soon the first answer about a long stream comes after a restart, and where its time goes.

    flashback bench restart --minutes 60

A made-up stream lies in an embedded Redis; no history of it is held. So what a question needs is read
from memory, folded, and read by the language model. Each question as the first one: about a time, about a
thing that was shown once, about one that never was, about the present and the beginning, about what is
counted, and one that needs all that there is; that one again once the service has read ahead, as it
does from the loading of its model on (`web/operations/read_ahead.py`). Then, with the history there,
what a second look at the originals adds to questions about things.

Targets: a first word within 5 s for an hour of one frame a second; a second look adds less than 1 s.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from contextlib import aclosing
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from benchmarks.command.options import above_zero
from benchmarks.command.report import Report, benchmark_main, met
from benchmarks.harness.service import CannotMeasure
from memory.embedded.server import EmbeddedRedis
from memory.redis.store import RedisStore
from model.engine.contract import Past
from model.engine.local import LocalEngine
from model.types import Finish, Question
from model.vision.vocabulary import with_article
from model.zoo.lite_base import base_folder
from model.zoo.presets import load_engine
from stream.past.recall import Recall
from training.lite.made_up import world
from training.streams.day import Day
from web.operations.read_ahead import read_ahead

STREAM = "restart"
_THUMBNAIL = bytes(4500)
_SHARES = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Where in the stream something is shown once."""


@dataclass(frozen=True, slots=True)
class First:
    """The first question after a restart.

    Attributes:
        about: What it is about.
        question: In words.
        first_word_s: To the first word.
        processor_s: Processor time of this process up to then: on two idle cores it takes about half
            as long.
        clips: Clips and blocks that the answer was read from.
        frames: Frames that they stand for.
        same: Whether the same question, asked again, has the same answer.
    """

    about: str
    question: str
    first_word_s: float
    processor_s: float
    clips: int
    frames: int
    same: bool


@dataclass(frozen=True, slots=True)
class Ahead:
    """What reading ahead takes.

    Attributes:
        seconds: On the clock.
        processor_s: Processor time of this process.
    """

    seconds: float
    processor_s: float


@dataclass(frozen=True, slots=True)
class Looks:
    """Questions about things that were shown once, with the history there.

    Attributes:
        fold_s: Processor time to the first word, of the folded history alone; the median.
        second_look_s: The same with a second look.
        added_s: What it adds; the median.
        questions: How many.
    """

    fold_s: float
    second_look_s: float
    added_s: float
    questions: int


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's options."""
    parser.add_argument("--minutes", type=above_zero, default=60.0, help="length of the stream")


def run(options: argparse.Namespace) -> Report:
    """Make the stream, and ask."""
    reading, ahead, asked, looks = asyncio.run(_measure(60 * options.minutes))
    return Report(
        title="The first answer after a restart",
        settings={
            "model": "lite",
            "minutes": options.minutes,
            "load": round(os.getloadavg()[0], 1),
        },
        columns=list(asdict(asked[0])),
        rows=[
            [str(v) if isinstance(v, bool) else v for v in asdict(one).values()] for one in asked
        ],
        numbers={
            "reading_s": reading,
            "ahead": asdict(ahead),
            "asked": [asdict(one) for one in asked],
            "looks": asdict(looks),
        },
        notes=[
            f"To read all clips from Redis and fold them takes {reading:.2f} s of these.",
            f"To read ahead takes {ahead.seconds:.1f} s, {ahead.processor_s:.1f} of processor time; who asks meanwhile waits for what is left.",
            "Model and Redis are there already. First words are of the clock on the wall, whatever else ran.",
            *(
                met(f"first word about {one.about} within 5 s", one.first_word_s, 5)
                for one in asked
            ),
        ],
    )


async def _measure(seconds: float) -> tuple[float, Ahead, list[First], Looks]:
    engine = await asyncio.to_thread(load_engine, "lite")
    try:
        ages = [share * seconds for share in _SHARES]
        day = Day(world(base_folder()), seconds, ages, 0)
        with tempfile.TemporaryDirectory() as folder:
            async with await EmbeddedRedis.start(Path(folder) / "redis", megabytes=512) as server:
                store = RedisStore.connect(server.url, engine.encoder, exact=engine.exact_columns)
                try:
                    await store.begin(STREAM, 0.0)
                    for clip in day.clips():
                        await store.append(STREAM, clip, _THUMBNAIL)
                    reading, asked = await _ask_all(engine, store, day)
                    ahead, last = await _ask_after_reading_ahead(engine, store)
                    return reading, ahead, [*asked, last], await _look(engine, store, day)
                finally:
                    await store.close()
    finally:
        await engine.close()


async def _ask_all(engine: LocalEngine, store: RedisStore, day: Day) -> tuple[float, list[First]]:
    event = day.events[len(day.events) // 2]
    name = day.world.table[event.one.word].name
    never = day.world.table[day.absent[0]].name
    questions = {
        "a time": Question("What was shown?", tokens=12, since=event.start, until=event.turn),
        "a thing": Question(f"When was the {name} shown?", tokens=12),
        "a thing that never was": Question(f"Was there {with_article(never)}?", tokens=12),
        "the present": Question("What do you see?", tokens=12),
        "the beginning": Question("What was shown first?", tokens=12),
        "what is counted": Question(f"How long was the {name} there?", tokens=12),
        "what happened": Question("What has happened?", tokens=12),
        "everything at once": Question("What was unusual?", tokens=12),
    }
    asked = []
    warm = replace(questions["a time"], tokens=2)
    await _ask(Recall(STREAM, engine, store), warm)  # pages in the network
    for about, question in questions.items():
        await engine.forget(STREAM)
        asked.append(await _ask_first(engine, store, about, question))
    await engine.forget(STREAM)
    began = time.perf_counter()
    await engine.prepare(Past(STREAM, store))
    await engine.blocks(Past(STREAM, store))
    return time.perf_counter() - began, asked


async def _ask_first(
    engine: LocalEngine, store: RedisStore, about: str, question: Question
) -> First:
    recall = Recall(STREAM, engine, store)  # which knows nothing of the clips yet
    cpu, began = time.process_time(), time.perf_counter()
    text, first, used, finish = await _ask(recall, question)
    again, *_ = await _ask(recall, question)
    usage, took = finish.usage, first - began
    return First(about, question.text, took, used - cpu, usage.clips, usage.frames, text == again)


async def _ask_after_reading_ahead(engine: LocalEngine, store: RedisStore) -> tuple[Ahead, First]:
    """Read ahead as a service does that was started anew, and ask what needs all of it."""
    await store.note_asked(STREAM, 0.0)
    await engine.forget(STREAM)
    cpu, began = time.process_time(), time.perf_counter()
    await read_ahead(engine, store)
    ahead = Ahead(time.perf_counter() - began, time.process_time() - cpu)
    question = Question("What was unusual?", tokens=12)
    return ahead, await _ask_first(engine, store, "everything, read ahead", question)


async def _look(engine: LocalEngine, store: RedisStore, day: Day) -> Looks:
    """Ask the same of the folded history, and with a second look, in turn."""
    alone, again = (Recall(STREAM, engine, store, looks_again=looks) for looks in (False, True))
    table, spent = day.world.table, []
    await _ask(alone, Question("", tokens=0))  # reads what there is
    for event in day.events:
        for text in ("When was the {} shown?", "Where was the {}?"):
            question = Question(text.format(table[event.one.word].name), tokens=2)
            both = []
            for recall in (alone, again):
                began = time.process_time()
                _, _, used, _ = await _ask(recall, question)
                both.append(used - began)
            spent.append(both)
    fold, look = (statistics.median(of) for of in zip(*spent, strict=True))
    added = statistics.median(second - first for first, second in spent)
    return Looks(fold, look, added, len(spent))


async def _ask(recall: Recall, question: Question) -> tuple[str, float, float, Finish]:
    """Return the answer, when its first word came, the processor time used by then, and its end.

    Raises:
        CannotMeasure: If it has none.
    """
    text, first, used = "", 0.0, 0.0
    async with aclosing(recall.ask(question)) as pieces:
        async for piece in pieces:
            if isinstance(piece, Finish):
                return text, first, used, piece
            if not text:
                first, used = time.perf_counter(), time.process_time()
            text += piece.text
    raise CannotMeasure("an answer did not come to its end")


if __name__ == "__main__":
    benchmark_main("restart", __doc__, run, add_options)
