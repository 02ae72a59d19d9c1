"""Schedules follow the clock on the wall, also on the two days of a year on which that jumps."""

from datetime import datetime

import pytest

from stream.watches.records import Schedule

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"


def unix(utc):
    return datetime.fromisoformat(f"{utc}+00:00").timestamp()


@pytest.mark.parametrize(
    ("start", "end", "utc", "holds"),
    [
        # 29 March 2026: from 01:59:59 the clock goes to 03:00.
        ("02:15", "03:15", "2026-03-29T00:59:59", False),
        ("02:15", "03:15", "2026-03-29T01:00:00", True),
        ("02:15", "03:15", "2026-03-29T01:15:00", False),
        ("02:15", "02:45", "2026-03-29T01:00:00", False),
        ("22:00", "06:00", "2026-03-29T03:59:59", True),
        ("22:00", "06:00", "2026-03-29T04:00:00", False),
        # 25 October 2026: 02:00 to 03:00 comes twice.
        ("02:15", "02:45", "2026-10-25T00:20:00", True),
        ("02:15", "02:45", "2026-10-25T00:50:00", False),
        ("02:15", "02:45", "2026-10-25T01:20:00", True),
        ("22:00", "06:00", "2026-10-25T04:59:59", True),
        ("22:00", "06:00", "2026-10-25T05:00:00", False),
    ],
)
def test_a_schedule_follows_the_clock_when_it_jumps(start, end, utc, holds):
    assert Schedule(start, end, timezone=BERLIN).holds(unix(utc)) is holds


def test_the_same_hours_are_other_seconds_in_winter_and_in_summer():
    night = Schedule("22:00", "06:00", timezone=NEW_YORK)
    assert night.holds(unix("2026-01-10T10:59:00"))
    assert not night.holds(unix("2026-07-10T10:59:00"))
    assert night.holds(unix("2026-07-10T02:30:00"))
    assert not night.holds(unix("2026-01-10T02:30:00"))


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)])
def test_a_schedule_of_one_day_is_as_long_as_that_day(day, hours):
    sunday = Schedule(days=(6,), timezone=BERLIN)
    begin = unix(f"{day}T00:00") - 12 * 3600
    held = sum(sunday.holds(begin + 900 * step) for step in range(4 * 48))
    assert held == 4 * hours
