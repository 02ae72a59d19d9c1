"""What is asked about an event, and what an answer says of it."""

import pytest

from model.vision.vocabulary import word_table
from stream.watches.condition import Clause, Condition
from stream.watches.verification import judge, question_of

TABLE = word_table()


@pytest.mark.parametrize(
    ("condition", "asked"),
    [
        (Condition((Clause(("dog", "cat")),)), ("Is there a dog?", True)),
        (Condition((Clause(("car",), colour="orange"),)), ("Is there an orange car?", True)),
        (Condition((Clause(("person",), at_least=4),)), ("Are there any people?", True)),
        (Condition(negative=(Clause(("person",)),)), ("Is there a person?", False)),
    ],
)
def test_one_thing_is_asked_about(condition, asked):
    assert question_of(condition, TABLE) == asked


@pytest.mark.parametrize(
    ("answer", "expected", "verdict"),
    [
        ("Yes, there is a dog.", True, "confirmed"),
        ("Yes.", False, "rejected"),
        ("No, I have not seen one.", True, "rejected"),
        ("I have not seen a dog.", False, "confirmed"),
        ("There is no dog.", True, "rejected"),
        ("There is a dog.", True, "confirmed"),
        ("Perhaps a wolf.", True, "unverified"),
        ("", True, "unverified"),
    ],
)
def test_an_answer_that_is_not_clear_decides_nothing(answer, expected, verdict):
    found, why = judge("Is there a dog?", answer, expected=expected)
    assert found == verdict
    assert "Is there a dog?" in why
