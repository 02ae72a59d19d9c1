import argparse

import pytest

from benchmarks.harness.cameras import jpegs
from benchmarks.harness.soaking import Soak, Weighing
from benchmarks.soak import SAMPLE, growth_percent, report


def look(at, *, service=100.0, lost=0):
    return Weighing(at, service, 50.0, 8.0, 20, int(at), {"overload": lost} if lost else {}, 4, 5.0)


def options(minutes):
    return argparse.Namespace(
        minutes=minutes, cameras=3, senders=1, fault_every=1.0, model="lite", history_mb=1, quota_mb=1
    )  # fmt: skip


def test_growth_is_from_the_second_quarter_to_the_last():
    assert growth_percent([(0, 1.0), (30, 100.0), (60, 500.0), (80, 110.0), (100, 110.0)]) == 10
    assert growth_percent([(0, 1.0)]) == 0


def test_the_report_names_what_grew_what_was_lost_and_what_did_not_come_back():
    looks = [look(float(at), service=100.0 + at, lost=at // 50) for at in range(0, 120, 5)]
    soak = Soak(looks, [(10.0, "Redis killed", None)], [(30.0, 200.0)], [(60.0, "camera1: gone")])
    found = report(options(2.0), soak)
    assert found.numbers["lost"] == {"overload": 2}
    notes = "\n".join(found.notes)
    assert "service_mib grows by less than 2 % after the first quarter: MISSED" in notes
    assert "redis_mib grows by less than 2 % after the first quarter: met" in notes
    assert "Redis killed at 10 s: MISSED" in notes
    assert "1 answered, 1 not; at 60 s camera1: gone" in notes
    assert [row[5] for row in found.rows][-1] == 115  # clips


@pytest.mark.slow
def test_a_camera_shows_five_pictures_a_second():
    assert len(jpegs(SAMPLE)) == pytest.approx(5 * 144, abs=2)
