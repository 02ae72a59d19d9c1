import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.frames.sampler import FrameSampler

GAPS = st.lists(st.floats(min_value=0, max_value=20), min_size=1, max_size=200)


def test_keeps_the_pace():
    sampler = FrameSampler(rate=1)
    picks = [t / 30 for t in range(30 * 10) if sampler.accepts(t / 30)]
    assert len(picks) == 10


def test_a_gap_is_followed_by_one_pick_not_a_burst():
    sampler = FrameSampler(rate=1)
    assert sampler.accepts(0.0)
    assert sampler.accepts(7.3)
    assert not sampler.accepts(7.4)
    assert not sampler.accepts(7.9)
    assert sampler.accepts(8.0)


@given(GAPS, st.floats(min_value=0.1, max_value=30))
def test_never_picks_more_often_than_asked(gaps, rate):
    sampler = FrameSampler(rate)
    time, picks = 0.0, []
    for gap in gaps:
        time += gap
        if sampler.accepts(time):
            picks.append(time)
    span = picks[-1] - picks[0]
    assert len(picks) <= span * rate + 2


@given(GAPS, st.floats(min_value=0.1, max_value=30))
def test_never_waits_longer_than_two_periods_while_frames_come(gaps, rate):
    sampler = FrameSampler(rate)
    time, last = 0.0, None
    for gap in gaps:
        time += gap
        if sampler.accepts(time):
            last = time
        assert last is not None
        assert time - last < 2 / rate + 1e-6


def test_a_new_rate_counts_from_the_last_pick():
    sampler = FrameSampler(rate=1)
    assert sampler.accepts(0.0)
    sampler.rate = 4
    assert not sampler.accepts(0.2)
    assert sampler.accepts(0.25)
    sampler.rate = 0.5
    assert not sampler.accepts(2.2)
    assert sampler.accepts(2.25)


def test_time_that_jumps_back_starts_the_pace_anew():
    sampler = FrameSampler(rate=1)
    assert sampler.accepts(500.0)
    assert sampler.accepts(3.0)
    assert not sampler.accepts(3.5)
    assert sampler.accepts(4.0)


@pytest.mark.parametrize("rate", [0.0, -1.0])
def test_a_rate_that_is_not_positive_is_refused(rate):
    with pytest.raises(ValueError, match="rate"):
        FrameSampler(rate)
    with pytest.raises(ValueError, match="rate"):
        FrameSampler(1).rate = rate


def test_the_first_picks_can_be_hurried():
    sampler = FrameSampler(rate=1)
    sampler.burst(4, rate=10)
    assert sampler.rate == pytest.approx(10)
    picks = [t / 100 for t in range(500) if sampler.accepts(t / 100)]
    assert picks == pytest.approx([0, 0.1, 0.2, 0.3, 1.3, 2.3, 3.3, 4.3], abs=0.05)
    assert sampler.rate == 1


def test_hurrying_is_never_slower_than_the_pace():
    sampler = FrameSampler(rate=20)
    sampler.burst(4, rate=10)
    picks = [t / 100 for t in range(50) if sampler.accepts(t / 100)]
    assert len(picks) == 10


def test_a_new_pace_while_hurrying_counts_from_the_last_hurried_pick():
    sampler = FrameSampler(rate=1)
    sampler.burst(2, rate=10)
    assert sampler.accepts(0.0)
    sampler.rate = 0.5
    assert sampler.accepts(0.1)
    assert not sampler.accepts(2.05)
    assert sampler.accepts(2.1)


def test_it_is_known_when_the_next_frame_is_due():
    sampler = FrameSampler(rate=1)
    assert sampler.due == float("-inf")
    sampler.accepts(3.0)
    assert sampler.due == 4.0
