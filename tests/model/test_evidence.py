"""What an answer rests on: what the question made stand out, not where it stands."""

import pytest
import torch

from model.types import ClipTokens, Question
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
        habit = torch.where(reading.places >= 0, 1.2 ** reading.clips.float(), torch.tensor(0.0))
        monkeypatch.setattr(type(history), "attention", lambda *_: habit / habit.sum())
        reading.scores = habit / habit.sum()
        if added is not None:
            reading.scores = torch.where(reading.clips == added, 3.0, 1.0) * reading.scores
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


def test_what_an_empty_question_never_looks_at_is_not_blown_up(history, monkeypatch):
    prefill = read(history, "What?")
    habit = torch.zeros_like(prefill.reading.scores)
    habit[(prefill.reading.places >= 0) & (prefill.reading.clips == 5)] = 1.0
    monkeypatch.setattr(type(history), "attention", lambda *_: habit)
    found = scores(prefill)
    assert found[5] < min(found[:5])
    assert max(found) < 0.5, "not everything that is left goes to one clip"
