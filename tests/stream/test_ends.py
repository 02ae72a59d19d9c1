"""Which questions are about the beginning of a past alone, and which about its end."""

import pytest

from stream.past.ends import asked_end

FIRST = (
    "What was shown first?", "What came first?", "What did you see first", "What was the first thing shown?",
    "What was there at the beginning?", "what did it begin with?", "What was the first thing you saw?",
    "How did the video start?", "Say it briefly.\nWhat was there first?",
)  # fmt: skip
NOW = (
    "What do you see?", "What do you see right now?", "What is this?", "What's on the screen?", "What is on screen now?",
    "What is happening?", "What is going on at the moment?", "Describe what you see.", "Describe the picture.",
    "What does the camera show?", "What was shown last?", "What came last?", "What was the last thing shown?",
    "What is in the picture?", "What things are visible now?",
)  # fmt: skip
OTHER = (
    "What did you see?", "What was shown?", "What has happened?", "What came first, the cat or the dog?",
    "What was the first animal?", "What do you see on the table?", "What happened first after the dog?",
    "Is there a dog?", "What is the dog doing?", "What came before that?", "What is happening " * 20,
    "What was the first colour?", "Who came first?",
)  # fmt: skip


@pytest.mark.parametrize("text", FIRST)
def test_the_beginning_is_asked_for_in_many_words(text):
    assert asked_end(text) == "first"


@pytest.mark.parametrize("text", NOW)
def test_the_present_is_asked_for_in_many_words(text):
    assert asked_end(text) == "now"


@pytest.mark.parametrize("text", OTHER)
def test_what_asks_for_anything_else_asks_for_no_end(text):
    assert asked_end(text) is None
