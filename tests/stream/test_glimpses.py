"""What one clip alone shows is told more carefully, the more clips were looked through."""

import pytest

from model.vision.things import SURE, Thing
from stream.past.counted.count import count, rests_on_a_glimpse
from stream.past.counted.words import asks_to_count
from stream.past.presence import Shown, sure_enough
from tests.stream.test_counted import FILM, TABLE

CAT = TABLE.number["cat"]
ASKED = asks_to_count("Was there a cat?")


def looked_through(clips, *sure, at=7):
    """So many clips, of which those from `at` on show a cat that surely."""
    return [
        Shown(4.0 * n, 4.0 * n + 3, (Thing(CAT, sure=sure[n - at]),) if at <= n < at + len(sure) else (), 4)
        for n in range(clips)
    ]  # fmt: skip


def test_the_more_clips_were_looked_through_the_surer_one_alone_must_be():
    needed = [sure_enough(clips) for clips in (1, 70, 250, 2500, 21600)]
    assert needed == sorted(needed)
    assert needed[:2] == [SURE, SURE]
    assert 0.8 < needed[3] < 0.9 < needed[4] < 1


@pytest.mark.parametrize(
    ("clips", "sure", "glimpse"),
    [(20, (0.3,), False), (100, (0.6,), False), (100, (0.5,), True), (2500, (0.8,), True), (2500, (0.9,), False),
     (21600, (0.9,), True), (21600, (0.98,), False), (21600, (0.6, 0.6), False)],
)  # fmt: skip
def test_an_answer_rests_on_a_glimpse_where_chance_may_have_made_it(clips, sure, glimpse):
    assert rests_on_a_glimpse(ASKED, looked_through(clips, *sure)) is glimpse


def test_what_is_half_seen_once_in_many_clips_is_no_sight_of_it():
    words, finish = count(ASKED, looked_through(1000, 0.3), FILM)
    assert words.text == "No, not plainly. Perhaps at 0:28."
    assert [one.start for one in finish.evidence] == [28.0]
    # Among few clips, or in several, it may have been there: the model is asked.
    assert count(ASKED, looked_through(900, 0.3), FILM) is None
    assert count(ASKED, looked_through(1000, 0.3, 0, 0.3), FILM) is None
    assert count(ASKED, looked_through(1000, 0.6), FILM) is None
    assert count(ASKED, looked_through(1000), FILM) is None
