"""What a question takes over from the conversation before it."""

import pytest

from model.types import Question, Turn
from stream.past.follow_up import whole_question

SEEN = ("What do you see?", "A cat.")
CAME = ("What came after the dog?", "A cat.")
WHEN = ("When was the cat shown?", "From 8 to 16 seconds.")
TWO = ("What have you seen?", "A cat and a dog.")


def asked(text, *lines):
    turns = [
        Turn(role, said)
        for line in lines
        for role, said in zip(("user", "assistant"), line, strict=True)
    ]
    whole = whole_question(Question(text, tuple(turns)))
    return whole if isinstance(whole, str) else whole.text


@pytest.mark.parametrize(
    ("text", "before", "whole"),
    [
        ("How long was it there?", [CAME], "how long was the cat there"),
        ("When did it leave?", [SEEN], "when did the cat leave"),
        ("Is it still there?", [WHEN], "is the cat still there"),
        ("Is it there?", [WHEN], "is the cat there"),
        ("What colour was it?", [WHEN], "what colour was the cat"),
        ("And which way did it move?", [SEEN, WHEN], "and which way did the cat move"),
        ("Where is he?", [("Who is there?", "A person.")], "where is the person"),
        ("How often did they come?", [("Were there any bottles?", "Yes.")], "how often did the bottles come"),
        ("What came before it?", [CAME], "what came before the cat"),
        ("What happened after that?", [WHEN], "what happened after the cat"),
        ("When did that one leave?", [SEEN], "when did the cat leave"),
        ("How long was it there?", [SEEN, ("Thanks", "You are welcome.")], "how long was the cat there"),
        ("When?", [("Was there a cat?", "Yes.")], "when was the cat there"),
        ("And when?", [SEEN], "when was the cat there"),
        ("How long?", [WHEN], "how long was the cat there"),
        ("How often", [SEEN], "how often was the cat there"),
        ("how many?", [SEEN], "how many the cat were there"),
        ("How many were there?", [SEEN], "how many the cat were there"),
        ("And where?", [SEEN], "where was the cat"),
        ("Which colour?", [SEEN], "which colour was the cat"),
        ("Which way?", [SEEN], "which way did the cat go"),
        ("Still there?", [SEEN], "is the cat still there"),
        ("And then?", [CAME], "what came after the cat"),
        ("And after that?", [CAME], "what came after the cat"),
        ("Before that?", [CAME], "what came before the cat"),
        ("And the dog?", [WHEN], "when was the dog shown"),
        ("And the dog?", [SEEN, ("How long?", "For 4 seconds.")], "how long was the dog there"),
        ("And the dog?", [SEEN, ("Which way did it go?", "It moved up.")], "which way did the dog go"),
        ("And the bird?", [WHEN, ("And the dog?", "At 4 seconds.")], "when was the bird shown"),
        ("What about a hot dog?", [WHEN], "when was the hot dog shown"),
        ("Speak briefly.\nWhen did it leave?", [SEEN], "Speak briefly.\nwhen did the cat leave"),
    ],
)  # fmt: skip
def test_what_it_stands_for_is_put_into_the_question(text, before, whole):
    assert asked(text, *before) == whole


@pytest.mark.parametrize(
    "text",
    [
        "What is it?",
        "Is it dark?",
        "Is it a dog?",
        "When did it change?",
        "What time is it?",
        "What did it begin with?",
        "Summarize it.",
        "When was the dog shown?",
        "And now?",
        "And the weather?",
    ],
)
def test_what_stands_for_no_thing_is_left_as_it_is(text):
    assert asked(text, WHEN) == text


def test_without_a_conversation_or_a_thing_in_it_nothing_is_taken_over():
    assert asked("When did it leave?") == "Which thing do you mean?"
    assert asked("Is it still there?", ("Hello", "Hello.")) == "Which thing do you mean?"
    assert asked("When?") == "Which thing do you mean?"
    assert asked("What colour is it?") == "What colour is it?"
    assert asked("Where is it?") == "Where is it?"
    assert asked("And the dog?", ("Hello", "Hello.")) == "And the dog?"
    assert asked("And the dog?", ("Is the cat with the bird?", "Yes.")) == "And the dog?"


def test_the_thing_that_was_meant_is_put_into_the_question_that_was_asked_back_about():
    back = ("When did it leave?", "Which do you mean: the cat or the dog?")
    assert asked("the dog", TWO, back) == "when did the dog leave"
    assert asked("Dog.", back) == "when did the dog leave"
    assert asked("Neither", TWO, back) == "Neither"


def test_of_several_things_it_is_asked_which():
    assert asked("When did it leave?", TWO) == "Which do you mean: the cat or the dog?"
    assert asked("Is it still there?", ("What animals have you seen?", "A cat, a dog and a bird.")) == (
        "Which do you mean: the cat, the dog or the bird?"
    )  # fmt: skip
    many = ("What have you seen?", "A cat, a dog, a bird, a horse and a cow.")
    assert asked("Is it still there?", many) == "Which thing do you mean?"
