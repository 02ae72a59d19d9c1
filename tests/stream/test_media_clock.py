"""A file's clock that starts again, goes wrong, or is not there."""

import math

import pytest

from stream.file.media_clock import MediaClock


def times(clock, *own):
    return [round(clock.time(one), 3) for one in own]


def test_times_count_from_where_the_file_says_it_begins():
    assert times(MediaClock(90.0, 0.1, 10.0), 90.0, 90.1, 92.0) == [0.0, 0.1, 2.0]


def test_a_clock_that_starts_again_goes_on():
    clock = MediaClock(0.0, 0.5, 10.0)
    assert times(clock, 0.0, 2.0, 4.0, 0.0, 0.5) == [0.0, 2.0, 4.0, 4.5, 5.0]
    assert clock.restarted


def test_a_broadcast_that_jumps_days_ahead_goes_on():
    clock = MediaClock(0.0, 0.5, 10.0)
    assert times(clock, 3600.0, 3601.0, 95_443.0, 95_444.0) == [0.0, 1.0, 1.5, 2.5]


def test_a_long_pause_between_two_slides_is_kept():
    clock = MediaClock(0.0, 0.04, 3600.0)
    assert times(clock, 0.0, 600.0, 1800.0) == [0.0, 600.0, 1800.0]
    assert not clock.restarted
    assert times(MediaClock(0.0, 15.0, 10.0), 0.0, 15.0, 45.0) == [0.0, 15.0, 45.0]


@pytest.mark.parametrize("nothing", [None, math.nan, math.inf])
def test_pictures_without_a_time_are_counted(nothing):
    assert times(MediaClock(0.0, 0.5, 10.0), nothing, nothing, 1.0, nothing) == [0.0, 0.5, 1.0, 1.5]


def test_times_that_are_a_little_out_of_order_never_go_back():
    clock = MediaClock(0.0, 0.1, 10.0)
    assert times(clock, 0.0, 0.2, 0.1, 0.3) == [0.0, 0.2, 0.2, 0.3]
    assert not clock.restarted


def test_after_a_jump_of_ours_the_next_time_counts():
    clock = MediaClock(0.0, 0.1, 10.0)
    clock.sought()
    assert times(clock, 500.0, 500.1) == [500.0, 500.1]
    assert not clock.restarted
