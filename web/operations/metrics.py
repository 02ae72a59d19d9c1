"""What Prometheus reads at `/metrics`: the service in numbers, without a word of what was asked.

Labels are few and bounded: names of streams that are open here, and the states, causes and results
that this file lists. Needs the extra `metrics`: imported by nobody where that is not installed.
"""

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Protocol, cast, get_args, runtime_checkable

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from model.engine.contract import Engine, Past
from model.types import AnswerPiece, Clip, Encoded, Question, Words
from stream.status import Losses, State, StreamStatus
from stream.watches.records import Verdict
from stream.webrtc.receiver import Reception

Clock = Callable[[], float]

_ENCODE = (0.05, 0.1, 0.15, 0.2, 0.25, 0.35, 0.5, 0.75, 1.0, 2.0, 4.0, 10.0)
_FIRST = (0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 60.0)
_BETWEEN = (0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.2, 0.5, 1.0, 5.0)


class Metrics:
    """Observes what happens, and reads the rest when somebody asks.

    Args:
        clock: Monotonic seconds.

    Attributes:
        running: Answers being written.
        waiting: Questions without a first word yet.
        history_bytes: Reads how much memory histories hold; None if the engine does not know.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.running = 0
        self.waiting = 0
        self.history_bytes: Callable[[], int | None] = lambda: None
        self._observed = CollectorRegistry()
        self.encode = self._histogram("encode_seconds", "A clip's arrival to its tokens.", _ENCODE)
        self.first_token = self._histogram(
            "time_to_first_token_seconds", "A question to its first word.", _FIRST
        )
        self.between_tokens = self._histogram(
            "inter_token_latency_seconds", "One word to the next.", _BETWEEN
        )

    def measured(self, engine: Engine) -> Engine:
        """Return `engine`, observed."""
        return cast("Engine", _MeasuredEngine(engine, self))

    def exposition(
        self,
        process: Mapping[str, float],
        streams: Sequence[StreamStatus] = (),
        sessions: Mapping[str, int] | None = None,
        receptions: Mapping[str, Reception] | None = None,
        verdicts: Mapping[Verdict, int] | None = None,
    ) -> bytes:
        """Return everything in Prometheus' text format.

        Args:
            process: Gauges by name, without our prefix.
            streams: Those that are open here.
            sessions: Open ones by kind.
            receptions: How packets of streams that are sent by WebRTC arrive.
            verdicts: Events of watches.
        """
        numbers = dict(process)
        numbers |= {"requests_running": self.running, "requests_waiting": self.waiting}
        if (held := self.history_bytes()) is not None:
            numbers["history_bytes"] = held
        now = CollectorRegistry()
        now.register(_Now(numbers, streams, sessions or {}, receptions or {}, verdicts or {}))
        return generate_latest(self._observed) + generate_latest(now)

    def _histogram(self, name: str, meaning: str, buckets: Sequence[float]) -> Histogram:
        return Histogram(f"flashback_{name}", meaning, buckets=buckets, registry=self._observed)


class _MeasuredEngine:
    """An engine whose calls are timed; see `model.engine.Engine`.

    Args:
        engine: Does the work.
        metrics: Is told how long it took.
    """

    def __init__(self, engine: Engine, metrics: Metrics) -> None:
        self._engine = engine
        self._metrics = metrics
        if isinstance(engine, _HoldsHistories):
            metrics.history_bytes = lambda: engine.history_bytes

    async def encode(self, clip: Clip) -> Encoded:
        """See `Engine.encode`."""
        began = self._metrics.clock()
        encoded = await self._engine.encode(clip)
        self._metrics.encode.observe(self._metrics.clock() - began)
        return encoded

    async def answer(self, past: Past, question: Question) -> AsyncGenerator[AnswerPiece, None]:
        """See `Engine.answer`."""
        metrics, before, writing = self._metrics, self._metrics.clock(), False
        metrics.waiting += 1
        try:
            async with aclosing(self._engine.answer(past, question)) as pieces:
                async for piece in pieces:
                    now = metrics.clock()
                    if not writing:
                        metrics.waiting, metrics.running = metrics.waiting - 1, metrics.running + 1
                        metrics.first_token.observe(now - before)
                        writing = True
                    elif isinstance(piece, Words):
                        metrics.between_tokens.observe(now - before)
                    before = now
                    yield piece
        finally:
            if writing:
                metrics.running -= 1
            else:
                metrics.waiting -= 1

    def __getattr__(self, name: str) -> object:
        return getattr(self._engine, name)  # whatever else an engine has is not measured


@runtime_checkable
class _HoldsHistories(Protocol):
    @property
    def history_bytes(self) -> int: ...


class _Now(Collector):
    """What the service knows at this moment."""

    def __init__(
        self,
        numbers: Mapping[str, float],
        streams: Sequence[StreamStatus],
        sessions: Mapping[str, int],
        receptions: Mapping[str, Reception],
        verdicts: Mapping[Verdict, int],
    ) -> None:
        self._numbers, self._streams, self._sessions = numbers, streams, sessions
        self._receptions, self._verdicts = receptions, verdicts

    def collect(self) -> Iterator[Metric]:
        """Yield one family after another."""
        for name, value in self._numbers.items():
            yield GaugeMetricFamily(f"flashback_{name}", name.replace("_", " "), value)
        sessions = GaugeMetricFamily("flashback_sessions", "Open sessions.", labels=["kind"])
        for kind, count in self._sessions.items():
            sessions.add_metric([kind], count)
        yield sessions
        states = GaugeMetricFamily("flashback_streams", "Streams here.", labels=["state"])
        for state in get_args(State):
            states.add_metric([state], sum(s.state == state for s in self._streams))
        yield states
        yield self._count("frames", "Pictures that arrived.", lambda s: {"": s.frames})
        yield self._count("sampled_frames", "Frames sampled.", lambda s: {"": s.sampled})
        yield self._count("clips", "Clips by result.", _results, label="result")
        yield self._count("lost", "Clips lost by cause.", lambda s: _causes(s.lost), label="cause")
        age = GaugeMetricFamily(
            "flashback_frame_age_seconds",
            "From a picture's arrival until the network begins with it.",
            labels=["stream"],
        )
        for status in self._streams:
            if status.frame_age_ms is not None:
                age.add_metric([status.name], status.frame_age_ms / 1000)
        yield age
        yield from self._of_packets()
        events = CounterMetricFamily(
            "flashback_watch_events", "Events of watches by verdict.", labels=["verdict"]
        )
        for verdict, count in self._verdicts.items():
            events.add_metric([verdict], count)
        yield events

    def _of_packets(self) -> Iterator[Metric]:
        lost = CounterMetricFamily(
            "flashback_rtp_packets_lost", "RTP packets that never came.", labels=["stream"]
        )
        jitter = GaugeMetricFamily(
            "flashback_rtp_jitter_seconds", "How unevenly RTP packets come.", labels=["stream"]
        )
        for stream, reception in self._receptions.items():
            lost.add_metric([stream], reception.lost)
            jitter.add_metric([stream], reception.jitter)
        yield from (lost, jitter)

    def _count(
        self,
        name: str,
        meaning: str,
        read: Callable[[StreamStatus], Mapping[str, int]],
        label: str | None = None,
    ) -> CounterMetricFamily:
        labels = ["stream"] + ([label] if label else [])
        family = CounterMetricFamily(f"flashback_{name}", meaning, labels=labels)
        for status in self._streams:
            for kind, value in read(status).items():
                family.add_metric([status.name] + ([kind] if label else []), value)
        return family


def _results(status: StreamStatus) -> Mapping[str, int]:
    return {"remembered": status.clips, "lost": status.lost.total}


def _causes(lost: Losses) -> Mapping[str, int]:
    return {
        "overload": lost.overload,
        "failed": lost.failed,
        "unwritten": lost.unwritten,
        "full": lost.full,
    }
