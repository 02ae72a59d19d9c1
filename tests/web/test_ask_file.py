"""`flashback ask` of a file: what is looked at of it, and several questions about it."""

import json

import pytest

from stream.file.whole_file import Sampled
from tests.stream.videos import write_video
from tests.web.fakes import EchoEngine
from tests.web.test_cli import flashback
from web.cli.source.ask import _fewer, frames_at_most

TINY = ("--model", "tiny")
QUESTIONS = ("What is red?", "What is blue?")


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("films") / "film.mp4", seconds=20.0)


async def test_the_whole_file_is_looked_at_once_for_all_questions_and_what_was_is_said(film):
    code, output, errors = await flashback("ask", str(film), *QUESTIONS, *TINY, "--json")
    assert (code, errors) == (0, "")
    answers = [json.loads(line) for line in output.splitlines()]
    assert [answer["question"] for answer in answers] == list(QUESTIONS)
    for answer in answers:
        assert (answer["frames"], answer["clips"], len(answer["evidence"])) == (64, 16, 16)
        assert (answer["start"], answer["end"]) == (pytest.approx(0.1), pytest.approx(19.7))


async def test_no_more_frames_are_looked_at_than_were_allowed(film):
    code, output, _ = await flashback("ask", str(film), "?", *TINY, "--json", "--frames", "20")
    assert code == 0
    answer = json.loads(output)
    assert (answer["frames"], answer["start"], answer["end"]) == (16, 0.5, pytest.approx(19.3))
    code, _, errors = await flashback("ask", str(film), "?", *TINY, "--frames", "7")
    assert code == 2
    assert "--frames takes a number from 8" in errors


def test_of_more_frames_than_the_model_holds_fewer_are_looked_at_and_that_is_said():
    engine = EchoEngine()
    room = engine.clips_at_most * engine.frames_per_clip
    assert frames_at_most(512, engine) == 512
    assert frames_at_most(10_000, engine) == room
    (said,) = _fewer(Sampled(length=9000.0, frames=room, of=90_000), 10_000, engine)
    assert said.startswith(f"{room} frames are looked at, not 10000: echo cannot hold more")
    assert _fewer(Sampled(length=900.0, frames=900, of=90_000), 10_000, engine) == []
    assert _fewer(Sampled(length=9000.0, frames=512, of=90_000), 512, engine) == []


async def test_several_answers_are_told_apart_by_their_questions(film):
    code, output, _ = await flashback("ask", str(film), *QUESTIONS, *TINY)
    assert code == 0
    assert output.startswith("What is red?\n")
    assert "\n\nWhat is blue?\n" in output


async def test_one_of_several_questions_that_is_empty_is_refused_before_anything_is_loaded(film):
    code, output, errors = await flashback("ask", str(film), "What?", " ", "--model", "nope")
    assert (code, output, errors) == (2, "", "flashback: the question is empty\n")
