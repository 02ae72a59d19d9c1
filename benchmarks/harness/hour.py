"""A stream in real time: it is shown, weighed and asked about; then its service is killed and started anew."""

import asyncio
import base64
import json
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx
from websockets.asyncio.client import connect

from benchmarks.harness.asking import NoAnswer, ask
from benchmarks.harness.programme import Programme, Query, pictures
from benchmarks.harness.service import Service, serving

STREAM = "hour"
ASKED_AT = (0.08, 0.25, 0.5, 0.75, 0.985)
"""Shares of the time at which is asked."""
AGAIN = 6
"""Questions that are asked once more after a restart."""
_ANSWER_TOKENS = 24


@dataclass(frozen=True, slots=True)
class HourAnswer:
    """One question, and what was answered.

    Attributes:
        kind: See `Query`.
        age_s: How long ago it was shown, in seconds.
        question: In words.
        answer: In words.
        right: Whether it is.
        first_word_ms: From asking to the first word; None if there was none.
        clips: Clips or blocks that it was answered from.
    """

    kind: str
    age_s: float
    question: str
    answer: str
    right: bool
    first_word_ms: float | None
    clips: int


@dataclass(frozen=True, slots=True)
class Point:
    """What the service took when the stream was so old.

    Attributes:
        seconds: Age of the stream.
        service_mib: Resident memory of the service.
        redis_mib: Resident memory of its Redis.
        stored_bytes: Of what is remembered, as the service counts it.
        clips: Clips remembered.
        cpu_s: Processor time used so far.
    """

    seconds: float
    service_mib: float
    redis_mib: float
    stored_bytes: int
    clips: int
    cpu_s: float


class HourRun:
    """One run.

    Args:
        seconds: How long.

    Attributes:
        points: One for every minute.
        answers: By how old the stream was, in seconds.
        again: The last questions before the service was killed, and the same after.
        restart_s: To the first word, asked when the service was ready again.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.points: list[Point] = []
        self.answers: dict[float, list[HourAnswer]] = {}
        self.again: list[tuple[HourAnswer, HourAnswer]] = []
        self.restart_s: float | None = None
        self._programme = Programme(seconds)
        self._began = 0.0

    async def run(self, model: str, folder: str) -> None:
        """Show, ask, kill, start anew and ask again."""
        queries: list[Query] = []
        async with AsyncExitStack() as first:
            service = await first.enter_async_context(serving(model, DATA=folder))
            async with asyncio.TaskGroup() as tasks:
                showing = tasks.create_task(self._show(service))
                weighing = tasks.create_task(self._weigh(service))
                for share in ASKED_AT:
                    await asyncio.sleep(max(0.0, share * self.seconds - self._age))
                    age = self._age
                    queries = list(self._programme.queries(age))
                    self.answers[age] = [await self._ask(service, query) for query in queries]
                    self._say(age)
                showing.cancel()
                weighing.cancel()
            # Nothing is shown any more, so the same question has the same answer.
            before = [await self._ask(service, query) for query in queries[-AGAIN:]]
            service.kill()
        async with serving(model, DATA=folder) as service:
            for earlier, query in zip(before, queries[-AGAIN:], strict=True):
                self.again.append((earlier, await self._ask(service, query)))
                if self.restart_s is None:
                    told = self.again[0][1].first_word_ms
                    self.restart_s = None if told is None else told / 1000

    @property
    def _age(self) -> float:
        return time.perf_counter() - self._began if self._began else 0.0

    def _say(self, age: float) -> None:
        right = sum(answered.right for answered in self.answers[age])
        sys.stderr.write(
            f"{age:.0f} s: {right} of {len(self.answers[age])} right, {self.points[-1:]}\n"
        )

    async def _show(self, service: Service) -> None:
        """Send a picture a second, until cancelled; one that is late is left out."""
        shown = await asyncio.to_thread(pictures)
        url = f"{service.address.replace('http', 'ws', 1)}/v1/realtime?stream={STREAM}"
        async with connect(url) as socket, asyncio.TaskGroup() as reading:
            reader = reading.create_task(_drain(socket))
            self._began = time.perf_counter()
            try:
                while True:
                    second = round(self._age)
                    at = int(self._programme.sample_second(second)) % len(shown)
                    await socket.send(_picture(shown[at]))
                    await asyncio.sleep(max(0.0, second + 1 - self._age))
            finally:
                reader.cancel()

    async def _weigh(self, service: Service) -> None:
        while True:
            await asyncio.sleep(min(60.0, self.seconds / 10))
            redis, rest = service.memory_of("redis", "valkey")
            try:
                status = await service.get(f"/v1/streams/{STREAM}")
            except httpx.HTTPError as error:  # busy for ten seconds: a minute is left out
                sys.stderr.write(f"no state: {error!r}\n")
                continue
            self.points.append(
                Point(
                    self._age,
                    rest,
                    redis,
                    status["held"]["bytes"],
                    status["clips"],
                    service.cpu_seconds(),
                )
            )

    async def _ask(self, service: Service, query: Query) -> HourAnswer:
        age = self._age - query.event.start
        try:
            told = await ask(service.address, STREAM, query.text, tokens=_ANSWER_TOKENS)
        except NoAnswer as none:
            return HourAnswer(query.kind, age, query.text, str(none), False, None, 0)
        text = told.text.strip()
        return HourAnswer(
            query.kind, age, query.text, text, query.is_right(text), told.first_word_ms, told.clips
        )


async def _drain(socket: Any) -> None:  # noqa: ANN401
    async for _ in socket:
        pass


def _picture(jpeg: bytes) -> str:
    url = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
    content = [{"type": "input_image", "image_url": url}]
    item = {"type": "message", "role": "user", "content": content}
    return json.dumps({"type": "conversation.item.create", "item": item})
