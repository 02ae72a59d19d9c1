"""Traces of questions and clips, read from the SDK's exporter in memory and from a collector."""

import asyncio
import importlib
import sys
import threading
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from model.errors import ModelError
from model.types import ClipTokens, Encoded
from tests.web.conftest import echo_service
from tests.web.fakes import EchoEngine
from web.composition import building
from web.errors import BadValue
from web.operations.traces import clips
from web.operations.traces.clips import ClipSpans
from web.operations.traces.otel import OtelTracing
from web.operations.traces.pen import Pen
from web.settings import Settings


class Seen:
    """What was exported."""

    def __init__(self):
        self.exporter = InMemorySpanExporter()

    @property
    def spans(self):
        return self.exporter.get_finished_spans()

    def one(self, name):
        [found] = [span for span in self.spans if span.name == name]
        return found

    def tree(self):
        """Return the names, each with its parent's."""
        names = {span.context.span_id: span.name for span in self.spans}
        return {(span.name, span.parent and names[span.parent.span_id]) for span in self.spans}

    def text(self):
        return "".join(span.to_json() for span in self.spans)


@asynccontextmanager
async def traced_service(monkeypatch, **options):
    seen = Seen()

    def make(_, wall):
        return OtelTracing(SimpleSpanProcessor(seen.exporter), wall)

    monkeypatch.setattr(building, "_make_tracing", make)
    async with echo_service(**options) as service:
        yield service, seen


async def test_a_question_is_one_trace_of_its_stages_without_a_word_of_it(monkeypatch):
    async with traced_service(monkeypatch) as (service, seen):
        await service.remember(clips=2)
        async with service.talk() as talk:
            begun = await talk.ask("what colour is my secret door")
            await talk.until_done()
    assert seen.tree() == {
        ("question", None),
        ("chat echo", "question"),
        ("history", "chat echo"),
        ("first word", "chat echo"),
        ("words", "chat echo"),
    }
    assert len({span.context.trace_id for span in seen.spans}) == 1
    history, first, words = map(seen.one, ("history", "first word", "words"))
    chat = seen.one("chat echo")
    assert history.end_time == first.start_time <= first.end_time == words.start_time
    assert chat.start_time <= history.start_time <= words.end_time == chat.end_time
    said = dict(chat.attributes)
    assert said.pop("gen_ai.response.time_to_first_chunk") >= 0
    assert said == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "flashback",
        "gen_ai.request.model": "echo",
        "gen_ai.request.max_tokens": 256,
        "gen_ai.response.model": "echo",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 6 + 2,
        "gen_ai.usage.output_tokens": 6,
        "flashback.stream": "cam",
        "flashback.background": False,
        "flashback.clips": 2,
        "flashback.visual_tokens": 2,
        "flashback.tokens_kept": 2,
    }
    request = seen.one("question").attributes["flashback.request_id"]
    assert request == begun["response"]["id"]
    assert not any(word in seen.text() for word in ("secret", "door", "colour"))


async def test_a_question_that_fails_tells_the_kind_of_error_and_not_its_words(monkeypatch):
    async with traced_service(monkeypatch) as (service, seen):
        await service.remember()
        service.engine.failure = ModelError("choked on my secret door", code="engine_failed")
        async with service.talk() as talk:
            await talk.ask("what about my secret door")
            await talk.until_done()
    assert seen.tree() == {
        ("question", None),
        ("chat echo", "question"),
        ("first word", "chat echo"),
    }
    for name in ("question", "chat echo"):
        assert seen.one(name).status.status_code is StatusCode.ERROR
        assert seen.one(name).attributes["error.type"] == "engine_failed"
    assert "secret" not in seen.text()


async def test_an_answer_that_is_cancelled_is_not_an_error(monkeypatch):
    async with traced_service(monkeypatch) as (service, seen):
        await service.remember()
        service.engine.gate.clear()
        async with service.talk() as talk:
            await talk.ask("one two")
            await talk.hear("response.output_text.delta")
            await talk.say({"type": "response.cancel"})
            await talk.until_done()
    for name in ("question", "chat echo"):
        assert seen.one(name).attributes["flashback.cancelled"] is True
        assert seen.one(name).status.status_code is StatusCode.UNSET
    assert ("words", "chat echo") in seen.tree()


async def test_a_question_over_http_is_a_trace_too(monkeypatch):
    async with traced_service(monkeypatch) as (service, seen):
        await service.remember()
        body = {"model": "echo@cam", "messages": [{"role": "user", "content": "one two"}]}
        async with service.client() as client:
            response = await client.post("/v1/chat/completions", json=body)
    assert response.status_code == 200, response.text
    assert ("chat echo", "question") in seen.tree()


async def test_a_clip_is_one_trace_until_memory_holds_it(monkeypatch):
    async with traced_service(monkeypatch) as (service, seen):
        live = await service.services.registry.open("cam")
        async with service.talk() as talk, asyncio.timeout(60):
            feed = live.open_feed("webrtc")
            for number in range(4):
                if (slot := feed.offer(float(number))) is not None:
                    feed.push(slot, np.zeros((32, 32, 3), dtype=np.uint8))
            await talk.hear("flashback.moment")
            feed.close("That was all.")
    assert {("clip", None), ("encode", "clip"), ("store", "clip")} <= seen.tree()
    store = next(span for span in seen.spans if span.name == "store")
    clip = next(span for span in seen.spans if span.context.span_id == store.parent.span_id)
    assert clip.attributes["flashback.stream"] == "cam"
    assert clip.end_time == store.end_time


def clip_spans():
    seen = Seen()
    tracing = OtelTracing(SimpleSpanProcessor(seen.exporter), lambda: 1.0)
    return ClipSpans(Pen(tracing._pen._tracer, lambda: 1.0)), seen


def tokens(start=0.0):
    return ClipTokens(np.zeros((1, 1)), start, start + 3)


def encode(spans, made):
    with spans.encoding("echo", 4) as done:
        done.append(Encoded(made, 0.0))


def test_clips_of_two_streams_with_the_same_times_are_told_apart():
    spans, seen = clip_spans()
    made = {name: tokens() for name in ("one", "two")}
    for clip in made.values():
        encode(spans, clip)
    for name, clip in made.items():
        spans.name(name, clip)
    spans.stored("two", tokens())
    assert seen.one("clip").attributes["flashback.stream"] == "two"
    spans.close()
    assert seen.tree() == {("clip", None), ("encode", "clip"), ("store", "clip")}


def test_clips_that_are_never_stored_end_as_they_are_and_are_not_kept(monkeypatch):
    monkeypatch.setattr(clips, "_UNDER_WAY", 2)
    spans, seen = clip_spans()
    for start in range(5):
        encode(spans, tokens(float(start)))
    assert [span.name for span in seen.spans].count("clip") == 3
    spans.close()
    assert [span.name for span in seen.spans].count("clip") == 5
    assert "store" not in {span.name for span in seen.spans}


def test_a_clip_that_cannot_be_encoded_says_so():
    spans, seen = clip_spans()
    with pytest.raises(ModelError), spans.encoding("echo", 4):
        raise ModelError("no", code="engine_failed")
    for name in ("clip", "encode"):
        assert seen.one(name).attributes["error.type"] == "engine_failed"


class Stuck(InMemorySpanExporter):
    """An exporter that waits until it is let go."""

    def __init__(self):
        super().__init__()
        self.asked, self.freed = threading.Event(), threading.Event()

    def export(self, spans):
        self.asked.set()
        self.freed.wait()
        return super().export(spans)


async def test_a_collector_that_never_answers_holds_up_neither_questions_nor_the_end(monkeypatch):
    exporter = Stuck()

    def make(_, wall):
        processor = BatchSpanProcessor(exporter, schedule_delay_millis=1)
        return OtelTracing(processor, wall, give_up=exporter.freed.set)

    monkeypatch.setattr("web.operations.traces.otel._CLOSE_SECONDS", 0.01)
    monkeypatch.setattr(building, "_make_tracing", make)
    async with echo_service() as service:
        await service.remember()
        async with service.talk() as talk:
            for _ in range(2):
                await talk.ask("one two")
                assert (await talk.until_done())[0] == "one two "
                assert await asyncio.to_thread(exporter.asked.wait, 60)
    assert exporter.freed.is_set()


async def test_a_collector_that_is_away_costs_spans_and_no_question(monkeypatch):
    monkeypatch.setattr("web.operations.traces.otel._CLOSE_SECONDS", 0.01)
    async with echo_service(traces="http://127.0.0.1:1") as service:
        await service.remember()
        async with service.talk() as talk:
            await talk.ask("one two")
            text, response = await talk.until_done()
    assert (text, response["status"]) == ("one two ", "completed")


class Collector(ThreadingHTTPServer):
    """Keeps what it is sent."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Take)
        self.taken = []


class _Take(BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.taken.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


async def test_a_collector_has_everything_when_the_service_has_ended():
    with Collector() as collector:
        serving = threading.Thread(target=collector.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        try:
            async with echo_service(traces=f"http://127.0.0.1:{collector.server_port}") as service:
                await service.remember()
                async with service.talk() as talk:
                    await talk.ask("my secret door")
                    await talk.until_done()
        finally:
            await asyncio.to_thread(collector.shutdown)
            serving.join()
    assert {path for path, _ in collector.taken} == {"/v1/traces"}
    names = set()
    for _, body in collector.taken:
        assert b"secret" not in body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            names |= {span.name for scope in resource.scope_spans for span in scope.spans}
    assert names == {"question", "chat echo", "history", "first word", "words"}


async def test_while_it_is_off_nothing_is_imported_by_a_question_and_the_engine_is_as_it_was(
    monkeypatch,
):
    monkeypatch.setattr(building, "_make_metrics", lambda _: None)
    for name in [name for name in sys.modules if name.startswith("opentelemetry")]:
        monkeypatch.setitem(sys.modules, name, None)  # an import of it fails
    ours = [name for name in sys.modules if name.startswith("web.operations.traces.")]
    for name in ours:
        monkeypatch.delitem(sys.modules, name)
    importlib.import_module("web.operations.traces.contract")
    engine = EchoEngine()
    async with echo_service(engine=engine) as service:
        assert service.services.engine is engine
        await service.remember()
        async with service.talk() as talk:
            await talk.ask("one two")
            assert (await talk.until_done())[0] == "one two "
    assert "web.operations.traces.otel" not in sys.modules


def test_an_address_without_a_path_is_completed_and_one_with_a_path_is_kept():
    for given, used in [
        ("http://host:4318", "http://host:4318/v1/traces"),
        ("https://host/", "https://host/v1/traces"),
        ("https://host/otlp/v1/traces", "https://host/otlp/v1/traces"),
    ]:
        assert Settings.from_env({"FLASHBACK_TRACES": given}).traces == used


def test_an_address_that_cannot_be_used_is_refused_without_repeating_it():
    for url, said in [
        ("http://me:s3cret@host", "OTEL_EXPORTER_OTLP_HEADERS"),
        ("http://s3cret@host", "OTEL_EXPORTER_OTLP_HEADERS"),
        ("https://host/?key=s3cret", "OTEL_EXPORTER_OTLP_HEADERS"),
        ("grpc://s3cret:4317", "http://HOST"),
        ("http://", "http://HOST"),
    ]:
        with pytest.raises(BadValue, match=said) as refused:
            Settings.from_env({"FLASHBACK_TRACES": url})
        assert "s3cret" not in str(refused.value)
