"""Made-up long films: what is asked about them is true, and they are what they are said to be."""

import json
import re

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from training.finetune.data_list import read_data_list
from training.long_films.command import app
from training.long_films.drawing import frames
from training.long_films.plan import plan_film
from training.long_films.questions import ASKED, called, named, pairs


@pytest.fixture(scope="module")
def plan():
    return plan_film(5, 300.0, {})


def test_the_same_seed_gives_the_same_film_and_another_another(plan):
    assert plan_film(5, 300.0, {}) == plan
    assert plan_film(6, 300.0, {}) != plan


def test_events_are_dense_in_order_and_inside_of_the_film(plan):
    assert len(plan.events) > 300 / 12
    borders = [time for event in plan.events for time in (event.start, event.end)]
    assert borders == sorted(borders)
    assert borders[-1] <= 300
    assert plan.places[-1].end == 300
    assert {place.night for place in plan.places} == {True, False}


def test_every_kind_of_question_is_asked_and_right_answers_vary(plan):
    asked = pairs(plan, 60)
    assert {pair.kind for pair in asked} == set(ASKED)
    assert len({pair.answer for pair in asked}) > 20


def test_what_is_said_to_be_shown_at_a_time_is_shown_then(plan):
    what = [pair for pair in pairs(plan, 200) if pair.kind == "what"]
    for pair in what:
        at = int(re.search(r"\d+", pair.question)[0])
        [event] = [event for event in plan.events if event.start <= at < event.end]
        assert pair.answer == f"{named(event)[0].upper()}{named(event)[1:]}."


def test_only_what_is_shown_once_is_asked_when(plan):
    names = [called(event) for event in plan.events]
    for pair in pairs(plan, 200):
        if pair.kind == "when":
            assert names.count(pair.question[13:-7]) == 1


def test_a_night_is_dark_and_an_event_is_to_be_seen():
    plan = plan_film(5, 60.0, {})
    shown = list(frames(plan, {}, 1, (64, 48)))
    assert len(shown) == 60
    night = next((place for place in plan.places if place.night), None)
    if night is not None:
        assert shown[int(night.start) + 1].mean() < 110
    event = plan.events[0]
    before, during = (
        shown[int(event.start) - 1 if event.start >= 1 else 0],
        shown[int(event.end) - 1],
    )
    assert np.abs(before.astype(int) - during).mean() > 1


def test_films_are_written_with_a_list_that_training_reads(tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.new("RGB", (40, 30), (90, 120, 60)).save(photos / "a.png")
    options = [str(tmp_path), "--count", "1", "--minutes", "0.5", "--rate", "2", "--side", "48",
               "--shapes", "--questions", "8", "--photos", str(photos)]  # fmt: skip
    done = CliRunner().invoke(app, options)
    assert done.exit_code == 0, done.output
    records = read_data_list(tmp_path / "list.json")
    assert len(records.usable) == 8
    assert not records.broken
    assert all(record.video.is_file() for record in records.usable)
    spans = json.loads((tmp_path / "charades.json").read_text())
    assert all(span["timestamp"][0] < span["timestamp"][1] for span in spans)
