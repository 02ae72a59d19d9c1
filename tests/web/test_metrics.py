"""What operators see at /metrics, read by Prometheus' own parser."""

import asyncio
from dataclasses import replace

import numpy as np
from prometheus_client.parser import text_string_to_metric_families

from memory.errors import StoreUnavailable
from memory.local_store import LocalStore
from memory.store import StreamRecord
from model.errors import ModelError
from stream.status import Losses, remembered
from stream.webrtc.receiver import Reception
from tests.web.conftest import echo_service
from tests.web.fakes import EchoEngine
from web.composition import building
from web.operations.metrics import Metrics


def read(text):
    families = text_string_to_metric_families(text)
    samples = [sample for family in families for sample in family.samples]
    return {
        (s.name, *(s.labels[k] for k in sorted(s.labels, reverse=True))): s.value for s in samples
    }


async def scraped(service):
    async with service.client() as client:
        response = await client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return read(response.text), response.text


async def test_questions_and_sessions_are_counted_and_no_word_of_them_is_told(service):
    await service.remember(clips=2)
    async with service.talk() as talk:
        await talk.ask("what colour is my secret door")
        await talk.until_done()
        values, text = await scraped(service)
    assert values["flashback_time_to_first_token_seconds_count",] == 1
    assert values["flashback_inter_token_latency_seconds_count",] == 5
    assert values["flashback_requests_running",] == 0
    assert values["flashback_requests_waiting",] == 0
    assert values["flashback_sessions", "websocket"] == 1
    assert values["flashback_sessions", "whip"] == 0
    assert values["flashback_streams", "ended"] == 1
    assert values["flashback_clips_total", "cam", "remembered"] == 2
    assert values["flashback_resident_memory_bytes",] > 1e6
    assert "secret" not in text
    assert "door" not in text


async def test_an_answer_under_way_is_running_and_one_that_fails_is_not(service):
    await service.remember()
    service.engine.gate.clear()
    async with service.talk() as talk:
        await talk.ask("one two")
        await talk.hear("response.output_text.delta")
        assert (await scraped(service))[0]["flashback_requests_running",] == 1
        service.engine.gate.set()
        await talk.until_done()
        service.engine.failure = ModelError("RuntimeError", code="engine_failed")
        await talk.ask("three")
        await talk.until_done()
    values, _ = await scraped(service)
    assert values["flashback_requests_running",] == values["flashback_requests_waiting",] == 0
    assert values["flashback_time_to_first_token_seconds_count",] == 1


async def test_what_is_fed_is_counted_by_stream(service):
    live = await service.services.registry.open("cam")
    async with service.talk() as talk, asyncio.timeout(60):
        feed = live.open_feed("webrtc")
        for number in range(8):
            if (slot := feed.offer(float(number))) is not None:
                feed.push(slot, np.zeros((32, 32, 3), dtype=np.uint8))
        await talk.hear("flashback.moment")
        values, _ = await scraped(service)
        feed.close("That was all.")
    assert sum(value for name, value in values.items() if name[0] == "flashback_streams") == 1
    assert values["flashback_frames_total", "cam"] == 8
    assert 1 <= values["flashback_sampled_frames_total", "cam"] <= 8
    assert values["flashback_encode_seconds_count",] >= 1
    assert values["flashback_frame_age_seconds", "cam"] >= 0


def test_every_cause_of_a_loss_has_its_counter():
    record = StreamRecord("cam", began=0.0, clips=3, end=8.0)
    lost = Losses(overload=1, failed=2, unwritten=3, full=4)
    status = replace(remembered(record, 1.0), lost=lost, frame_age_ms=500.0)
    values = read(Metrics(lambda: 0.0).exposition({}, [status]).decode())
    causes = {"overload": 1, "failed": 2, "unwritten": 3, "full": 4}
    assert {c: values["flashback_lost_total", "cam", c] for c in causes} == causes
    assert values["flashback_clips_total", "cam", "lost"] == 10
    assert values["flashback_frame_age_seconds", "cam"] == 0.5


async def test_how_the_packets_of_a_sender_arrive_is_told_by_stream(service, player):
    async with service.client() as client:
        kind = {"Content-Type": "application/sdp"}
        response = await client.post("/whip/cam", content=player.offer, headers=kind)
        async with service.talk() as talk:
            await player.accept(response.text)
            await talk.hear("flashback.moment")
            values, _ = await scraped(service)
        await client.delete(response.headers["Location"])
    assert values["flashback_rtp_packets_lost_total", "cam"] >= 0
    assert 0 <= values["flashback_rtp_jitter_seconds", "cam"] < 60
    await service.all_free()
    assert ("flashback_rtp_jitter_seconds", "cam") not in (await scraped(service))[0]


def test_packets_and_verdicts_have_labels_that_are_bounded():
    received, verdicts = {"cam": Reception(3, 0.25)}, {"confirmed": 2, "rejected": 0}
    values = read(Metrics(lambda: 0.0).exposition({}, receptions=received, verdicts=verdicts).decode())  # fmt: skip
    assert values["flashback_rtp_packets_lost_total", "cam"] == 3
    assert values["flashback_rtp_jitter_seconds", "cam"] == 0.25
    assert values["flashback_watch_events_total", "confirmed"] == 2
    assert values["flashback_watch_events_total", "rejected"] == 0


async def test_the_memory_of_a_redis_is_told_and_one_that_is_away_takes_no_other_number_along():
    class Away(LocalStore):
        away = False

        async def used_bytes(self):
            if self.away:
                raise StoreUnavailable("Redis does not answer.")
            return 12_000

    store = Away(EchoEngine.encoder, exact=EchoEngine.exact_columns)
    async with echo_service(store=store) as service:
        assert (await scraped(service))[0]["flashback_redis_bytes",] == 12_000
        store.away = True
        values, _ = await scraped(service)
    assert ("flashback_redis_bytes",) not in values
    assert values["flashback_resident_memory_bytes",] > 1e6


async def test_who_has_no_token_sees_no_numbers():
    async with echo_service(token="right") as service, service.client() as client:
        assert (await client.get("/metrics")).status_code == 401
        allowed = {"Authorization": "Bearer right"}
        assert (await client.get("/metrics", headers=allowed)).status_code == 200


async def test_without_the_package_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setattr(building, "_make_metrics", lambda _: None)
    async with echo_service() as service, service.client() as client:
        response = await client.get("/metrics")
    assert response.status_code == 501
    assert "flashback[metrics]" in response.json()["detail"]
