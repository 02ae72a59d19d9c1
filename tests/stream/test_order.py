"""What came directly before a thing, and what after."""

import pytest

from stream.past.counted.count import count
from stream.past.counted.words import asks_to_count
from tests.stream.test_counted_more import FILM, LIVE, answer, past


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("What came before the cat?", "before"),
        ("What was shown after the cat?", "after"),
        ("What did you see right after the cat?", "after"),
        ("What happened directly before the cat appeared?", None),
        ("what was there before the cat came", "before"),
        ("What came after the red cat?", "after"),
    ],
)
def test_what_is_asked_for_is_what_came_next_to_a_thing(text, order):
    asked = asks_to_count(text)
    assert (asked and (asked.kind, asked.order)) == (order and ("next", order))


def test_the_scenes_next_to_a_thing_are_told_by_what_they_mostly_show():
    history = past(*["red car"] * 2, "cat, table", "cat", *["3 bottles"] * 2, "dog", "dog")
    assert answer("What came before the cat?", history) == "A red car."
    assert answer("What came after the cat?", history) == "Three bottles."
    assert answer("What came after the bottles?", history) == "A dog."


def test_a_slip_of_the_eye_is_not_what_came_before():
    history = past("cat", "cat", "car", "car", "dog", "dog")
    slip = past("pin")[0].things[0]
    history[2] = type(history[2])(8.0, 11.0, (*history[2].things, type(slip)(slip.word, 0.6)), 4)
    assert answer("What came before the dog?", history) == "A car."


def test_of_a_thing_that_came_often_every_neighbour_is_told_once():
    twice = past(*["cat", "cat", "dog", "dog"] * 3)
    assert answer("What came before the dog?", twice) == "A cat."
    two = past("cat", "cat", "dog", "dog", "car", "car", "dog", "dog")
    assert answer("What came before the dog?", two) == "First a cat, later a car."


def test_at_an_end_nothing_came_next():
    history = past("cat", "cat", "dog", "dog")
    assert answer("What came before the cat?", history) == (
        "Nothing that I have a word for: it was the first."
    )
    assert answer("What came after the dog?", history) == "Nothing yet: it is there still."
    assert answer("What came after the dog?", history, FILM) == (
        "Nothing that I have a word for: it was the last."
    )


def test_what_came_while_something_else_was_there_or_was_half_seen_is_left_to_the_model():
    for history in (
        past("table", "table", "table, cat", "table, cat", "table", "table", "table", "table"),
        past("dog", "dog", "cat?", "cat?"),
    ):
        assert count(asks_to_count("What came after the cat?"), history, LIVE) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("What came between the cat and the dog?", "A car, then two people."),
        ("What was shown between the dog and the cat?", "A car, then two people."),
        ("What happened between the car and the dog?", "Two people."),
        ("What came between the car and the people?", "Nothing that I have a word for."),
        ("What came between the cat and the horse?", "I have not seen a horse."),
    ],
)
def test_what_came_between_two_things_is_told_from_the_scenes_between(text, said):
    history = past("cat", "cat", "red car", "car", "2 people", "2 people", "dog", "dog")
    assert answer(text, history) == said
