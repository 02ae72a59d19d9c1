"""How long things were apart and there, what was there longest, and what was there with something: counted, in many words."""

import pytest

from model.vision.things import Thing
from model.vision.vocabulary import word_table
from stream.past.counted.count import count
from stream.past.counted.words import asks_to_count
from stream.past.presence import Shown
from stream.past.straight import asked_straight
from tests.stream.test_counted_more import FILM, LIVE, answer, past

SHOW = past(
    "cat",
    "cat",
    "bottle",
    "rocket",
    "rocket",
    "rocket",
    "dog",
    "cat, ball",
    "cat, ball",
    "ball",
    "dog",
)
"""Four seconds each: a cat to 0:08, a bottle to 0:12, a rocket to 0:24, a dog to 0:28, a cat to 0:36 and a ball to 0:40, a dog."""


def asked(text, history=SHOW, question=FILM):
    return answer(asked_straight(text, over=question is FILM), history, question)


@pytest.mark.parametrize(
    "text",
    [
        "How long between the cat and the rocket?",
        "How much time passed between the cat and the rocket?",
        "how many seconds were there between a cat and a rocket",
        "What's the gap between the cat and the rocket?",
        "How long was it between the cat and the rocket?",
        "How long between the rocket and the cat?",
    ],
)
def test_how_long_lay_between_two_things_is_told_with_both_times(text):
    history = past("cat", "cat", "bottle", "rocket")
    said = "4 seconds, from 0:08, when the cat left, to 0:12, when the rocket came."
    assert asked(text, history) == said


@pytest.mark.parametrize(
    "text",
    [
        "How long after the cat did the rocket come?",
        "How long after the cat came the rocket?",
        "How many seconds after the cat did the rocket appear?",
        "How long before the rocket did the cat come?",
        "How long was it from the cat to the rocket?",
        "How long did it take until the rocket came after the cat?",
        "How long after the cat left did the rocket come?",
        "How long did the cat come before the rocket?",
        "How much later than the cat did the rocket come?",
    ],
)
def test_how_long_after_something_another_came_is_told_from_its_coming_and_its_leaving(text):
    history = past("cat", "cat", "bottle", "rocket")
    said = "The rocket came at 0:12: 12 seconds after the cat came, 4 seconds after it left."
    assert asked(text, history) == said


def test_of_things_that_met_no_time_lay_between_them():
    history = past("cat", "cat, dog", "dog", "bird, ball")
    met = "None: the dog came at 0:04, while the cat was there."
    assert asked("How long between the cat and the dog?", history) == met
    next_to = "None: the bird came at 0:12, when the dog left."
    assert asked("How long between the dog and the bird?", history) == next_to
    assert asked("How long between the bird and the ball?", history) == "Both came at 0:12."
    missing = "I have not seen an elephant."
    assert asked("How long between the cat and the elephant?", history) == missing


def test_of_several_showings_those_that_came_next_to_each_other_count():
    said = "4 seconds, from 0:08, when the cat left, to 0:12, when the rocket came."
    assert asked("How long between the cat and the rocket?") == said
    said = "None: the cat came at 0:28, when the dog left."
    assert asked("How long between the dog and the cat?") == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Was the rocket there for long?", "For 12 seconds, from 0:12 to 0:24."),
        ("Did the rocket stay long?", "For 12 seconds, from 0:12 to 0:24."),
        ("Was the rocket there only briefly?", "For 12 seconds, from 0:12 to 0:24."),
        ("Was the rocket there for more than 10 seconds?", "Yes: for 12 seconds, from 0:12 to 0:24."),
        ("Was the rocket shown for longer than a minute?", "No: for 12 seconds, from 0:12 to 0:24."),
        ("Did the rocket stay for at least 12 seconds?", "Yes: for 12 seconds, from 0:12 to 0:24."),
        ("Was the rocket there for less than twelve seconds?", "For 12 seconds, from 0:12 to 0:24."),
        ("Was the rocket visible for under half a minute?", "Yes: for 12 seconds, from 0:12 to 0:24."),
    ],
)  # fmt: skip
def test_whether_something_was_there_for_long_is_answered_with_how_long(text, said):
    assert asked(text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Which was there longest?", "A cat, for 16 seconds in all."),
        ("What was shown for the longest time?", "A cat, for 16 seconds in all."),
        ("Which thing was there shortest?", "A bottle, for 4 seconds in all."),
        ("What did you see for the shortest time?", "A bottle, for 4 seconds in all."),
        ("Which animal was there longest?", "A cat, for 16 seconds in all."),
        ("Which animals stayed for the shortest time?", "A dog, for 7 seconds in all."),
        ("Which thing was there most often?", "A cat and a dog, twice each."),
        ("Which animal came least often?", "A cat and a dog, twice each."),
        ("What came least often?", "A bottle, a rocket and a ball, once each."),
        ("Which vehicle was there longest?", "A rocket, for 12 seconds in all."),
        ("Which fruit was there longest?", "I have not seen any fruit."),
    ],
)
def test_what_was_there_longest_or_shortest_may_be_several_or_of_a_sort(text, said):
    assert asked(text) == said


def test_things_that_were_there_equally_long_are_told_together():
    history = past("cat", "cat", "dog", "dog", "ball", "")
    said = "A cat and a dog, for 8 seconds each."
    assert asked("Which was there longest?", history) == said


def test_where_everything_came_once_nothing_came_most_often():
    history = past("cat", "cat", "dog", "dog")
    assert asked("Which was there most often?", history) == "Nothing came more than once."


@pytest.mark.parametrize(
    "text",
    [
        "What happened while the ball was there?",
        "What did you see while the ball was shown?",
        "What was there when the ball was there?",
        "What else was there during the ball?",
        "While the ball was there, what happened?",
        "What was there together with the ball?",
    ],
)
def test_what_was_there_meanwhile_is_what_was_with_it(text):
    assert asked(text) == "A cat."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Was there a cat while the ball was there?", "Yes, from 0:28 to 0:36."),
        ("Did a cat appear when the ball was there?", "Yes, from 0:28 to 0:36."),
        ("While the ball was visible, was there a cat?", "Yes, from 0:28 to 0:36."),
        ("Did the cat and the ball appear together?", "Yes, from 0:28 to 0:36."),
        ("Did you see a rocket while the ball was there?", "I have not seen the rocket and the ball together."),
    ],
)  # fmt: skip
def test_whether_one_was_there_while_another_was_is_counted(text, said):
    assert asked(text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("What is the second animal?", "A dog, at 0:24."),
        ("Which animal came second?", "A dog, at 0:24."),
        ("What kind of animal was first?", "A cat, at 0:00."),
        ("Which animal came third?", "I have seen no more than a cat and a dog."),
        ("What was the second to last thing?", "A ball and a cat, at 0:28."),
        ("What was the penultimate thing you saw?", "A ball and a cat, at 0:28."),
    ],
)
def test_the_second_of_a_sort_and_the_last_but_one_are_told(text, said):
    assert asked(text) == said


def test_what_came_last_at_once_is_told_together():
    history = past("dog", "car, bicycle", "car, bicycle")
    said = "A car and a bicycle, at 0:04."
    assert asked("Which vehicle came last?", history) == said


def glimpses(clips, sure):
    """Return so many clips of a cat, in the middle one of which something may be a dog."""
    cat, dog = (Thing(word_table().number[name]) for name in ("cat", "dog"))
    shown = [Shown(4.0 * n, 4.0 * n + 3, (cat,), 4) for n in range(clips)]
    middle = clips // 2
    unsure = Thing(dog.word, sure=sure)
    shown[middle] = Shown(4.0 * middle, 4.0 * middle + 3, (cat, unsure), 4)
    return shown


@pytest.mark.parametrize(
    "text", ["Was there a dog?", "Did you see a dog?", "When was the dog shown?"]
)
def test_what_one_of_many_clips_alone_shows_is_told_with_a_perhaps(text):
    assert answer(text, glimpses(4000, 0.85), LIVE) == "Perhaps, from 2:13:20 to 2:13:24."
    assert "Perhaps" not in answer(text, glimpses(4000, 0.99), LIVE)
    assert "Perhaps" not in answer(text, glimpses(9, 0.85), LIVE)


def test_what_one_clip_half_shows_is_left_to_the_model():
    assert count(asks_to_count("Was there a dog?"), glimpses(200, 0.4), LIVE) is None
