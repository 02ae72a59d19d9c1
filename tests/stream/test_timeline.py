import itertools
import math

from hypothesis import given
from hypothesis import strategies as st

from stream.frames.timeline import ArrivalTimeline, OwnTimeline

ANY_TIME = st.floats(allow_nan=True, allow_infinity=True)


@given(st.lists(st.tuples(ANY_TIME, st.floats(min_value=0, max_value=5)), max_size=100))
def test_times_never_go_back_and_never_lie_in_the_future(arrivals):
    timeline = ArrivalTimeline(earliest=3.0)
    now, last = 3.0, 3.0
    for time, step in arrivals:
        now += step
        media = timeline.media_time(time, now)
        assert last <= media <= now
        last = media


def test_an_even_source_keeps_its_pace_however_late_its_frames_come():
    timeline = ArrivalTimeline(earliest=0.0)
    delays = [0.1, 0.3, 0.2, 0.5, 0.1, 0.4]
    times = [timeline.media_time(900 + i, 10 + i + d) for i, d in enumerate(delays)]
    assert [round(b - a, 6) for a, b in itertools.pairwise(times)] == [1] * 5


def test_a_burst_keeps_its_inner_pace_once_its_delay_is_known():
    timeline = ArrivalTimeline(earliest=0.0, tolerance=30)
    for i in range(6):
        timeline.media_time(float(i), 0.0)
    second = [timeline.media_time(6.0 + i, 6.0) for i in range(6)]
    assert second == [1, 2, 3, 4, 5, 6]


def test_a_clock_that_jumps_back_goes_on_with_arrival():
    timeline = ArrivalTimeline(earliest=0.0)
    before = [timeline.media_time(95_000 + i, float(i)) for i in range(3)]
    after = [timeline.media_time(float(i), 3.0 + i) for i in range(3)]
    assert before + after == [0, 1, 2, 3, 4, 5]


def test_a_clock_that_jumps_ahead_goes_on_with_arrival():
    timeline = ArrivalTimeline(earliest=0.0)
    assert timeline.media_time(1.0, 1.0) == 1.0
    assert timeline.media_time(9_000.0, 2.0) == 2.0
    assert timeline.media_time(9_001.0, 3.0) == 3.0


def test_a_clock_that_stands_still_counts_arrival():
    timeline = ArrivalTimeline(earliest=0.0)
    assert [timeline.media_time(7.0, float(i)) for i in range(4)] == [0, 1, 2, 3]
    assert [timeline.media_time(math.nan, 4.0 + i) for i in range(2)] == [4, 5]


def test_a_slow_clock_is_caught_up_with():
    timeline = ArrivalTimeline(earliest=0.0, tolerance=2.0)
    for i in range(100):
        assert i - timeline.media_time(i / 2, float(i)) <= 2.0


@given(st.lists(st.floats(min_value=0, max_value=1e6)))
def test_a_file_keeps_its_own_times_and_never_goes_back(times):
    timeline = OwnTimeline(base=5.0)
    media = [timeline.media_time(t, math.nan) for t in times]
    assert media == sorted(media)
    if times:
        assert media[0] == 5.0 + times[0]
