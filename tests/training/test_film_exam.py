"""Real films and questions: what the network that saw all, and those that saw less, are asked."""

import asyncio
import json
import re

import pytest

from tests.stream.fakes import FakeEngine
from tests.stream.videos import write_video
from tests.web.test_cli import flashback
from training.exams.film_cases import FilmCase
from training.exams.film_exam import FilmAnswer, examine
from training.exams.film_scores import scores, table, wilson
from web.settings import Settings


class KeepingEngine(FakeEngine):
    """Keeps every history that it was given."""

    def __init__(self):
        super().__init__()
        self.given = []

    async def prepare(self, past):
        behind = await super().prepare(past)
        self.given += [(past.stream, clip) for clip in self.histories.held.get(past.name, ())]
        return behind


def case(film, kind="name", accept="clips"):
    return FilmCase(film, kind, "What?", re.compile(accept))


@pytest.fixture
async def film(tmp_path):
    return await asyncio.to_thread(write_video, tmp_path / "red.mp4", seconds=12, rate=4)


async def test_who_sees_the_last_clip_sees_one_and_who_is_blind_sees_as_many_grey_ones(film):
    engine, answers = KeepingEngine(), []
    await examine(engine, Settings(), [case(film)], answers.append)
    [answered] = answers
    seen = {clip.start: clip for stream, clip in engine.given if stream != "control"}
    control = [clip for stream, clip in engine.given if stream == "control"]
    assert len(seen) > 2
    assert answered.seen == answered.blind == f"{len(seen)} clips"
    assert answered.last == "1 clips"
    last, *blind = control
    assert last.values.equal(seen[max(seen)].values)
    assert [clip.start for clip in blind] == sorted(seen)
    assert all(clip.values.tolist() == [[127, 127, 127]] for clip in blind)


async def test_a_film_is_encoded_once_for_all_its_questions(film):
    engine, answers = FakeEngine(), []
    await examine(engine, Settings(), [case(film)], lambda _: None, controls=False)
    once = len(engine.encoded)
    await examine(engine, Settings(), [case(film)] * 5, answers.append, controls=False)
    assert len(engine.encoded) == 2 * once
    assert len(answers) == 5
    assert {(a.last, a.blind) for a in answers} == {(None, None)}


def test_the_interval_is_wilsons():
    # Values of R's binom.confint(methods="wilson").
    assert wilson(0, 10).low == 0
    assert wilson(0, 10).high == pytest.approx(0.2775, abs=1e-3)
    half = wilson(15, 30)
    assert (half.low, half.high) == (pytest.approx(0.3315, abs=1e-3), pytest.approx(0.6685, abs=1e-3))  # fmt: skip
    assert wilson(30, 30).high == 1


def test_scores_are_counted_by_kind_and_together(film):
    answers = [
        FilmAnswer(case(film, "name", "red"), "Red.", "blue", "grey"),
        FilmAnswer(case(film, "name", "red"), "Blue.", "red", "grey"),
        FilmAnswer(case(film, "count", "two"), "Two.", "two", "two"),
    ]
    found = scores(answers)
    rights = {k: (s.asked, s.seen.right, s.last.right, s.blind.right) for k, s in found.items()}
    assert rights == {"count": (1, 1, 1, 1), "name": (2, 1, 1, 0), "all": (3, 2, 2, 1)}
    assert "| name | 2 | 50% (9% to 91%) | 0% (0% to 66%) | 50% (9% to 91%) |" in table(found)


async def test_the_command_prints_a_table_and_ends_in_one_line_of_json(film, tmp_path):
    entries = [
        {"film": "red.mp4", "kind": kind, "question": "What?", "accept": "."}
        for kind in ("name", "name", "when")
    ]
    await asyncio.to_thread((tmp_path / "cases.json").write_text, json.dumps(entries))
    options = ("--data", str(tmp_path), "--model", "tiny", "--kinds", "name", "--show")
    code, output, errors = await flashback("eval", "real", *options)
    assert code == 0, errors
    lines = output.splitlines()
    assert sum(" | red.mp4 | name | What? | " in line for line in lines) == 2
    assert any(line.startswith("| name | 2 | ") for line in lines)
    assert json.loads(lines[-1])["scores"]["name"]["asked"] == 2
