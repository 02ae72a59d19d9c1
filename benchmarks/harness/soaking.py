"""What a soak keeps an eye on: memory, files, clips and losses, and whether questions are answered."""

import asyncio
import contextlib
import itertools
import time
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from websockets.exceptions import WebSocketException

from benchmarks.harness.asking import NoAnswer, ask
from benchmarks.harness.service import Service

QUESTIONS = ("What do you see?", "What was shown before this?", "Was there a person?")
_LOOK_EVERY = 5.0  # seconds
_ASK_EVERY = 60.0
_BACK_WITHIN = 90.0
"""Seconds after which a stream that is not live again is called lost."""


@dataclass(frozen=True, slots=True)
class Weighing:
    """What was weighed at one moment.

    Attributes:
        at: Seconds since the beginning.
        service_mib: Resident memory of the service itself.
        readers_mib: Of the processes that read its sources.
        redis_mib: Resident memory of its Redis.
        files: Files and sockets that the service holds open.
        clips: Clips remembered so far.
        lost: Clips lost so far, by cause.
        live: Streams that are live.
        pause_ms: The longest pause of the event loop in the last minute.
    """

    at: float
    service_mib: float
    readers_mib: float
    redis_mib: float
    files: int
    clips: int
    lost: dict[str, int]
    live: int
    pause_ms: float


@dataclass(slots=True)
class Soak:
    """All that was seen.

    Attributes:
        looks: Oldest first.
        faults: When what failed, and after how many seconds all streams were live again; None if they
            were not in time.
        first_words: When a question was asked, and milliseconds to its first word.
        unanswered: Why questions had no answer, and when.
        events: What watches saw in all.
    """

    looks: list[Weighing] = field(default_factory=list)
    faults: list[tuple[float, str, float | None]] = field(default_factory=list)
    first_words: list[tuple[float, float]] = field(default_factory=list)
    unanswered: list[tuple[float, str]] = field(default_factory=list)
    events: int = 0


class SoakClock:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    def __call__(self) -> float:
        """Return them."""
        return time.perf_counter() - self._began


async def for_seconds(seconds: float, *work: Coroutine[None, None, None]) -> None:
    """Let all of `work` go on for so long; what fails ends it at once."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as tasks:
            for each in work:
                tasks.create_task(each)


async def live_again(service: Service, streams: int) -> float | None:
    """Return after how many seconds all streams are live and remembered; None if not in time."""
    clock = SoakClock()
    while clock() < _BACK_WITHIN:
        await asyncio.sleep(1)
        found = await _streams(service)
        if len(found) == streams and all(s["state"] == "live" and not s["memory"] for s in found):
            return round(clock(), 1)
    return None


async def look_on(service: Service, soak: Soak, clock: SoakClock) -> None:
    """Weigh everything, again and again."""
    while True:
        streams = await _streams(service)
        health = await service.get("/health")
        redis = service.children("redis-server")
        held = sum(each.memory_info().rss for each in redis) / 2**20
        own = service.own_memory_mib()
        lost: Counter[str] = Counter()
        for stream in streams:
            lost.update(stream["lost"])
        soak.looks.append(
            Weighing(
                at=clock(),
                service_mib=own,
                readers_mib=service.memory_mib() - held - own,
                redis_mib=held,
                files=service.open_files(),
                clips=sum(stream["clips"] for stream in streams),
                lost={cause: count for cause, count in lost.items() if count},
                live=sum(stream["state"] == "live" for stream in streams),
                pause_ms=health["loop_pause_ms"],
            )
        )
        await asyncio.sleep(_LOOK_EVERY)


async def ask_on(service: Service, soak: Soak, clock: SoakClock) -> None:
    """Ask every stream in turn, once a minute."""
    for number in itertools.count():
        await asyncio.sleep(_ASK_EVERY)
        stream = sorted(each["name"] for each in await _streams(service))
        name, asked = stream[number % len(stream)], clock()
        try:
            told = await ask(service.address, name, QUESTIONS[number % len(QUESTIONS)])
        except (NoAnswer, OSError, WebSocketException) as error:
            soak.unanswered.append((round(asked, 1), f"{name}: {error}"))
        else:
            soak.first_words.append((asked, told.first_word_ms))


async def _streams(service: Service) -> list[dict[str, Any]]:
    return list((await service.get("/v1/streams"))["streams"])
