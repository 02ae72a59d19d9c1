"""What moved, which colours there were, and words that are not known."""

from dataclasses import replace

import pytest

from model.vision.things import MOVEMENTS
from stream.past.asked.unknown import unknown_word
from stream.past.counted.count import count
from stream.past.counted.words import asks_to_count
from tests.stream.test_about import LIVE, past


def moving(*told):
    """Clips of one thing each: "cat right" moves to the right."""
    names = [name.removesuffix(f" {way}") for name in told for way in [name.rpartition(" ")[2]]]
    clips = past(*names)
    for place, one in enumerate(told):
        if (way := one.rpartition(" ")[2]) in MOVEMENTS:
            things = (replace(clips[place].things[0], movement=MOVEMENTS.index(way)),)
            clips[place] = replace(clips[place], things=things)
    return clips


def said(text, clips):
    found = count(asks_to_count(text), clips, LIVE)
    return found and found[0].text


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("What moved?", "A cat moved to the right and a rocket up."),
        ("Which animals moved?", "A cat moved to the right."),
        ("Did anything move?", "Yes: a cat moved to the right and a rocket up."),
        ("was there any movement", "Yes: a cat moved to the right and a rocket up."),
        ("What is moving?", "A rocket moves up."),
        ("is anything moving now", "Yes: a rocket moves up."),
    ],
)
def test_what_moves_is_told(text, answer):
    clips = moving("cat right", "cat right", "dog", "dog", "rocket up", "rocket up")
    assert said(text, clips) == answer


def test_that_nothing_moves_is_told():
    clips = moving("cat right", "cat right", "dog", "dog", "dog")
    assert said("What is moving?", clips) == "Nothing that I see moves now."
    assert said("Is anything moving?", clips) == "No, nothing that I see moves now."
    assert said("Did anything move?", clips[2:]) == "No, nothing that I see moved."


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("What colours did you see?", "Red (a car) and blue (a star and a chair)."),
        ("which colors were there", "Red (a car) and blue (a star and a chair)."),
        ("What was red?", "A red car, from 0:00 to 0:08."),
        ("did you see anything red", "A red car, from 0:00 to 0:08."),
        ("is there something green", "I have not seen anything green."),
    ],
)
def test_colours_are_told_with_what_had_them(text, answer):
    clips = past("red car", "red car", "blue star", "blue star", "blue chair", "blue chair", "dog")
    assert said(text, clips) == answer


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Was there a thunderstorm?", "thunderstorm"),
        ("is there a red helicopterpad", "helicopterpad"),
        ("Where was the moon?", "moon"),
        ("how long was the wedding", "wedding"),
        ("asdfgh", "asdfgh"),
        ("did you see any wizards today", "wizards"),
        ("How many wizards were there?", "wizards"),
    ],
)
def test_a_name_that_has_no_word_is_said_to_be_unknown(text, word):
    assert unknown_word(text) == f'I do not know the word "{word}", so I cannot tell.'


@pytest.mark.parametrize(
    "text",
    [
        "Was there a cat?",
        "Was there a big dog?",
        "Is there any other animal?",
        "Where is the left one?",
        "What happened before the end?",
        "What do you see?",
        "When was the wedding?",
        "What?",
        "the",
        "Is there anything?",
    ],
)
def test_what_has_a_word_or_names_nothing_is_not_unknown(text):
    assert unknown_word(text) is None


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Was there a green car?", "No: a red car, from 0:00 to 0:08."),
        ("Was there a red car?", "Yes, from 0:00 to 0:08."),
        ("What was the second thing you saw?", "A blue star, at 0:08."),
        ("What came third?", "A dog, at 0:16."),
        ("What was the fourth thing?", "I have seen three scenes only."),
        ("Was the star before the car?", "No: the star came at 0:08, the car at 0:00."),
        ("Did you see the car before the star?", "Yes: the car came at 0:00, the star at 0:08."),
        ("List all vehicles in order", "A car."),
        ("Is there a red star?", "No: a blue star, from 0:08 to 0:16."),
        ("Is there a blue star?", "Not now. Last seen at 0:16."),
        ("Is there a star?", "Not now. Last seen at 0:16."),
        ("Do you see a dog?", "Yes, since 0:16."),
        ("Is there a zebra?", None),
        ("How many scenes were there?", "Three: a red car, then a blue star, then a dog."),
        ("What happened in the middle?", "A blue star, at 0:08."),
        ("How long is the video?", "I have watched 23 seconds."),
        ("How many cars did you count?", "One."),
        ("How many kinds of cars were there?", "One kind: a car."),
    ],
)
def test_more_ways_to_ask_are_counted(text, answer):
    clips = past("red car", "red car", "blue star", "blue star", "dog", "dog")
    assert said(text, clips) == answer


def test_women_and_puppies_are_known_by_their_plurals():
    clips = past("2 people", "2 people", "dog", "dog")
    assert said("How many women were there?", clips) == "Two."
    assert said("Were there any puppies?", clips) == "Yes, since 0:08."


def test_of_a_film_and_of_what_is_half_seen_the_model_says_whether_it_is_there():
    clips = past("dog", "dog", "cat", "cat")
    assert count(asks_to_count("Is there a cat?"), clips, replace(LIVE, duration=16.0)) is None
    half = replace(clips[-1], things=(replace(clips[0].things[0], sure=0.3),))
    assert said("Is there a dog?", [*clips[:-1], half]) is None


def test_what_came_often_in_a_colour_is_told_once():
    clips = past(
        "red car", "red car", "dog", "dog", "dog", "red car", "red car", "red star", "red star"
    )
    assert (
        said("Was anything red?", clips)
        == "A red car, twice, from 0:00 to 0:28; a red star, from 0:28 to 0:35."
    )


@pytest.mark.parametrize(
    "text",
    [
        "Did anybody come in?",
        "has anyone entered",
        "did someone walk by",
        "Has anybody come into the room?",
        "did anyone arrive",
    ],
)
def test_who_came_is_counted_whatever_the_word_for_it(text):
    assert said(text, past("dog", "person", "person", "dog")) == "Yes, from 0:04 to 0:12."
