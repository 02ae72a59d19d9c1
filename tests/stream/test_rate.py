import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.frames.rate import RateController


def test_looks_less_often_as_soon_as_clips_queue():
    pace = RateController(fastest=2, slowest=0.5)
    pace.clip_queued(waiting=0)
    assert pace.rate == 2
    pace.clip_queued(waiting=1)
    assert pace.rate < 2


def test_comes_back_when_the_encoder_is_idle_half_of_the_time():
    pace = RateController(fastest=2, slowest=0.5)
    for _ in range(10):
        pace.clip_queued(waiting=1)
    assert pace.rate == 0.5
    for _ in range(60):
        pace.clip_encoded(took=0.1, lasted=2.0)
    assert pace.rate == 2


def test_a_busy_encoder_is_not_given_more():
    pace = RateController(fastest=2, slowest=0.5)
    pace.clip_queued(waiting=1)
    slowed = pace.rate
    for _ in range(60):
        pace.clip_encoded(took=1.5, lasted=2.0)
    assert pace.rate == slowed


@given(st.lists(st.one_of(st.integers(0, 3), st.floats(0, 10))))
def test_stays_within_its_bounds(events):
    pace = RateController(fastest=2, slowest=0.5)
    for event in events:
        if isinstance(event, int):
            pace.clip_queued(event)
        else:
            pace.clip_encoded(event, 2.0)
        assert 0.5 <= pace.rate <= 2


@pytest.mark.parametrize(("fastest", "slowest"), [(1, 2), (1, 0)])
def test_bounds_out_of_order_are_refused(fastest, slowest):
    with pytest.raises(ValueError, match="slowest"):
        RateController(fastest, slowest)
