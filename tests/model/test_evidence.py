"""What an answer rests on: what the question made stand out, not where it stands."""

from dataclasses import replace

import pytest
import torch

from model.config import DropoutConfig
from model.types import ClipTokens, Question
from model.video_chat import VideoChat
from model.zoo.tiny import tiny
from tests.model.engines import CHAT

COUNT = 16


@pytest.fixture(scope="module")
def history():
    made = CHAT.open()
    random = torch.Generator().manual_seed(3)
    for n in range(COUNT):
        clip = ClipTokens(torch.randn(16, 32, generator=random).half(), 4.0 * n, 4.0 * n + 3)
        CHAT.extend(made, [clip])
    return made


def read(history, text, **about):
    return CHAT.ask(history, Question(text, **about))


def scores(prefill):
    return [one.score for one in CHAT.evidence(prefill)]


@pytest.fixture
def leaning(history, monkeypatch):
    """A network that looks at every clip more than at the one before, whatever is asked."""

    def scored(prefill, added=None):
        reading = prefill.reading
        chosen = reading.selection
        habit = torch.where(chosen.places >= 0, 1.2 ** chosen.clips.float(), torch.tensor(0.0))
        monkeypatch.setattr(type(history), "attention", lambda *_: habit / habit.sum())
        now = habit / habit.sum()
        if added is not None:
            now = torch.where(chosen.clips == added, 3.0, 1.0) * now
        reading.selection = replace(chosen, scores=now)
        return scores(prefill)

    return scored


@pytest.mark.parametrize("about", [{}, {"duration": 99.0}, {"since": 20.0, "until": 50.0}])
def test_a_question_that_asks_nothing_rests_on_all_of_it_alike(history, about):
    found = scores(read(history, "", **about))
    assert found == pytest.approx([1 / len(found)] * len(found), rel=1e-3)


def test_evidence_is_flat_with_age_where_every_question_looks_at_the_newest(history, leaning):
    assert leaning(read(history, "What?")) == pytest.approx([1 / COUNT] * COUNT, rel=1e-3)


def test_what_the_question_adds_stands_out_wherever_it_is(history, leaning):
    found = leaning(read(history, "What?"), added=12)
    assert found.index(max(found)) == 12
    assert sum(found) == pytest.approx(1, abs=1e-4)


def test_the_time_marker_of_a_clip_is_not_evidence_of_it(history, leaning):
    prefill = read(history, "When?")
    before, chosen = leaning(prefill), prefill.reading.selection
    markers = (chosen.places < 0) & (chosen.clips == 5)
    assert markers.any()
    prefill.reading.selection = replace(
        chosen, scores=torch.where(markers, chosen.scores + 10, chosen.scores)
    )
    assert scores(prefill) == pytest.approx(before)


def test_what_an_empty_question_never_looks_at_is_not_blown_up(history, monkeypatch):
    prefill = read(history, "What?")
    chosen = prefill.reading.selection
    habit = torch.zeros_like(chosen.scores)
    habit[(chosen.places >= 0) & (chosen.clips == 5)] = 1.0
    monkeypatch.setattr(type(history), "attention", lambda *_: habit)
    found = scores(prefill)
    assert found[5] < min(found[:5])
    assert max(found) < 0.5, "not everything that is left goes to one clip"


@pytest.fixture(scope="module")
def knowing():
    """A network of which it is known in which layer it attends to what an answer rests on."""
    layers = CHAT.parts.config.language.layers
    return VideoChat(replace(tiny(), evidence_layer=layers - 1))


def test_where_a_layer_is_known_the_evidence_is_its_attention_as_in_one_pass(knowing):
    history, random = knowing.open(), torch.Generator().manual_seed(3)
    clips = [
        ClipTokens(torch.randn(16, 32, generator=random).half(), 4.0 * n, 4.0 * n + 3)
        for n in range(COUNT)
    ]
    knowing.extend(history, clips)
    prefill = knowing.ask(history, Question("What?"))
    attended = knowing.read_once(clips, Question("What?")).evidence
    visual = attended.places >= 0
    assert 0 < visual.sum() < 16 * COUNT, "it is a layer after the selection"
    sums = torch.zeros(COUNT).index_add(0, attended.clips[visual], attended.scores[visual])
    expected = (sums / sums.sum()).tolist()
    found = [one.score for one in knowing.evidence(prefill)]
    assert found == pytest.approx(expected, abs=1e-4)
    assert max(expected) > 1.2 * min(expected), "the shares differ, or nothing was compared"


def test_where_a_layer_is_known_nothing_is_read_twice_and_no_answer_changes(
    knowing, history, monkeypatch
):
    monkeypatch.setattr(type(history), "attention", None)
    plain, prefill = read(history, "What?"), knowing.ask(history, Question("What?"))
    torch.testing.assert_close(prefill.reading.logits, plain.reading.logits)


def test_without_a_selection_a_known_layer_says_nothing(knowing):
    undropped = VideoChat(knowing.parts, dropout=DropoutConfig(()))
    history = undropped.open()
    undropped.extend(history, [ClipTokens(torch.randn(16, 32).half(), 0.0, 3.0)])
    assert undropped.evidence(undropped.ask(history, Question("What?"))) == ()
