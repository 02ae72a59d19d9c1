"""Needles: hidden as pixels at any place of a clip, and what counts as found."""

import asyncio
import json

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from model.engine.local import LocalEngine
from model.video_chat import VideoChat
from model.zoo.tiny import tiny
from tests.stream.videos import write_video
from training.drawn.scenes import DrawnThing
from training.errors import BadData
from training.needles.asking import Live, NeedleAnswer, ReadOnce
from training.needles.chains import _follow, _in_a_row, _known_chain, chain, in_one
from training.needles.command import command
from training.needles.dropping import ABLATIONS, with_dropout
from training.needles.haystack import Haystack, drawn_frames, recorded_frames
from training.needles.report import lost, shares
from training.needles.trials import TrialResult, agrees, denies, says, single


@pytest.fixture(scope="module")
def haystack():
    return Haystack.look_at(VideoChat(tiny()), drawn_frames(1, 32), 40, lambda _: None)


def test_no_two_frames_of_a_haystack_are_alike():
    frames = drawn_frames(3, 32)
    assert len({frames(n).tobytes() for n in range(60)}) == 60


def test_a_needle_changes_the_clip_that_it_is_in_and_no_other(haystack):
    red = np.full((32, 32, 3), (250, 0, 0), dtype=np.uint8)
    for place in (20, 23):  # the first and the last frame of a clip
        clips = haystack.with_needles({place: red})
        changed = [n for n, (a, b) in enumerate(zip(clips, haystack.clips, strict=True)) if not a.values.equal(b.values)]  # fmt: skip
        assert changed == [5]
        assert (clips[5].start, clips[5].end) == (20.0, 23.0)


def test_films_that_are_too_short_for_a_haystack_are_refused(tmp_path):
    film = write_video(tmp_path / "f.mp4", seconds=2, rate=10)
    assert recorded_frames([film], 20, 32)(19).shape == (32, 32, 3)
    with pytest.raises(BadData, match="1 films have 20 frames; 21 are wanted"):
        recorded_frames([film], 21, 32)


def test_who_is_blind_has_as_many_clips_at_the_same_times_that_show_nothing(haystack):
    grey = haystack.grey()
    assert [c.start for c in grey] == [c.start for c in haystack.clips]
    assert all(c.values.equal(grey[0].values) for c in grey)


@pytest.mark.parametrize("ablation", ABLATIONS)
def test_every_ablation_answers_and_those_that_drop_keep_a_quarter(haystack, ablation):
    chat = with_dropout(tiny(), ablation)
    memory = ReadOnce(chat, haystack.clips)
    history, told = memory.history, memory.ask("What?")
    assert isinstance(told.text, str)
    assert (told.rests_on is None) == (ablation in {"none", "uniform"})
    kept = chat.ask(history, question()).reading.tokens_kept
    assert kept == 160 if ablation == "none" else 0 < kept <= 40  # markers compete for places


def question():
    from model.types import Question

    return Question("What?")


def test_chance_chooses_others_than_the_question_does(haystack):
    kept = []
    for ablation in ("paper", "random"):
        chat = with_dropout(tiny(), ablation)
        kept.append(chat.ask(ReadOnce(chat, haystack.clips).history, question()).reading.kept[-1])
    assert not torch.equal(*kept)


def test_the_published_score_always_names_a_letter(haystack):
    memory = ReadOnce(haystack.chat, haystack.clips)
    assert memory.letter("Which?", ["a", "b", "c", "d"]) in "ABCD"


def test_through_the_engine_that_serves_the_same_is_said_of_a_short_film(haystack):
    engine = LocalEngine(haystack.chat)
    told = Live(engine, haystack.clips).ask("What?")
    asyncio.run(engine.close())
    assert told == ReadOnce(haystack.chat, haystack.clips).ask("What?")
    assert NeedleAnswer("", (20.0, 23.0)).found(23)
    assert not NeedleAnswer("", (20.0, 23.0)).found(24)


def test_who_says_yes_to_everything_has_found_nothing():
    assert agrees("Yes, there was.")
    assert denies("No.")
    assert not agrees("Yesterday.")
    assert not denies("Nobody.")


def test_an_answer_that_names_another_option_as_well_is_wrong():
    assert says("A dog.", "dog", ["cat"])
    assert not says("A dog and a cat.", "dog", ["cat"])
    assert not says("Dogs.", "dog", ["cat"])


def test_where_an_answer_rests_is_told_of_those_that_are_right_as_well():
    """Who says no has seen no needle, and cannot rest on one."""
    common = {"length": 100, "depth": 0.5, "hops": 1, "hops_right": 1, "blind": False, "last": False, "letter": None, "answers": ()}  # fmt: skip
    trials = [TrialResult(**common, right=right, evidence=rests) for right, rests in [(True, True), (True, False), (False, False), (False, False)]]  # fmt: skip
    told = shares(trials)
    assert told["evidence"]["share"] == 0.25
    assert told["evidence_if_right"]["share"] == 0.5
    assert "evidence_if_right" not in shares(trials[2:])


def test_needles_that_the_eyes_cannot_name_are_told_apart_from_those_that_were_lost_later():
    common = {"length": 100, "depth": 0.5, "hops": 1, "hops_right": 1, "blind": False, "last": False, "letter": None, "evidence": None, "answers": ()}  # fmt: skip
    trials = [
        TrialResult(**common, right=right, known=known, seen=seen)
        for right, known, seen in [(True, True, True), (False, True, True), (False, True, False), (False, False, False), (True, False, False)]
    ]  # fmt: skip
    assert lost(trials) == {"answer": 1, "clip": 1, "eyes": 1}
    assert shares(trials)["right"]["share"] == 0.4
    assert shares(trials)["right_if_known"]["right"] == 1
    assert lost([TrialResult(**common, right=False)]) == {}  # of a model whose tokens have no words


class Saying:
    """A memory that answers from a dictionary."""

    def __init__(self, answers):
        self.answers = answers

    def ask(self, question):
        return NeedleAnswer(self.answers[question.rpartition(" ")[2].rstrip("?")], None)


def test_who_follows_a_chain_does_not_go_back():
    memory = Saying(
        {"dog": "A cat.", "cat": "A dog at 0:04 and a cow at 1:00.", "cow": "A circle."}
    )
    things = [DrawnThing("dog"), DrawnThing("cat"), DrawnThing("cow"), DrawnThing("pig")]
    told = [one.text for one in _follow(memory, things, ["dog", "cat", "cow", "pig"])]
    assert told == ["A cat.", "A dog at 0:04 and a cow at 1:00.", "A circle."]
    assert _in_a_row(told, things) == 2


def test_a_chain_is_asked_in_one_question_as_well():
    assert in_one("dog", 1) == "What was shown beside the dog?"
    assert in_one("dog", 3) == (
        "What was shown beside the thing that was shown beside the thing that was shown beside the dog?"
    )


def test_what_no_eyes_can_name_is_refused_where_only_what_they_name_is_to_be_hidden(haystack):
    with pytest.raises(BadData, match="name none of what is to be hidden"):
        single(haystack, {}, 0.5, 1, Saying({}), known=True)
    with pytest.raises(BadData, match="name none of what is to be hidden"):
        chain(haystack, {}, 2, 1, 1, Saying({}), known=True)


def test_a_chain_that_the_eyes_cannot_go_on_with_is_begun_with_another_thing(haystack, monkeypatch):
    """The eyes of this test name no star, and so nothing that is beside one."""

    monkeypatch.setattr("training.needles.chains.picture", lambda things, *_: things)
    monkeypatch.setattr(Haystack, "shows", lambda _, things: [one.name for one in things if one.name != "star"])  # fmt: skip
    random = np.random.default_rng(5)
    things = [one.name for one in _known_chain(haystack, {}, 3, 1, random)]
    assert "star" not in things
    assert len(set(things)) == 4


def test_a_film_serves_for_shorter_ones_as_well(haystack):
    assert [len(haystack.first(count).clips) for count in (20, 22, 400)] == [5, 6, 10]


def test_a_chain_is_right_up_to_the_first_hop_that_is_not():
    things = [DrawnThing("dog"), DrawnThing("cat"), DrawnThing("cow")]
    assert _in_a_row(["A cat.", "A cow."], things) == 2
    assert _in_a_row(["A cow.", "A cow."], things) == 0
    assert _in_a_row(["A cat."], things) == 1


@pytest.mark.parametrize("live", [[], ["--live"]])
@pytest.mark.parametrize(("name", "hops"), [("niah", ""), ("mhniah", "1,2")])
def test_the_command_draws_a_heat_map_and_ends_in_one_line_of_json(tmp_path, name, hops, live):
    options = ["--model", "tiny", "--shapes", "--side", "32", "--lengths", "20", "--trials", "1",
               "--depths", "0,1", "--distractors", "1", "--output", str(tmp_path), *live]  # fmt: skip
    done = CliRunner().invoke(command(name, hops), options)
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout.splitlines()[-1])
    row = next(iter(result["shares"].values()))
    assert {"right", "evidence", "last_4_frames", "blind"} <= set(row)
    assert ("letter" in row) == (not live)
    kept = json.loads((tmp_path / f"{name}.json").read_text())
    assert len(kept["trials"]["paper"]) == 2
    assert len((tmp_path / f"{name}-paper.jsonl").read_text().splitlines()) == 2
    assert (tmp_path / "niah-paper.png").exists() == (name == "niah")
