"""What is asked about an event, and what an answer says of it."""

import pytest

from model.vision.vocabulary import word_table
from stream.watches.condition import Clause, Condition
from stream.watches.verification import VerifyingQuestion, judge, question_of

TABLE = word_table()


@pytest.mark.parametrize(
    ("condition", "asked"),
    [
        (Condition((Clause(("dog", "cat")),)), VerifyingQuestion("Is there a dog?", expected=True)),
        (
            Condition((Clause(("car",), colour="orange"),)),
            VerifyingQuestion("Is there an orange car?", expected=True),
        ),
        (
            Condition((Clause(("person",), at_least=4),)),
            VerifyingQuestion("How many people are there?", expected=True, at_least=4),
        ),
        (
            Condition((Clause(("dog",)), Clause(("car",), at_least=2, colour="red"))),
            VerifyingQuestion("How many red cars are there?", expected=True, at_least=2),
        ),
        (
            Condition(negative=(Clause(("person",)),)),
            VerifyingQuestion("Is there a person?", expected=False),
        ),
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
    found, why = judge(VerifyingQuestion("Is there a dog?", expected), answer)
    assert found == verdict
    assert "Is there a dog?" in why


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("Four.", "confirmed"),
        ("More than four.", "confirmed"),
        ("There are 5 people.", "confirmed"),
        ("Four together at most, from 0:24 to 0:35, for 11 seconds.", "confirmed"),
        ("More than three people.", "confirmed"),
        ("Three.", "rejected"),
        ("One person.", "rejected"),
        ("None.", "rejected"),
        ("I have not seen any people.", "rejected"),
        ("I am not sure.", "unverified"),
        ("Yes, there are people.", "unverified"),
        ("Two people, then six.", "unverified"),
    ],
)
def test_more_than_three_is_verified_by_counting(answer, verdict):
    asked = question_of(Condition((Clause(("person",), at_least=4),)), TABLE)
    assert judge(asked, answer)[0] == verdict


@pytest.mark.parametrize(("answer", "verdict"), [("One.", "confirmed"), ("Two.", "rejected")])
def test_fewer_than_two_is_verified_by_counting(answer, verdict):
    asked = question_of(Condition(negative=(Clause(("person",), at_least=2),)), TABLE)
    assert judge(asked, answer)[0] == verdict
