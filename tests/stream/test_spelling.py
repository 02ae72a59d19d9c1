"""Misspelt words are taken for the nearest that is known, and words that are known for no other."""

import pytest

from model.types import Turn
from model.vision.vocabulary import word_table
from stream.past.asked.spelling import well_spelled
from tests.stream.test_account import remembered, told


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("pengiun", "penguin"),
        ("brocoli", "broccoli"),
        ("umbrela", "umbrella"),
        ("elefant", "elephant"),
        ("bycicle", "bicycle"),
        ("bannana", "banana"),
        ("hors", "horse"),
        ("doog", "dog"),
        ("squirrls", "squirrels"),
    ],
)
def test_a_misspelt_name_is_taken_for_the_nearest_and_that_is_said(typed, meant):
    assert well_spelled(f"Was there a {typed}?") == (
        f"Was there a {meant}?",
        f'I take "{typed}" for "{meant}": ',
    )


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("waht hapened", "what happened"),
        ("wich animals did u see", "which animals did you see"),
        ("how meny ppl are ther", "how many people are there"),
        ("where teh cat is", "where the cat is"),
        ("what colur was the car", "what colour was the car"),
        ("Whats there", "Whats there"),
    ],
)
def test_of_other_words_nothing_is_said(text, spelled):
    assert well_spelled(f"Be breif.\n{text}") == (f"Be breif.\n{spelled}", "")


@pytest.mark.parametrize(
    "word", ["house", "mouse", "bread", "coach", "brush", "loin", "Anna", "Bert", "robovac", "Zoë"]
)
def test_a_word_of_english_and_what_is_like_no_name_stay_what_they_are(word):
    assert well_spelled(f"Was there a {word}?") == (f"Was there a {word}?", "")


def test_no_name_of_a_thing_is_taken_for_another():
    for word in word_table().words:
        for name in (word.name, word.plural, *word.others, *word.broader, *word.kinds.values()):
            assert well_spelled(f"Was there a {name}?") == (f"Was there a {name}?", "")


@pytest.mark.parametrize("text", ["Was hast du gesehen?", "Wo ist die Katze?", "que ves ahora"])
def test_another_language_is_not_guessed_at(text):
    assert well_spelled(text)[0] is None


async def test_the_answer_says_for_what_a_word_was_taken():
    _, recall = await remembered(["dog", "cat", "cat"])
    right, _ = await told(recall, "Was there a giraffe or a cat?")
    said, _ = await told(recall, "was there a giraf or a cat")
    assert said == f'I take "giraf" for "giraffe": {right}'
    said, finish = await told(recall, "Wo ist die Katze?")
    assert said.startswith("Please ask in English")
    assert not finish.evidence


async def test_a_misspelt_question_is_gone_on_from():
    _, recall = await remembered(["dog", "dog", "cat", "cat"])
    turns = (Turn("user", "when was teh dgog shown"), Turn("assistant", "At 0 seconds."))
    said, _ = await told(recall, "and the cat", conversation=turns)
    assert said == (await told(recall, "When was the cat shown?"))[0]
