"""What is looked at again: what the question made stand out, the rest of the history aside."""

import torch

from model.types import ClipTokens, Evidence
from model.vision.things import Thing
from model.vision.vocabulary import word_table
from stream.past.second_look import (
    MOST_SECONDS,
    NAMED,
    HistoryEntry,
    named,
    named_words,
    shown,
)


def evidence(*scores, seconds=3.0, period=4.0):
    return [Evidence(period * n, period * n + seconds, score) for n, score in enumerate(scores)]


def test_nothing_is_looked_at_again_where_nothing_that_is_named_is_folded():
    assert named(evidence(*[0.1] * 10), 4.0) == []


def test_the_best_are_named_with_their_neighbours_in_order_of_time():
    blocks = evidence(*[0.01] * 20, 0.8, *[0.01] * 20, seconds=39.0, period=40.0)
    spans = named(blocks, 4.0)
    assert {(760.0, 799.0), (800.0, 839.0), (840.0, 879.0)} <= set(spans)
    assert spans == sorted(spans)
    assert len(spans) <= 3 * NAMED


def test_no_more_is_named_than_can_be_read_while_someone_waits():
    hours = evidence(*[0.05] * 20, seconds=3599.0, period=3600.0)
    assert named(hours, 4.0) == []
    minutes = evidence(*[0.05] * 40, seconds=599.0, period=600.0)
    assert 0 < sum(end - start for start, end in named(minutes, 4.0)) <= MOST_SECONDS


WORDS = word_table().number


def past(*blocks):
    """Neighbours: how many clips of four seconds each stands for, and what it shows."""
    made, start = [], 0.0
    for clips, *names in blocks:
        tokens = ClipTokens(torch.zeros(1, 1), start, start + 4 * clips - 1, 4 * clips)
        made.append(HistoryEntry(tokens, [Thing(WORDS[name]) for name in names]))
        start += 4 * clips
    return made


def test_what_a_question_names_is_looked_at_where_a_block_shows_it_with_two_clips_beside():
    history = past((100, "car"), (5, "dog"), (200, "car", "person"), (1, "person"))
    assert shown("When was the dog shown?", history, 4) == [(400 - 8, 419 + 8)]
    assert shown("Was there a puppy?", history, 4) == [(400 - 8, 419 + 8)]


def starts(spans, clips=1000):
    """Return the clips of four seconds each that begin in `spans`."""
    return [n for n in range(clips) if any(first <= 4 * n <= last for first, last in spans)]


def test_of_what_was_never_shown_the_newest_clips_say_so():
    history = past((100, "car"), (5, "dog"))
    assert starts(shown("Was there a zebra?", history, 4), 105) == list(range(93, 105))


def test_what_is_half_seen_anywhere_is_looked_at():
    history = past((100, "car"), (5, "dog"), (100, "car"))
    history[1] = HistoryEntry(history[1].tokens, [Thing(WORDS["dog"], 0.3)])
    assert shown("Was there a dog?", history, 4) == [(400 - 8, 419 + 8)]


def test_what_is_asked_of_the_present_is_answered_from_the_newest_clips():
    ones = [(1, "dog")] * 30
    for blocks in ([(100, "car"), *ones], [(130, "car")], [(110, "car"), (5, "dog"), *ones[:15]]):
        assert starts(shown("What do you see?", past(*blocks), 4), 130) == list(range(118, 130))


def test_what_is_asked_of_the_beginning_is_answered_from_the_first_clips():
    ones = [(1, "dog")] * 30
    for blocks in ([*ones, (100, "car")], [(130, "car")], [(5, "dog"), (125, "car")]):
        spans = shown("What was shown first?", past(*blocks), 4)
        assert starts(spans, 130) == list(range(12))


def test_a_short_past_is_looked_at_whole():
    assert starts(shown("What do you see?", past((2, "car"), (1, "dog")), 4), 3) == [0, 1, 2]
    assert shown("What do you see?", [], 4) == []


def test_what_asks_for_more_than_an_end_is_asked_of_everything():
    history = past((100, "car"), (5, "dog"), (100, "car"))
    for text in ("What came then?", "What was there for longest?", "What was unusual?"):
        assert shown(text, history, 4) == []


def test_what_is_shown_all_the_time_or_for_hours_needs_no_second_look():
    everywhere = past(*[(5, "car"), (5, "dog")] * 4)
    assert shown("Was there a dog?", everywhere, 4) == []
    assert shown("Was there a dog?", past((5, "car"), (4000, "dog")), 4) == []


def test_of_what_is_not_folded_no_more_is_looked_at_than_is_read_as_it_is():
    few, many = [(1, "dog")] * 2, [(1, "dog")] * 20
    spans = shown("Was there a dog?", past((100, "car"), *few), 4)
    assert starts(spans, 102) == [98, 99, 100, 101]
    assert shown("Was there a dog?", past((100, "car"), *many), 4) == []


def test_a_question_about_more_than_it_names_is_asked_of_everything():
    history = past((100, "car"), (5, "dog"), (100, "car"))
    for text in ("What happened after the dog?", "What else was there besides the dog?",
                 "How often was the dog there?", "What has been there since the dog?"):  # fmt: skip
        assert shown(text, history, 4) == []


def test_neighbours_that_meet_are_one_span():
    history = past((100, "car"), (5, "dog"), (3, "car"), (5, "dog"), (100, "car"))
    assert shown("Was there a dog?", history, 4) == [(392.0, 459.0)]


def test_names_are_found_as_people_say_them_the_longest_first():
    table = word_table()
    named_ = {table[n].name for n in named_words("How many hot air balloons and dogs?", table)}
    assert {"balloon", "dog"} <= named_ or {"hot air balloon", "dog"} <= named_
    assert named_words("What came then?", table) == frozenset()
