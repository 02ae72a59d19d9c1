"""Answers follow from what was shown, questions do not give them away, and judging is fair."""

import numpy as np
import pytest

from training.drawn.scenes import DrawnThing
from training.drawn.takes import TakePart
from training.questions import Asked, ShownSegment, about_before, about_now, is_right, phrase

NAMES = ("dog", "cat", "owl", "circle")


def seen(name, colour=None, count=1, x=0.15, y=0.5, movement="still", change=None, number=0):
    return TakePart(DrawnThing(name, colour), number, count, x, y, movement, change)


def asked_now(*things):
    """Every wording that a few draws give, by kind."""
    found = {}
    for seed in range(12):
        for asked in about_now(np.random.default_rng(seed), things, NAMES):
            found.setdefault(asked.kind, []).append(asked)
    return found


@pytest.mark.parametrize(
    ("thing", "said"),
    [
        (seen("dog"), "a dog"),
        (seen("owl"), "an owl"),
        (seen("grapes"), "some grapes"),
        (seen("circle", "orange"), "an orange circle"),
        (seen("butterfly", count=3), "three butterflies"),
    ],
)
def test_things_are_mentioned_as_people_do(thing, said):
    assert phrase(thing) == said


def test_a_single_thing_is_named_placed_and_counted():
    found = asked_now(seen("dog"))
    assert {a.answer for a in found["name"]} == {"A dog."}
    assert {a.answer for a in found["where"]} == {"At the left."}
    assert {a.answer for a in found["count"]} == {"One."}
    assert {a.answer for a in found["direction"]} == {"It stays still."}


def test_nothing_is_nothing():
    assert {a.answer for a in asked_now()["nothing"]} == {"Nothing."}


def test_several_things_are_listed_from_left_to_right():
    found = asked_now(seen("dog", x=0.8), seen("circle", "red", x=0.2, number=1))
    assert {a.answer for a in found["names"]} == {"A red circle and a dog."}
    assert {a.answer for a in found["colour"]} == {"Red."}


def test_what_moves_is_told_from_what_does_not():
    found = asked_now(seen("dog", movement="up"), seen("cat", x=0.8, number=1))
    assert {a.answer for a in found["mover"]} == {"A dog."}


def test_a_question_never_names_what_its_answer_names():
    moving = seen("dog", movement="right", change="appears")
    shows = [
        [moving],
        [seen("circle", "blue", count=2)],
        [seen("dog"), seen("owl", x=0.9, number=1)],
    ]
    for things in shows:
        for kind, asked in asked_now(*things).items():
            if kind != "is there":
                for a in asked:
                    assert not any(key in a.question.lower().split() for key in a.key[-1:])


def test_the_past_is_asked_about_by_order_and_by_time():
    segments = [ShownSegment(0, (seen("dog", movement="left"),)), ShownSegment(4, (seen("circle", "red"),)), ShownSegment(8, (seen("owl"),))]  # fmt: skip
    found = {}
    for seed in range(20):
        for a in about_before(np.random.default_rng(seed), segments):
            found.setdefault(a.kind, set()).add((a.question, a.answer))
    assert {answer for _, answer in found["first"]} == {"A dog."}
    assert {answer for _, answer in found["last"]} == {"An owl."}
    assert ("What came after the dog?", "A red circle.") in found["after"]
    assert ("What came before the owl?", "A red circle.") in found["before"]
    assert ("What was shown at 8 seconds?", "An owl.") in found["at time"]
    assert ("When was the red circle shown?", "At 4 seconds.") in found["when"]
    assert ("How did the dog move?", "It moves to the left.") in found["direction before"]
    assert {answer for _, answer in found["list"]} == {"A dog, a red circle and an owl."}


def test_a_thing_shown_twice_is_not_asked_about_by_its_name():
    segments = [
        ShownSegment(0, (seen("dog"),)),
        ShownSegment(4, (seen("owl"),)),
        ShownSegment(8, (seen("dog"),)),
    ]
    for a in about_before(np.random.default_rng(0), segments):
        assert "dog" not in a.question


@pytest.mark.parametrize(
    ("key", "answer", "right"),
    [
        (("dog",), "A dog.", True),
        (("dog",), "It is a dog", True),
        (("dog",), "A dog and a cat.", False),
        (("apple",), "A pineapple.", False),
        (("car",), "A carrot.", False),
        (("red", "circle"), "A red circle.", True),
        (("red", "circle"), "A blue circle.", False),
        (("still",), "It moves up.", False),
    ],
)
def test_an_answer_is_right_if_it_says_the_word_and_no_list(key, answer, right):
    assert is_right(Asked("name", "", "", key), answer) is right
