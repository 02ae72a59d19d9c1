"""Whatever the demo suggests to ask is answered rightly by `lite`, at any age of the sample.

The sample is looked at as if it played live, only faster; suggestions come over HTTP and answers over
the WebSocket, as on the page.
"""

import asyncio
from fractions import Fraction

import av
import pytest

from model.zoo.presets import load_engine
from stream.frames.clipper import Clipper
from stream.frames.frame import Frame
from stream.frames.sampler import FrameSampler
from tests.web.conftest import echo_service
from training.sample_stream.sample_truth import LIST, SampleTruth

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

AGES = (15, 30, 48, 72, 95, 120, 143, 160, 175)
"""Seconds after the sample began: in most parts, and after it has begun again."""


def clips_of_the_sample(frame_side, until):
    """Return the clips that the live path would make of the sample, played over and over."""
    sampler, clipper, clips = FrameSampler(1.0), Clipper(4, 3.0, cuts=True), []
    sampler.burst(4, 10.0)
    length, begun = Fraction(round(SampleTruth().length)), Fraction(0)
    while begun < until:
        with av.open(str(LIST.with_name("sample.mp4"))) as film:
            for frame in film.decode(video=0):
                at = float(begun + frame.pts * frame.time_base)
                if sampler.accepts(at):
                    scale = frame_side / max(frame.width, frame.height)
                    size = {"width": round(frame.width * scale), "height": round(frame.height * scale)}  # fmt: skip
                    clips += clipper.add(Frame(frame.to_ndarray(format="rgb24", **size), at))
        begun += length
    return [clip for clip in clips if clip.end < until]


async def answer_to(service, question):
    async with service.talk("sample") as talk:
        await talk.ask(question)
        return (await talk.until_done())[0]


async def test_every_suggested_question_is_answered_rightly_at_any_age_of_the_stream():
    engine = await asyncio.to_thread(load_engine, "lite")
    truth, wrong, about = SampleTruth(), [], 0
    async with echo_service(engine=engine) as service:
        await service.store.begin("sample", 0.0)
        clips = await asyncio.to_thread(clips_of_the_sample, engine.image_size, AGES[-1])
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
