"""Which pictures of a source are decoded and shown, whatever its times and keyframes are."""

from fractions import Fraction
from itertools import pairwise

import pytest

from stream.errors import BadSource
from stream.frames.sampler import FrameSampler
from stream.pull.decode import Picked, Picker
from tests.stream.http_server import send_file
from tests.stream.opening import PlayClock, look, open_source, order, steps
from tests.stream.videos import write_video


@pytest.mark.parametrize("name", ["long", "short", "reordered", "jpeg", "ts"])
def test_every_kind_of_film_is_picked_evenly(films, name):
    picker, picked = look(order(str(films[name])))
    assert picker.seen == 160
    assert 15 <= len(picked) <= 17
    assert all(0.3 <= step <= 0.75 for step in steps(picked))


def test_where_keyframes_suffice_nothing_else_is_decoded(films):
    picker, _ = look(order(str(films["short"])))
    assert picker.decoded < picker.seen / 2


def test_keyframes_that_come_in_pairs_do_not_pass_for_frequent_ones(tmp_path):
    pairs = {n + i for n in range(0, 320, 40) for i in (0, 1)}
    film = write_video(
        tmp_path / "cuts.mp4", 16.0, 20, codec="libx264", options={"bf": "0"}, keyframes=pairs
    )
    _, picked = look(order(str(film)), rate=1.0)
    assert len(picked) >= 15
    assert max(steps(picked)) < 1.2


def test_pictures_no_other_is_built_on_are_left_out(films):
    picker, _ = look(order(str(films["reordered"])))
    assert picker.decoded < picker.seen * 0.75


def test_where_few_pictures_come_none_is_left_out_to_the_very_last(tmp_path):
    film = write_video(tmp_path / "a.mp4", 12.0, 1, codec="libx264", options={"bf": "3"})
    picker, picked = look(order(str(film)), rate=2.0)
    assert (picker.seen, picker.decoded, len(picked)) == (12, 12, 12)


def test_a_file_without_times_plays_at_its_rate(tmp_path):
    film = write_video(tmp_path / "a.h264", 4.0, 25, codec="libx264", options={"bf": "0", "g": "5"})
    clock = PlayClock()
    source = open_source(order(str(film)))
    picked = list(Picker(source, 2.0, clock, clock.sleep).pictures())
    source.close()
    assert clock.now - 100 == pytest.approx(4.0, abs=0.2)
    assert len(picked) >= 8


def test_a_slide_that_stands_for_long_stands_for_long_and_is_no_silence(tmp_path):
    film = write_video(tmp_path / "a.mp4", 90.0, Fraction(1, 30), codec="mpeg4")
    clock = PlayClock()
    source = open_source(order(str(film)))
    events = [(event, clock.now) for event in Picker(source, 1.0, clock, clock.sleep).events()]
    source.close()
    assert len([1 for event, _ in events if isinstance(event, Picked)]) == 3
    assert max(b - a for (_, a), (_, b) in pairwise(events)) <= 1.5
    assert clock.now == pytest.approx(160, abs=1)


def test_of_motion_jpeg_only_what_is_wanted_is_decoded(films):
    picker, picked = look(order(str(films["jpeg"])))
    assert picker.decoded == len(picked)


def test_times_that_jump_back_go_on(site, address, films):
    data = films["ts"].read_bytes()
    site.answers["/live.ts"] = lambda handler: send_file(handler, data + data, "video/mp2t")
    picker, picked = look(order(f"{address}/live.ts"))
    assert picker.seen == 320
    assert all(0 < step <= 1.0 for step in steps(picked))
    assert picked[-1].time - picked[0].time == pytest.approx(16, abs=1.5)


def test_times_that_wrap_go_on(tmp_path):
    wrap = 2**33 / 90_000
    film = write_video(
        tmp_path / "wrap.ts",
        seconds=8.0,
        rate=20,
        codec="libx264",
        options={"g": "20", "bf": "0"},
        container={"output_ts_offset": f"{wrap - 4}"},
    )
    _, picked = look(order(str(film)))
    assert all(0.3 <= step <= 0.75 for step in steps(picked))
    assert len(picked) >= 15


def test_a_source_that_changes_its_picture_size_goes_on(site, address, films, tmp_path):
    other = write_video(
        tmp_path / "other.ts", 8.0, 20, (64, 96), "libx264", options={"g": "20", "bf": "0"}
    )
    data = films["ts"].read_bytes() + other.read_bytes()
    site.answers["/live.ts"] = lambda handler: send_file(handler, data, "video/mp2t")
    _, picked = look(order(f"{address}/live.ts"))
    sizes = [(one.picture.width, one.picture.height) for one in picked]
    assert sizes.count((96, 64)) >= 14
    assert sizes.count((64, 96)) >= 12


def test_a_source_that_changes_to_a_picture_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("stream.pull.io.open._LARGEST_PICTURE", 96 * 64)
    film = {"rate": 20, "codec": "libx264", "options": {"g": "10", "bf": "0"}}
    later = {"output_ts_offset": "5"}
    small = write_video(tmp_path / "a.ts", 5.0, size=(96, 64), **film)
    large = write_video(tmp_path / "b.ts", 2.0, size=(98, 64), container=later, **film)
    both = tmp_path / "both.ts"
    both.write_bytes(small.read_bytes() + large.read_bytes())
    for rate in (2.0, 10.0):  # by its keyframes alone, and by all of its pictures
        clock = PlayClock()
        source = open_source(order(str(both)))
        picked = []
        with pytest.raises(BadSource, match="98 by 64 pixels are too large"):
            picked.extend(Picker(source, rate, clock, clock.sleep).pictures())
        source.close()


def test_what_is_seen_and_not_wanted_is_told_once_a_second(films):
    clock = PlayClock()
    source = open_source(order(str(films["ts"])))
    events = list(Picker(source, 0.25, clock, clock.sleep).events())
    source.close()
    beats = [event for event in events if isinstance(event, float)]
    assert len(events) - len(beats) == 2
    assert len(beats) == 6
    assert all(b - a >= 1 for a, b in pairwise(beats))


def test_while_someone_watches_more_is_picked_and_memory_gets_what_it_wants(films):
    clock = PlayClock()
    source = open_source(order(str(films["long"])))
    picked = list(Picker(source, 10.0, clock, clock.sleep, sample_rate=2.0).pictures())
    source.close()
    sampled = [one for one in picked if one.sampled]
    assert len(picked) >= 70
    assert 15 <= len(sampled) <= 17
    assert all(0.3 <= step <= 0.75 for step in steps(sampled))


def test_of_what_is_picked_at_the_pace_of_memory_all_is_for_memory(films):
    _, picked = look(order(str(films["long"])))
    assert all(one.sampled for one in picked)


class Refusing(FrameSampler):
    """Wants nothing: to its picker it looks as if nothing could be decoded."""

    def accepts(self, time):
        return False


def test_packets_that_no_picture_comes_of_are_no_sign_of_life(films):
    clock = PlayClock()
    source = open_source(order(str(films["ts"])))
    picker = Picker(source, 2.0, clock, clock.sleep)
    events = picker.events()
    assert isinstance(next(events), Picked)
    picker._sampler = Refusing(2.0)
    assert len(list(events)) == 1
    assert picker.seen == 160
    source.close()
