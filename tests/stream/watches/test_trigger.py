"""When a watch fires: by example, and by what holds of every stream."""

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from stream.watches.condition import ABSENCE_SECONDS
from stream.watches.matcher import ClauseScores
from stream.watches.trigger import GONE_AFTER, LONGEST_PAUSE, Rule, Trigger
from stream.watches.visibility import AT_LEAST, AT_MOST, LONGEST_GAP, NOT_SEEN

CLIP = 4.0
SURE = some.floats(0, 1)


def play(rule, clips, *, positive=1, negative=0):
    """Return the outcomes of clips 4 seconds apart; each is one sureness, or a pair of lists."""
    trigger, outcomes = Trigger.new(rule, positive, negative), []
    for number, sure in enumerate(clips):
        seen = sure if isinstance(sure, ClauseScores) else ClauseScores((sure,), ())
        trigger, outcome = trigger.take(seen, number * CLIP, number * CLIP + 3)
        outcomes.append(outcome)
    return trigger, outcomes


def absent(rule, clips):
    return play(rule, [ClauseScores((), (sure,)) for sure in clips], positive=0, negative=1)


def fired(outcomes):
    return [number for number, outcome in enumerate(outcomes) if outcome == "fired"]


def test_it_fires_with_the_second_clip_that_shows_it():
    trigger, outcomes = play(Rule(), [0, 0, 1, 1, 1])
    assert fired(outcomes) == [3]
    assert (trigger.firing.start, trigger.firing.fired, trigger.firing.end) == (8, 15, 19)


def test_one_clip_alone_fires_nothing():
    assert not fired(play(Rule(), [0, 1, 0, 0, 1, 0, 0, 1])[1])


def test_a_clip_that_misses_it_does_not_keep_it_from_firing_nor_end_it():
    _, outcomes = play(Rule(), [0, 1, 0, 1, 0, 0, 0, 1])
    assert fired(outcomes) == [3]
    assert "ended" not in outcomes


def test_it_ends_after_four_clips_without_it_and_fires_again_when_it_comes_back():
    _, outcomes = play(Rule(refractory_s=0), [1, 1, 0, 0, 0, 0, 1, 1])
    assert outcomes[5] == "ended"
    assert fired(outcomes) == [1, 7]


def test_a_clip_that_is_sure_needs_only_a_perhaps_beside_it():
    assert fired(play(Rule(), [0, 1, 0.3, 0])[1]) == [2]
    assert not fired(play(Rule(), [0.3, 0.5, 0.3] * 5)[1])


def test_between_offset_and_onset_everything_stays_as_it_is():
    rule = Rule(onset=0.6, offset=0.3)
    assert not fired(play(rule, [0.5] * 10)[1])
    assert "ended" not in play(rule, [1, 1, *[0.4] * 10])[1]


def test_it_fires_once_it_has_lasted_long_enough():
    _, outcomes = play(Rule(hold_s=20), [1] * 10)
    assert fired(outcomes) == [5]  # 20 seconds after it began, with the clip that ends at 23


def test_what_is_gone_is_counted_from_when_it_was_seen_last():
    rule = Rule(hold_s=60, after_seen=True)
    trigger, outcomes = absent(rule, [0, 1, 1, 1, *[0] * 20])
    assert fired(outcomes) == [18]
    assert trigger.firing.start == 15


def test_what_was_never_there_is_not_gone():
    assert not fired(absent(Rule(after_seen=True), [0] * 30)[1])


def test_one_ghost_does_not_bring_back_what_is_gone():
    rule = Rule(hold_s=60, after_seen=True)
    trigger, outcomes = absent(rule, [1, 1, *[0] * 14, 1, *[0] * AT_MOST])
    assert len(fired(outcomes)) == 1, "later, as it may have been missed for as long before"
    assert trigger.firing.start == 7


def test_what_is_seen_in_every_clip_is_gone_after_ten_without_it():
    assert fired(absent(Rule(), [*[1] * 100, *[0] * 15])[1]) == [109]


def test_what_is_seen_in_every_other_clip_at_best_is_not_gone_so_soon():
    glimpses = [1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1] * 10
    assert not fired(absent(Rule(after_seen=True), [*glimpses, *[0] * 9])[1])
    left = fired(absent(Rule(after_seen=True), [*glimpses, *[0] * AT_MOST])[1])
    assert len(left) == 1, "but once it has been missing for much longer than ever"


def test_a_thing_that_left_and_came_back_was_not_missed_meanwhile():
    visits = [*[1] * 20, *[0] * (LONGEST_GAP + 5)] * 10
    assert fired(absent(Rule(), [*visits, *[1] * 20, *[0] * 15])[1])[-1] == len(visits) + 28


@pytest.mark.parametrize(("missed", "again"), [(0.02, 0.4), (0.05, 0.5), (0.2, 0.6)])
def test_misses_that_come_in_rows_are_no_absence_in_ten_quiet_hours(missed, again):
    chance = random.Random(5)
    into = missed * (1 - again) / (1 - missed)
    seen, clips = True, []
    for _ in range(9000):
        seen = chance.random() >= (into if seen else again)
        clips.append(float(seen))
    assert not fired(absent(Rule(hold_s=ABSENCE_SECONDS), clips)[1])


def test_what_has_come_is_over_after_four_clips_however_badly_it_is_seen():
    _, outcomes = play(Rule(), [1, 1, 0, 0, 0] * 10 + [0])
    assert outcomes[-1] == "ended"


@settings(max_examples=60)
@given(some.lists(some.integers(0, 60), max_size=30))
def test_how_long_a_thing_must_be_missed_has_bounds_and_grows_with_every_clip_that_missed_what_was_there(
    gaps,
):
    seen = NOT_SEEN
    for gap in gaps:
        before, seen = seen, seen.found(gap)
        assert AT_LEAST <= seen.gone_after <= AT_MOST
        assert before.found(0).gone_after <= before.found(LONGEST_GAP).gone_after


def test_nobody_there_needs_no_one_to_have_been_there():
    assert fired(absent(Rule(), [0] * 10)[1]) == [GONE_AFTER - 1]


def test_a_thing_with_a_company_that_was_missed_once_is_not_alone():
    company = [0, 0, 0, 1, 0, 1, 1]
    clips = [ClauseScores((float(n > 2),), (sure,)) for n, sure in enumerate(company)]
    assert not fired(play(Rule(), clips, negative=1)[1])


def test_time_that_nobody_watched_is_no_absence():
    trigger = Trigger.new(Rule(hold_s=60, after_seen=True), 0, 1)
    for start in (0, 4, 8, 1000, 1004, 1008, 1012, 1016):
        trigger, outcome = trigger.take(ClauseScores((), (float(start < 8),)), start, start + 3)
        assert outcome == "nothing"


def test_within_the_refractory_time_it_does_not_fire_again():
    stream = [1, 1, 0, 0, 0, 0] * 20
    assert len(fired(play(Rule(refractory_s=0), stream)[1])) == 20
    times = [n * CLIP for n in fired(play(Rule(refractory_s=100), stream)[1])]
    assert all(b - a >= 100 for a, b in pairwise(times))
    assert len(times) > 3


def test_what_may_be_told_again_is_told_with_a_clip_that_shows_it():
    rule = Rule(refractory_s=24)
    # Fired with the clip that ends at 7; the rest is over with the one that ends at 31, which misses it.
    assert fired(play(rule, [1, 1, 0, 0, 0, 0, 1, 0, 1, 0])[1]) == [1, 8]
    _, outcomes = play(rule, [1, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0])
    assert fired(outcomes) == [1, 7]
    assert fired(play(Rule(hold_s=20), [1, 1, 1, 1, 1, 0, 1])[1]) == [6]


def test_what_few_clips_show_while_it_is_about_is_hard_to_see():
    rule = Rule(after_seen=True)
    assert absent(rule, [1] * 12)[0].hard is None
    assert absent(rule, [1, 0] * 2)[0].hard is None, "too little is known yet"
    half = absent(rule, [1, 0] * 8)[0]
    assert half.hard == half.doubt == pytest.approx(8 / 15, abs=0.01)
    assert absent(rule, [1, 1, 1, *[0] * 6] * 4)[0].hard is None, "who comes and goes is not missed"
    there = play(rule, [1, 0] * 8)[0]
    assert (there.hard, there.doubt) == (pytest.approx(8 / 15, abs=0.01), None)


def test_a_clip_from_before_the_newest_changes_nothing():
    trigger, _ = play(Rule(), [1, 1, 1])
    assert trigger.take(ClauseScores((0.0,), ()), 0.0, 3.0) == (trigger, "nothing")


@pytest.mark.parametrize(
    "wrong", [{"onset": 0.2, "offset": 0.3}, {"offset": 0}, {"onset": 1.1}, {"hold_s": -1}]
)
def test_a_rule_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match="="):
        Rule(**wrong)


@settings(max_examples=40)
@given(some.lists(SURE, max_size=24), some.floats(0, 60), some.floats(0, 120))
def test_every_firing_has_lasted_and_rested_as_long_as_it_must(clips, hold, rest):
    trigger, last = Trigger.new(Rule(hold_s=hold, refractory_s=rest), 1, 0), None
    for number, sure in enumerate(clips):
        trigger, outcome = trigger.take(ClauseScores((sure,), ()), number * CLIP, number * CLIP + 3)
        if outcome == "fired":
            firing = trigger.firing
            assert firing.fired - firing.start >= hold
            assert last is None or firing.fired - last >= rest
            last = firing.fired


@settings(max_examples=40)
@given(some.lists(SURE, max_size=24))
def test_it_ends_before_it_fires_again(clips):
    _, outcomes = play(Rule(refractory_s=0), clips)
    told = [outcome for outcome in outcomes if outcome in {"fired", "ended"}]
    assert told == ["fired", "ended"] * (len(told) // 2) + ["fired"] * (len(told) % 2)


@settings(max_examples=40)
@given(some.lists(some.floats(0, 0.49), max_size=24))
def test_what_no_clip_shows_for_sure_never_fires(clips):
    assert not fired(play(Rule(), clips)[1])


@settings(max_examples=40)
@given(some.lists(SURE, min_size=1, max_size=24), some.floats(LONGEST_PAUSE + 1, 1e6))
def test_a_pause_that_nobody_watched_changes_nothing_but_the_times(clips, pause):
    half = len(clips) // 2
    together, apart = (Trigger.new(Rule(hold_s=20, refractory_s=0), 1, 0) for _ in range(2))
    for number, sure in enumerate(clips):
        at = number * CLIP
        together, one = together.take(ClauseScores((sure,), ()), at, at + CLIP)
        late = at + (pause if number >= half else 0)
        apart, other = apart.take(ClauseScores((sure,), ()), late, late + CLIP)
        assert one == other
