"""Whether something is still there, when it left, how often it came, which of two was first, what changed."""

import pytest

from model.types import Question
from model.vision.things import Thing
from model.vision.vocabulary import COLOURS, word_table
from stream.past.counted.count import count
from stream.past.counted.words import asks_to_count
from stream.past.presence import Shown
from tests.stream.test_account import remembered, told

TABLE = word_table()
LIVE, FILM = Question(""), Question("", duration=100.0)


def thing(name):
    """A thing said as "cat", "red circle", "cat?" (half believed) or "3 people"."""
    name, sure = name.removesuffix("?"), 0.3 if name.endswith("?") else 1.0
    first, _, rest = name.partition(" ")
    if first.isdigit():
        word = next(n for n, word in enumerate(TABLE.words) if word.plural == rest)
        return Thing(word, sure, count=int(first))
    if first in COLOURS and rest:
        return Thing(TABLE.number[rest], sure, colour=COLOURS.index(first))
    return Thing(TABLE.number[name], sure)


def past(*shown, seconds=4.0):
    return [
        Shown(
            seconds * n,
            seconds * n + seconds - 1,
            tuple(thing(name) for name in names.split(", ") if name),
            4,
        )
        for n, names in enumerate(shown)
    ]


def answer(text, history, question=LIVE):
    return count(asks_to_count(text), history, question)[0].text


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        (
            "still",
            "Is the cat still there?|is the cat still in the picture|Is there still a cat?|Can you still see the cat?"
            "|Do you still see a cat|Are the cats still here?|Is the cat still visible now?|Is the cat there any more?"
            "|Do you see the cat anymore?|Is anyone still there?|Was the cat still there?|and is the cat still there",
        ),
        (
            "gone",
            "Is the cat gone?|Has the cat left?|Did the cat leave?|Has the cat disappeared already?|Is the cat missing?"
            "|Is the cat no longer there?|Has the cat gone away?|Has everyone left the room?",
        ),
        (
            "left",
            "When did the cat leave?|when was the cat gone|When did the cat disappear?|At what time did the cat go away?"
            "|Since when is the cat gone?|When did the cat leave the room?",
        ),
        (
            "when",
            "When was the cat shown?|when did you see the cat|When did the cat come?|At what time was the cat visible?|When did the cat first appear?"
            "|When did you first see the cat?|When was the first time you saw the cat?|When was the cat seen for the first time?|When did the cat enter the room?",
        ),
        (
            "last",
            "When did you last see the cat?|When was the cat last seen?|When was the last time you saw the cat?"
            "|When did you see the cat last?|When was the cat shown last?|When was the last time that the cat was there?",
        ),
        (
            "often",
            "How often did the cat come?|How many times was the cat shown?|how often have you seen the cat"
            "|How many times did you see a cat so far?|How often has the cat been there?|How many times did the cat appear?",
        ),
        (
            "which",
            "Which came last, the cat or the dog?|What came first, the cat or the dog?|Which was shown last: the cat or the dog?"
            "|Which came first of the two, the cat or the dog?|Which did you see first, the cat or the dog?",
        ),
        (
            "before",
            "Did the cat come before the dog?|Was the cat shown after the dog?|Was the cat there before the dog was?",
        ),
        (
            "changed",
            "Did anything change?|Has anything changed?|did something change so far|Is anything different now?"
            "|What changed?|What is new?|What has changed?|Any changes?|Has the scene changed?|When did anything change last?|Is there anything new?",
        ),
    ],
)
def test_each_is_asked_in_many_words(kind, texts):
    kinds = {
        text: asked and asked.kind
        for text in texts.split("|")
        if (asked := asks_to_count(text)) or True
    }
    assert kinds == dict.fromkeys(kinds, kind)


@pytest.mark.parametrize(
    "text",
    [
        "Is the cat still asleep?",
        "Is it still there?",
        "Is the cat there?",
        "Has the cat left the table?",
        "When did the cat leave the table?",
        "When was the cat fed?",
        "How often did the cat jump?",
        "How often does it rain?",
        "Which came last?",
        "Did the cat come?",
        "What changed about the cat?",
        "Did anything happen?",
        "Is the thingamajig still there?",
        "Has the cat changed?",
        "Is the cat on the left?",
        "When did you feed the cat?",
    ],
)
def test_what_asks_for_anything_besides_is_left_to_the_model(text):
    assert asks_to_count(text) is None


def test_when_something_was_shown_is_told_of_every_time():
    once = past("", "", "cat", "cat", "", "")
    assert answer("When was the cat shown?", once) == "From 8 to 16 seconds."
    assert answer("When did you first see the cat?", once) == "At 8 seconds."
    twice = past("cat", "cat", *[""] * 16, "cat", "cat", "")
    assert answer("When was the cat shown?", twice) == (
        "Twice: from 0 to 8 seconds and from 1:12 to 1:20."
    )
    assert answer("When did the cat first appear?", twice) == "At 0:00."
    assert answer("When was the cat shown?", past("", "cat", "cat")) == (
        "At 4 seconds, and it is there still."
    )
    often = past(*["cat", "cat", "", "", ""] * 5)
    assert answer("When was the cat shown?", often) == "5 times, from 0:00 to 1:28."


def test_when_something_was_shown_that_was_half_seen_is_left_to_the_model():
    half = past("", "cat?", "cat?", "")
    assert count(asks_to_count("When was the cat shown?"), half, LIVE) is None
    assert answer("When was the cat shown?", past("", "")) == "I have not seen a cat."


def test_what_is_there_still_is_said_to_be_since_it_came_last():
    history = past("cat", "cat", *["dog"] * 4, "cat", "cat")
    assert answer("Is the cat still there?", history) == "Yes, since 0:24."
    assert answer("Has the cat left?", history) == "No, it is there, since 0:24."
    assert answer("When did you last see the cat?", history) == "Now, since 0:24."
    assert answer("When did the cat leave?", history) == "At 0:08; now it is there, since 0:24."


def test_what_is_gone_is_said_to_have_been_last_there_at_its_last_showing():
    history = past("cat", "cat", *["dog"] * 4, "cat", "cat", *["dog"] * 4)
    assert answer("Is the cat still there?", history) == "Not now. Last seen at 0:32."
    assert answer("Is the cat gone?", history) == "Yes, since 0:32."
    assert answer("When did the cat leave?", history) == "At 0:08 and at 0:32."
    assert answer("When did you last see the cat?", history) == "From 0:24 to 0:32."


def test_of_a_film_its_end_is_meant():
    history = past("cat", "cat", "dog", "dog")
    assert answer("Is the cat still there?", history, FILM) == "Not at the end. Last seen at 0:08."
    assert answer("Is the dog gone?", history, FILM) == "No, it is there at the end, since 0:08."
    assert answer("When did the dog leave?", history, FILM) == (
        "It did not: it is there at the end, since 0:08."
    )
    assert answer("When was the dog last seen?", history, FILM) == "From 0:08 to 0:15."


def test_of_a_moment_no_more_is_said_than_what_it_shows():
    then = Question("", since=4.0, until=4.0)
    assert answer("Was the cat still there?", past("cat"), then) == "Yes."
    assert answer("Was the cat still there?", past("dog"), then) == "No."


@pytest.mark.parametrize(
    "text",
    [
        "Is the cat still there?",
        "Has the cat left?",
        "When did the cat leave?",
        "When did you last see the cat?",
        "How often did the cat come?",
        "Did the cat come before the dog?",
        "Which came last, the cat or the dog?",
    ],
)
def test_what_was_never_there_is_said_not_to_have_been(text):
    assert answer(text, past("dog", "dog")) == "I have not seen a cat."


def test_several_and_people_are_called_as_they_are():
    assert answer("Are the cats still there?", past("dog")) == "I have not seen any cats."
    assert answer("Is anyone still there?", past("dog")) == "I have not seen anyone."
    assert answer("Is anyone still there?", past("person", "person")) == "Yes, since 0:00."


def test_what_the_newest_clip_half_shows_is_not_said_to_be_gone():
    history = past("cat", "cat", "cat?")
    assert answer("Is the cat still there?", history) == "Perhaps, I am not sure."
    assert answer("Has the cat left?", history) == "I am not sure."


def test_how_often_something_came_is_told_with_its_times():
    gap = ["dog"] * 4
    once, twice = past("cat", "cat", *gap), past("cat", "cat", *gap, "cat", "cat", *gap)
    assert answer("How often did the cat come?", once) == "Once, from 0:00 to 0:08."
    assert answer("How often did the cat come?", past("dog", "cat", "cat")) == "Once, since 0:04."
    assert answer("How many times was the cat shown?", twice) == (
        "Twice: from 0:00 to 0:08 and from 0:24 to 0:32."
    )
    often = past(*["cat", "cat", *gap] * 6)
    assert answer("How often did the cat come?", often) == "6 times: from 0:00 to 2:08."


def test_which_of_two_came_is_told_by_when_they_did():
    history = past("cat", "cat", "dog", "dog", "bird, fish", "bird, fish")
    assert answer("Which came first, the cat or the dog?", history) == "The cat, at 0:00."
    assert answer("Which came last, the cat or the dog?", history) == "The dog, at 0:08."
    assert answer("Which came last, the bird or the fish?", history) == "Both at 0:16."
    assert answer("Did the cat come before the dog?", history) == (
        "Yes: the cat came at 0:00, the dog at 0:08."
    )
    assert answer("Did the cat come after the dog?", history) == (
        "No: the cat came at 0:00, the dog at 0:08."
    )
    assert answer("Which came last, the horse or the bear?", history) == (
        "I have not seen a horse or a bear."
    )


def test_what_came_and_left_last_is_what_changed():
    history = past("dog", "dog", "cat", "cat", "cat, 2 people", "cat, 2 people")
    assert answer("Did anything change?", history) == "At 0:16 two people came."
    history = past("dog", "dog", "cat", "cat")
    assert answer("What was the last change?", history) == "At 0:08 a cat came and a dog left."
    _, finish = count(asks_to_count("Did anything change?"), history, LIVE)
    assert [e.start for e in finish.evidence] == [4.0, 8.0]
    nothing = "Nothing that I have a word for has changed."
    assert answer("Did anything change?", past("dog", "dog")) == nothing
    assert answer("Did anything change?", past("", "")) == nothing


def test_a_colour_is_part_of_what_is_asked_about():
    history = past("red circle", "red circle", "blue circle", "blue circle")
    assert answer("Is the red circle still there?", history) == "Not now. Last seen at 0:08."
    assert answer("Is the blue circle still there?", history) == "Yes, since 0:08."
    assert (
        answer("How long was the green circle there?", history) == "I have not seen a green circle."
    )
    assert answer("Is the circle still there?", history) == "Yes, since 0:00."


async def test_a_stream_says_what_is_still_there_without_asking_its_model():
    engine, recall = await remembered(["dog", "dog", "cat", "cat"])
    assert (await told(recall, "Is the dog still there?"))[0] == "Not now. Last seen at 0:08."
    text, finish = await told(recall, "Did anything change?")
    assert text == "At 0:08 a cat came and a dog left."
    assert (finish.reason, engine.asked) == ("stop", [])


def test_how_many_there_were_is_told_of_the_time_when_there_were_most():
    history = past("person", "person", *["dog"] * 4, "4 people", "2 people", "4 people")
    assert answer("How many people were there?", history) == (
        "Four together at most, from 0:24 to 0:35."
    )
    assert answer("How many people have you seen so far?", past("3 people")) == "Three."
    assert answer("How many people were shown?", past("5 people")) == "More than four."
    again = past("2 cats", "2 cats", *["dog"] * 4, "2 cats", "2 cats", "dog")
    assert answer("How many cats did you see?", again) == (
        "Two each time, from 0:00 to 0:08 and from 0:24 to 0:32."
    )
    halves = past("3 cats", "4 cats", "3 cats?", "4 cats", "3 cats")
    assert answer("How many cats were there?", halves) == "Three."
    assert answer("How many cats were there?", past("3 cats", "4 cats")) == "Four."
    assert answer("How many cats were there?", past("dog")) == "None."
    assert answer("How many cats were there?", past("dog, cat?")) == "I am not sure."


def test_how_many_of_a_sort_there_were_is_told_by_kinds():
    history = past("cat", "cat", "elephant", "elephant", "car")
    assert answer("How many animals were there?", history) == "Two kinds: a cat and an elephant."
    assert answer("How many kinds of vehicles did you see?", history) == "One kind: a car."
    assert answer("How many tools were there?", history) == "I have not seen any tools."


def test_what_was_there_longest_and_what_came_most_often_are_counted():
    history = past("cat", "cat", *["dog"] * 9, "cat", "cat")
    assert answer("What was there the longest?", history) == "A dog, for 36 seconds in all."
    assert answer("What did you see most often?", history) == "A cat, twice."
    assert answer("What was there longest?", past("")) == "Nothing that I have a word for."
