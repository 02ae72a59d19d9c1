"""How long something was there, and all of a sort: counted from what clips show, in plain words."""

from dataclasses import replace

import pytest

from model.types import Question
from model.vision.things import Thing
from model.vision.vocabulary import word_table
from stream.past.asides import aside
from stream.past.counted.count import count
from stream.past.counted.words import asks_to_count
from stream.past.presence import Shown
from tests.stream.test_account import remembered, told

TABLE = word_table()
LIVE, FILM = Question(""), Question("", duration=100.0)


def past(*shown, seconds=4.0):
    return [
        Shown(
            seconds * n,
            seconds * n + seconds - 1,
            tuple(Thing(TABLE.number[name], sure=1.0) for name in names.split()),
            4,
        )
        for n, names in enumerate(shown)
    ]


def answer(text, history, question=FILM):
    words, finish = count(asks_to_count(text), history, question)
    return words.text, finish


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("How long was the cat shown?", "cat"),
        ("how long was the cat there", "cat"),
        ("For how long was the cat visible?", "cat"),
        ("How long did you see the cat?", "cat"),
        ("How many seconds was the cat on screen?", "cat"),
        ("How long has the puppy been there so far?", "puppy"),
        ("How long were the cats in the picture?", "cats"),
        ("How long did the traffic light stay?", "traffic light"),
    ],
)
def test_how_long_is_asked_in_many_words(text, name):
    asked = asks_to_count(text)
    assert asked is not None
    assert (asked.name, asked.kind) == (name, "long")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("What animals have you seen?", "animals"),
        ("Which animals were there?", "animals"),
        ("What vehicles were shown so far?", "vehicles"),
        ("what kinds of fruits did you see", "fruits"),
        ("List the animals.", "animals"),
        ("Name all the birds you have seen.", "birds"),
        ("What clothes were there?", "clothes"),
    ],
)
def test_all_of_a_sort_are_asked_for_in_many_words(text, name):
    asked = asks_to_count(text)
    assert asked is not None
    assert (asked.name, asked.kind) == (name, "sort")


@pytest.mark.parametrize(
    "text",
    [
        "How long was the thingamajig there?",
        "What have you seen?",
        "What things have you seen?",
        "How many cats were on the table?",
        "Which dog was there?",
        "What comes to mind of the cat?",
        "how long " * 100,
    ],
)
def test_what_is_no_such_question_or_has_no_word_is_left_to_the_model(text):
    assert asks_to_count(text) is None


def test_how_long_is_told_with_the_times():
    history = past("dog", "cat", "cat", "cat dog", "dog")
    text, finish = answer("How long was the cat shown?", history)
    assert text == "For 12 seconds, from 0:04 to 0:16."
    assert [(e.start, e.end) for e in finish.evidence] == [(4, 7), (8, 11), (12, 15)]
    assert sum(e.score for e in finish.evidence) == pytest.approx(1)
    assert (finish.usage.clips, finish.usage.end) == (5, 19.0)


def test_what_came_again_is_told_with_all_its_times_up_to_a_few():
    gap = ["dog"] * 4
    text, _ = answer("How long was the cat shown?", past("cat", "cat", *gap, "cat", "cat", *gap))
    assert text == "For 16 seconds in all: from 0:00 to 0:08 and from 0:24 to 0:32."
    often = past(*["cat", "cat", *gap] * 6)
    text, _ = answer("How long was the cat shown?", often)
    assert text == "For 48 seconds in all, 6 times, from 0:00 to 2:08."


def test_what_is_still_there_of_a_live_stream_is_said_to_be():
    history = past("dog", "cat", "cat")
    assert answer("How long has the cat been there?", history, LIVE)[0] == (
        "For 7 seconds so far, since 0:04."
    )
    assert answer("How long was the cat there?", history, FILM)[0] == (
        "For 7 seconds, from 0:04 to 0:11."
    )


def test_long_times_are_told_in_minutes_and_hours():
    history = past("cat", "cat", "dog", seconds=60.0)
    assert answer("How long was the cat there?", history)[0] == "For 2 minutes, from 0:00 to 2:00."
    history = past("cat", "cat", "dog", seconds=1830.0)
    assert answer("How long was the cat there?", history)[0].startswith("For 1 hour and 1 minute")


def test_what_was_never_there_is_said_not_to_have_been():
    assert answer("How long was the cat shown?", past("dog"))[0] == "I have not seen a cat."
    assert answer("What vehicles were there?", past("dog"))[0] == "I have not seen any vehicles."


def test_all_of_a_sort_are_named_once_as_they_first_came():
    history = past("elephant", "elephant", "cat", "cat", "car", "car", "elephant", "elephant")
    text, finish = answer("What animals have you seen?", history)
    assert text == "An elephant and a cat."
    assert len(finish.evidence) == 6
    assert answer("Which vehicles were there?", history)[0] == "A car."


@pytest.mark.parametrize("text", ["hello", "Hi there!", "Thanks a lot.", "thank you", "Who are you?", "What can you do?", "Good morning, how are you?"])  # fmt: skip
def test_what_is_said_besides_is_answered_so(text):
    assert aside(text) is not None


@pytest.mark.parametrize("text", ["Who is there?", "What are you seeing?", "Help the dog", "Is it a good day?", "Did anything new appear?"])  # fmt: skip
def test_a_question_is_no_aside(text):
    assert aside(text) is None


async def test_a_stream_counts_without_asking_its_model():
    engine, recall = await remembered(["dog", "dog", "cat", "cat", "dog", "dog"])
    text, finish = await told(recall, "How long was the cat shown?", duration=24.0)
    assert text == "For 8 seconds, from 0:08 to 0:16."
    text, _ = await told(recall, "What animals were there?", since=8.0, until=12.0)
    assert text == "A cat."
    assert (await told(recall, "Thanks!"))[0] == "You are welcome."
    assert (finish.reason, engine.asked) == ("stop", [])


async def test_a_model_without_words_of_its_own_is_asked_all_of_it():
    engine, recall = await remembered(["dog", "cat"], words=False)
    for text in ("How long was the cat shown?", "What animals were there?", "Thanks!"):
        await told(recall, text)
    assert len(engine.asked) == 3


def later(history, seconds):
    """Return clips as they would be so much later."""
    return [replace(clip, start=clip.start + seconds, end=clip.end + seconds) for clip in history]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "How long was the cat there?",
            "For 22 seconds in all: from 0:00 to 0:11 and from 22:00 to 22:11.",
        ),
        ("Is the cat still there?", "Yes, since 22:00."),
        ("How often did you see a cat?", "Twice: from 0:00 to 0:11 and from 22:00 to 22:11."),
        (
            "How long was the cat beside the dog?",
            "For 22 seconds in all: from 0:00 to 0:11 and from 22:00 to 22:11.",
        ),
    ],
)
def test_nothing_goes_on_over_a_time_in_which_nothing_was_watched(text, said):
    both = past("cat dog", "cat dog", "cat dog")
    assert answer(text, [*both, *later(both, 1320.0)], LIVE)[0] == said
