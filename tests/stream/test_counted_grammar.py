"""Answers that are counted are English: of several it is "they", what cannot be counted has no article; and two are compared."""

import pytest

from model.vision.things import Thing
from model.vision.vocabulary import COLOURS, in_words, with_article, word_table
from stream.past.counted.count import count
from stream.past.counted.words import asks_to_count, named_with_article
from tests.stream.test_counted_more import FILM, LIVE, answer, past

ROOM = past("cat, 2 people", "dog, 2 people", "dog, 2 people", "dog")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Are the dogs gone?", "No, they are there, since 0:04."),
        ("Is the dog gone?", "No, it is there, since 0:04."),
        ("When did the dogs leave?", "They did not: they are there, since 0:04."),
        ("Did the cats come back?", "No. They were there once, from 0:00 to 0:04."),
        ("Did the people come back?", "No. They were there once, from 0:00 to 0:12."),
        ("When did the dogs come?", "At 4 seconds, and they are there still."),
        ("What came before the cats?", "Nothing that I have a word for: they were the first."),
        ("What came after the dogs?", "Nothing yet: they are there still."),
        ("Did anyone come before the dog?", "Yes: somebody came at 0:00, the dog at 0:04."),
        ("Which came last, anyone or the dog?", "The dog, at 0:04."),
        ("Which came first, someone or the dog?", "Somebody, at 0:00."),
        ("Were the cats above the people?", "No. They were there with the people, from 0:00 to 0:04."),
        ("Was the cat above the people?", "No. It was there with the people, from 0:00 to 0:04."),
        ("Was anyone above the cat?", "No. Somebody was there with the cat, from 0:00 to 0:04."),
    ],
)  # fmt: skip
def test_of_several_the_answer_says_they(text, said):
    assert answer(text, ROOM) == said


def test_of_several_that_a_film_ended_with_they_were_the_last():
    said = "Nothing that I have a word for: they were the last."
    assert answer("What came after the dogs?", ROOM, FILM) == said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("food", "any food"), ("furniture", "any furniture"), ("fruit", "any fruit"), ("clothing", "any clothing"),
        ("cats", "any cats"), ("cat", "a cat"), ("red cars", "any red cars"), ("grapes", "grapes"), ("anyone", "anyone"),
    ],
)  # fmt: skip
def test_what_was_never_seen_is_named_as_english_does(name, said):
    assert named_with_article(name) == said


def test_what_cannot_be_counted_has_no_article_with_a_colour_either():
    table = word_table()
    blue = COLOURS.index("blue")
    assert in_words(table[table.number["jeans"]], 1, blue) == "blue jeans"
    assert in_words(table[table.number["toilet paper"]], 1, blue) == "blue toilet paper"
    assert in_words(table[table.number["car"]], 1, blue) == "a blue car"
    assert with_article("toilet") == "a toilet"


def test_the_colour_of_grapes_is_told_without_an_article():
    history = past("cat", "cat")
    grapes = Thing(word_table().number["grapes"], colour=COLOURS.index("green"))
    shown = [type(one)(one.start, one.end, (grapes,), 4) for one in history]
    assert answer("Tell me about the grapes.", shown) == "Green grapes, since 0:00."


def test_what_changed_together_shares_its_verb():
    history = past("cat", "cat", "dog, 2 people", "dog, 2 people")
    assert answer("What changed?", history) == "At 0:08 a dog and two people came and a cat left."


TWICE = past("cat", "dog", "dog", "dog", "cat", "bird", "bird", "bird", "", "", "", "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Which was there longer, the cat or the dog?", "The dog, for 12 seconds; the cat for 8 seconds."),
        ("What was shown the longest, the dog or the bird?", "Both for 12 seconds."),
        ("Which came more often, the dog or the cat?", "The cat, twice; the dog once."),
        ("Which did you see most often, the dog or the bird?", "Both once."),
        ("Was the cat there longer than the dogs?", "No: the cat was there for 8 seconds, the dogs for 12 seconds."),
        ("Were the dogs there longer than the cat?", "Yes: the dogs were there for 12 seconds, the cat for 8 seconds."),
        ("Did the cat come more often than the dog?", "Yes: the cat was there twice, the dog once."),
        ("Was the horse there longer than the dog?", "I have not seen a horse."),
    ],
)  # fmt: skip
def test_two_things_are_compared_by_how_long_and_how_often_they_were_there(text, said):
    assert answer(text, TWICE) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Was there a cat and a dog?", "Yes, both: the cat twice: from 0:00 to 0:04 and from 0:16 to 0:20; the dog from 0:04 to 0:16."),
        ("Did you see a horse or a dog?", "Only the dog, from 0:04 to 0:16. I have not seen a horse."),
        ("Have you seen any horses and a sheep?", "I have not seen any horses or a sheep."),
        ("Was there a dog and anybody?", "Only the dog, from 0:04 to 0:16. I have not seen anyone."),
    ],
)  # fmt: skip
def test_of_two_things_both_are_looked_for(text, said):
    assert answer(text, TWICE) == said


def test_of_two_things_what_was_half_seen_is_left_to_the_model():
    assert count(asks_to_count("Was there a cat and a dog?"), past("cat", "dog?"), LIVE) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Which animal came first?", "A cat, at 0:00."),
        ("What animal was shown last?", "A bird, at 0:20."),
        ("What was the first animal?", "A cat, at 0:00."),
        ("What was the last animal you saw?", "A bird, at 0:20."),
        ("Which vehicle came first?", "I have not seen any vehicle."),
    ],
)
def test_of_a_sort_the_first_and_the_last_are_told(text, said):
    assert answer(text, TWICE) == said
