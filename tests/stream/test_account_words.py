"""Which questions ask for all that was shown, in whatever words."""

import pytest

from stream.past.account_words import TOLD_AS, account_wording

ACCOUNTS = """
What has happened?
what happened so far
What's happened so far?
What have you seen so far?
What have you seen
What did I miss?
what have I missed while I was away?
Did I miss anything?
What has been shown?
What has been going on?
What went on here?
List everything in order
Please list what was shown, in order.
List all scenes one by one.
Name all things you have seen, in order.
Describe the video.
Describe everything that happened.
Describe what you have seen.
Summarize the video.
Can you summarise the stream?
Could you please give me a short summary?
I want a summary of what happened
Summary, please!
Recap
Give me a timeline
Give me a list of everything you saw.
Tell me everything you have seen.
Tell me what happened.
Tell me the story
What is the video about?
What\u2019s in the video?
What was in the film?
What happened in the video?
What does the video show?
Walk me through the film
What things were shown?
""".strip().splitlines()

OTHERS = """
What do you see?
What do you see now?
What is happening?
What's happening right now?
What is going on?
Describe what you see.
Describe the picture.
Describe the scene.
Describe the dog.
Name what you see.
What did you see first?
What was shown last?
What happened first?
What happened after the dog?
What happened to the dog?
What did you see before the cat?
What was there before the cat?
What have you seen on the table?
What animals have you seen?
List the animals.
How many scenes were there?
When did it happen?
Is there a video?
What is in the picture?
Tell me a joke.
Summarize the rules of chess.
""".strip().splitlines()


@pytest.mark.parametrize("text", ACCOUNTS)
def test_an_account_is_asked_for_in_many_words(text):
    assert account_wording(text) == TOLD_AS


@pytest.mark.parametrize("text", OTHERS)
def test_what_asks_for_less_or_for_something_else_is_put_as_it_stands(text):
    assert account_wording(text) is None


def test_instructions_before_a_question_do_not_hide_what_it_asks_for():
    assert account_wording("You are terse.\nWhat happened?") == TOLD_AS
    assert account_wording("What happened?\nWhere is the dog?") is None


@pytest.mark.parametrize("text", ["What was shown?", "What did you see?", "What was there?"])
def test_what_may_be_asked_of_one_moment_keeps_its_words(text):
    assert account_wording(text) == text


def test_a_long_text_is_not_looked_through():
    assert account_wording("please " * 2000 + "summarize") is None
