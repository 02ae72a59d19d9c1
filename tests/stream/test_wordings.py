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
        ("Hey, quick question: was there a cat?", SEEN),
        ("Yes or no: was there a cat?", SEEN),
        ("Do you remember the cat?", SEEN),
        ("Are you sure there was a cat?", SEEN),
        ("I don't think there was a cat", SEEN),
        ("In one word, what was the last animal?", "A dog, at 0:28."),
        ("What was the bicycle with?", "A car."),
        ("any news?", "At 0:24 a person and a dog came and a pizza left."),
        ("How far back can you remember?", "I have watched 31 seconds."),
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
        ("Did the cat or the dog come first?", "The cat, at 0:04."),
        ("Was the cat or the dog there longer?", "The cat, for 8 seconds; the dog for 3 seconds."),
        ("Which was longer there, the cat or the dog?", "The cat, for 8 seconds; the dog for 3 seconds."),
        ("Of the animals, which one came last?", "A dog, at 0:28."),
        ("Which of the animals came second?", "A dog, at 0:28."),
        ("first animal?", "A cat, at 0:04."),
        ("Which was the longest scene?", "A person, for 12 seconds in all."),
        ("What was the first thing after the pizza?", "A person."),
        ("What was the last thing before the pizza?", "A car and a bicycle."),
        ("Was anything between the bottle and the pizza?", "A car and a bicycle."),
        ("During the car scene what was there?", "A bicycle."),
    ],
)  # fmt: skip
def test_what_is_said_around_a_question_is_passed_over(text, said):
    assert asked(text, SHOW, FILM) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("When was nobody there?", "Twice: from 0:08 to 0:24 and from 0:28 to 0:31."),
        ("Was the room ever empty?", "Twice: from 0:08 to 0:24 and from 0:28 to 0:31."),
        ("Was there a time without people?", "Twice: from 0:08 to 0:24 and from 0:28 to 0:31."),
        ("When was there no one in view?", "Twice: from 0:08 to 0:24 and from 0:28 to 0:31."),
        ("When was there no cat?", "Twice: from 0:00 to 0:04 and from 0:12 to 0:31."),
        ("When was the cat not visible?", "Twice: from 0:00 to 0:04 and from 0:12 to 0:31."),
        ("When was there no elephant?", "From 0:00 to 0:31."),
    ],
)
def test_when_something_was_not_there_is_counted(text, said):
    assert asked(text, SHOW, FILM) == said


@pytest.mark.parametrize(
    "text", ["Was there a woman?", "Did you see any children?", "There was a man, wasn't there?"]
)
def test_men_women_and_children_are_not_told_apart_and_that_is_said(text):
    history = past("person", "person", "cat", "cat")
    said = "Somebody was, from 0:00 to 0:08. I cannot tell men, women and children apart."
    assert asked(text, history) == said
    assert asked("Was there a person?", history) == "Yes, from 0:00 to 0:08."


def test_what_was_always_there_never_was_not():
    history = past("cat, person", "cat, person")
    assert asked("When was nobody there?", history) == "Never: somebody was there all the time."
    assert asked("When was there no cat?", history) == "Never: the cat was there all the time."


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
