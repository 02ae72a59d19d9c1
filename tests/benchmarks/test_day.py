"""A day of one stream, cut short: what is counted, and what counts as growth."""

from argparse import Namespace
from dataclasses import replace

import pytest

from benchmarks import day


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(day, "CLIPS_PER_HOUR", 6)
    monkeypatch.setattr(day, "PICTURES", 2)


def test_every_hour_is_counted(short):
    options = Namespace(model="tiny", hours=2, quota_mb=1, save=False, save_to=None)
    report = day.run(options)
    first, second = report.numbers["hours"]
    assert (first["age"], second["age"]) == (1, 2)
    assert (first["store_clips"], second["store_clips"]) == (6, 12)
    assert (first["frames"], second["frames"]) == (24, 48), "a question reads all of it"
    assert first["store_mb"] == pytest.approx(second["store_mb"] / 2)
    assert all(value > 0 for value in second.values())


def test_growth_is_counted_from_where_things_should_be_steady():
    hour = day.HourReport(1, 10.0, 1, 50.0, 100.0, 1, 1000, 1, 20.0, 1.0, 1.0)
    early = [replace(hour, age=age, store_mb=float(age)) for age in (1, 2, 3)]
    steady = [replace(hour, age=age) for age in range(4, 11)]
    later = [replace(hour, age=age, first_word_ms=21.0) for age in (11, 12)]
    growth = day.growth_percent([*early, *steady, *later])
    assert growth == pytest.approx(
        {"store_mb": 0, "redis_mb": 0, "service_mb": 0, "history_tokens": 0, "first_word_ms": 5}
    )
