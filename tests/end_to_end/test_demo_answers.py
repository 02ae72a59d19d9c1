"""Whatever the demo suggests to ask is answered rightly by `lite`, at any age of the sample.

The sample is looked at as if it played live, only faster; suggestions come over HTTP and answers over
the WebSocket, as on the page.
"""

import asyncio

import pytest

from model.zoo.presets import load_engine
from tests.web.conftest import echo_service
from training.sample_stream.sample_clips import sample_clips
from training.sample_stream.sample_truth import SampleTruth

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

AGES = (15, 30, 48, 72, 95, 120, 143, 160, 175)
"""Seconds after the sample began: in most parts, and after it has begun again."""
SIDE = 216
"""Of frames; smaller than a live stream's, which takes longer."""


async def answer_to(service, question):
    async with service.talk("sample") as talk:
        await talk.ask(question)
        return (await talk.until_done())[0]


async def test_every_suggested_question_is_answered_rightly_at_any_age_of_the_stream():
    engine = await asyncio.to_thread(load_engine, "lite")
    truth, wrong, about = SampleTruth(), [], 0
    async with echo_service(engine=engine) as service:
        await service.store.begin("sample", 0.0)
        clips = await asyncio.to_thread(lambda: list(sample_clips(SIDE, AGES[-1])))
        for age in AGES:
            while clips and clips[0].end < age:
                encoded = await engine.encode(clips.pop(0))
                await service.store.append("sample", encoded.tokens, b"")
            async with service.client() as client:
                told = (await client.get("/v1/streams/sample/suggestions")).json()
            suggested = told["suggestions"]
            # All at once: they are written in one batch, in little more time than one takes.
            answers = await asyncio.gather(*(answer_to(service, one["text"]) for one in suggested))
            for one, answer in zip(suggested, answers, strict=True):
                about += one["thing"] is not None
                if not truth.is_right(one["kind"], one["thing"], answer, age):
                    wrong.append((age, one["text"], answer))
    assert wrong == []
    assert about >= 20, "it asks about what was shown, not only in general"
