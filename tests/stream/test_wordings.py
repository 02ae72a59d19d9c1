"""What people say around a question, and what they ask in other words, is counted as if it were asked straight."""

import pytest

from stream.past.account_words import account_wording
from stream.past.straight import asked_straight
from tests.stream.test_apart import asked
from tests.stream.test_counted_more import FILM, LIVE, past

SHOW = past("person", "cat, person", "cat", "bottle", "car, bicycle", "pizza", "person", "dog")
SEEN = "Yes, from 0:04 to 0:12."
ACCOUNT = (
    "Give me the gist.", "tl;dr", "Anything interesting?", "What can you tell me about this video?",
    "Did anything unusual happen?", "fill me in", "What was the most surprising moment?", "the highlights please",
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("There was a cat, wasn't there?", SEEN),
        ("You saw a cat, right?", SEEN),
        ("you noticed the cat, didn't you?", SEEN),
        ("There was no cat, was there?", SEEN),
        ("Was there no cat?", SEEN),
        ("Was there not a cat?", SEEN),
        ("Did you never see a cat?", SEEN),
        ("You haven't seen a cat", SEEN),
        ("Was a cat there?", SEEN),
        ("Did the cat appear?", SEEN),
        ("was there like a cat somewhere", SEEN),
        ("yo was there a cat", SEEN),
        ("ciao, was there a cat in there?", SEEN),
        ("um, was there maybe a cat at some point?", SEEN),
        ("Was there actually a cat?", SEEN),
        ("Was there neither a cat nor an elephant?", "Only the cat, from 0:04 to 0:12. I have not seen an elephant."),
        ("When exactly did the cat show up?", "From 4 to 12 seconds."),
        ("From when to when was the cat there?", "From 4 to 12 seconds."),
        ("Between which times was the cat visible?", "From 4 to 12 seconds."),
        ("Until when was the cat there?", "At 0:12."),
        ("When was the first person there?", "At 0:00."),
        ("When did the last dog appear?", "From 0:28 to 0:31."),
        ("Did a dog come more than once?", "No. It was there once, from 0:28 to 0:31."),
        ("Did the pizza come right after the car?", "A pizza."),
        ("Did you see something to eat?", "Yes, from 0:20 to 0:24."),
        ("How many animals in total?", "Two kinds: a cat and a dog."),
        ("Describe the scene with the pizza.", "A pizza, from 0:20 to 0:24."),
    ],
)  # fmt: skip
def test_what_is_said_around_a_question_is_passed_over(text, said):
    assert asked(text, SHOW, FILM) == said


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        ("List the objects", "Seven: a person"),
        ("What are the things you saw?", "Seven: a person"),
        ("name three things you saw", "Seven: a person"),
        ("What are the scenes?", "Six: a person"),
    ],
)
def test_all_things_and_scenes_are_listed(text, begins):
    assert asked(text, SHOW, LIVE).startswith(begins)


@pytest.mark.parametrize("text", ACCOUNT)
def test_an_account_is_asked_for_in_many_words(text):
    assert account_wording(asked_straight(text, over=False)) == "What has happened?"


@pytest.mark.parametrize(
    "text",
    [
        "Describe what you see in one word.",
        "What are you looking at?",
        "what can be seen right now",
    ],
)
def test_what_is_there_now_is_asked_for_in_many_words(text):
    assert asked_straight(text, over=False) == "What do you see?"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("What moved to the left?", "Nothing that I see moved to the left."),
        ("What went up?", "Nothing that I see moved up."),
        ("Did anything move down?", "No, nothing that I see moved down."),
    ],
)
def test_what_moved_some_way_is_counted(text, said):
    assert asked(text, SHOW) == said
