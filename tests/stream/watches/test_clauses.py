"""What is made of a request, in the words of the vocabulary."""

import pytest

from model.vision.vocabulary import word_table
from stream.errors import BadInput
from stream.watches.condition import Clause, Condition, check, describe
from stream.watches.words.clauses import LONGEST_REQUEST, understand
from stream.watches.words.lexicon import Lexicon

TABLE = word_table()
LEXICON = Lexicon(TABLE)

SAID = {
    "Tell me when a person is there": "a person",
    "Let me know when a red car appears": "a red car",
    "please notify me as soon as a dog or a cat comes in": "a dog or a cat",
    "when there are more than three people": "at least four people",
    "when there are at least 2 dogs and no person": "at least two dogs and no people",
    "when fewer than two people are there": "fewer than two people, for 1 minute",
    "when there are no more than two people": "fewer than three people, for 1 minute",
    "when exactly two people are there": "at least two people and fewer than three people",
    "when there is a crowd of people": "more than four people",
    "when nobody is there": "no people, for 1 minute",
    "if there is no one in the picture for 10 minutes": "no people, for 10 minutes",
    "when no cat is there for 2 min": "no cats, for 2 minutes",
    "Tell me when there's a dog without a person": "a dog and no people",
    "when the dog has been gone for five minutes": "no dogs after that was seen, for 5 minutes",
    "when my dog hasn't been seen for half an hour": "no dogs after that was seen, for 30 minutes",
    "when the car's gone": "no cars after that was seen, for 1 minute",
    "when everybody has left": "no people after that was seen, for 1 minute",
    "when a truck is on the left": "a truck at the left",
    "when a vehicle is in the top left corner": "a vehicle at the top left",
    "when a car moves to the right": "a car moving right",
    "when a person is there for more than 30 seconds": "a person, for 30 seconds",
    "a dog appears and the cat is gone": "a dog and no cats after that was seen",
    "when an orange is visible": "an orange",
    "when an orange cat is visible": "an orange cat",
    "when kittens are there": "a cat",
    "when the red car is back": "a red car",
    "when the cat comes back home": "a cat",
    "when the dog returns": "a dog",
    "when the car is no longer parked": "no cars after that was seen, for 1 minute",
    "when the cat is not any more here": "no cats after that was seen, for 1 minute",
}  # fmt: skip


@pytest.mark.parametrize(("request_", "expected"), SAID.items())
def test_a_request_becomes_clauses_that_a_person_can_read(request_, expected):
    found = understand(request_, LEXICON)
    assert describe(found.condition, TABLE) == expected
    assert not found.unmatched


@pytest.mark.parametrize(
    ("request_", "expected", "unmatched"),
    [
        ("when a person is at the door", "a person", ("at the door",)),
        ("when the cat is on the table", "a cat", ("on the table",)),
        ("when a person falls", "a person", ("falls",)),
        ("when a person in red comes", "a person", ("in red",)),
        ("when a red person comes", "a person", ("red",)),
        ("when a black and white cat is there", "a cat", ("black and white",)),
        ("when a fire truck comes", "a truck", ("fire",)),
        ("when a dog is there and the light goes on", "a dog", ("light goes on",)),
        ("when a dog barks", "a dog", ("barks",)),
        ("when the traffic light is red", "a traffic light", ("red",)),
    ],
)
def test_what_cannot_be_matched_is_listed_not_guessed(request_, expected, unmatched):
    found = understand(request_, LEXICON)
    assert describe(found.condition, TABLE) == expected
    assert found.unmatched == unmatched


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ("when the flurble arrives", '"flurble" is not in the model\'s vocabulary'),
        ("when the flurble meets the grobnik", '"flurble", "meets", "grobnik" are not in'),
        ("when an elefant comes", "elephant"),
        ("when there are ten people", 'only "more than four"'),
        ("when a red car or a blue truck is there", "make a watch of each"),
        ("when it is there", "name a thing"),
        ("when something moves", "name what moves"),
        ("if anything happens", "name what moves"),
        ("when it gets dark", "Light, dark and"),
        ("when the light goes on", "Light, dark and"),
        ("when lights go off", "Light, dark and"),
        ("when the camera goes black", "state of the camera"),
        ("when the baby cries", "Nothing is heard"),
        ("when a white or black car arrives", "make a watch of each"),
        ("", "what you want to be told of"),
        ("x" * (LONGEST_REQUEST + 1), "what you want to be told of"),
    ],
)
def test_what_is_not_understood_is_refused_with_a_reason(request_, said):
    with pytest.raises(BadInput, match=said):
        understand(request_, LEXICON)


@pytest.mark.parametrize(
    "condition",
    [
        Condition(),
        Condition(positive=(Clause(("flurble",)),)),
        Condition(positive=(Clause(()),)),
        Condition(positive=(Clause(("dog",), at_least=6),)),
        Condition(positive=(Clause(("dog",), colour="beige"),)),
        Condition(positive=(Clause(("dog",), movement="sideways"),)),
        Condition(positive=(Clause(("dog",), place="door"),)),
        Condition(positive=(Clause(("dog",)),), after_seen=True),
        Condition(positive=(Clause(("dog",)),), hold_s=-1),
    ],
)
def test_a_condition_that_cannot_be_watched_for_is_refused(condition):
    with pytest.raises(BadInput):
        check(condition, TABLE)


def test_of_many_unknown_words_a_few_are_looked_up_and_quoted():
    class Counting(Lexicon):
        asked = 0

        def close(self, name):
            self.asked += 1
            return super().close(name)

    lexicon = Counting(TABLE)
    odd = [f"flurble{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
    with pytest.raises(BadInput) as error:
        understand(f"flurblea {' '.join(odd)}", lexicon)
    assert lexicon.asked == 4
    assert '"flurblea", "flurbleb", "flurblec", "flurbled" are not' in str(error.value)
