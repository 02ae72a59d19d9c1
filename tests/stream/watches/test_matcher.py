"""Clips held against clauses."""

from model.vision.things import Thing
from model.vision.vocabulary import COLOURS, word_table
from stream.watches.condition import Clause, Condition
from stream.watches.matcher import compile_condition

TABLE = word_table()
DOG, CAT, PERSON = (TABLE.number[name] for name in ("dog", "cat", "person"))


def sureness(clause, *things):
    return compile_condition(Condition(positive=(clause,)), TABLE)(things).positive[0]


def test_the_surest_of_the_named_things_counts():
    clause = Clause(("dog", "cat"))
    assert sureness(clause, Thing(DOG, 0.4), Thing(CAT, 0.7), Thing(PERSON, 0.9)) == 0.7
    assert sureness(clause, Thing(PERSON, 0.9)) == 0


def test_a_broader_word_counts_every_thing_it_covers():
    assert sureness(Clause(("animal",)), Thing(PERSON), Thing(DOG, 0.6)) == 0.6


def test_counts_add_up_and_are_as_sure_as_the_least_of_what_is_needed():
    clause = Clause(("animal",), at_least=3)
    assert sureness(clause, Thing(DOG, 0.9, count=2)) == 0
    assert sureness(clause, Thing(DOG, 0.9, count=2), Thing(CAT, 0.5)) == 0.5
    assert sureness(clause, Thing(DOG, 0.9, count=3), Thing(CAT, 0.5)) == 0.9


def test_colour_movement_and_place_must_fit():
    red = COLOURS.index("red")
    thing = Thing(DOG, colour=red, movement=0, x=0.1, y=0.1)
    assert sureness(Clause(("dog",), colour="red"), thing) == 1
    assert sureness(Clause(("dog",), colour="blue"), thing) == 0
    assert sureness(Clause(("dog",), movement="left"), thing) == 1
    assert sureness(Clause(("dog",), movement="up"), thing) == 0
    assert sureness(Clause(("dog",), place="left"), thing) == 1
    assert sureness(Clause(("dog",), place="top left"), thing) == 1
    assert sureness(Clause(("dog",), place="middle"), thing) == 0


def test_the_score_is_that_of_the_least_sure_clause():
    condition = Condition(positive=(Clause(("dog",)),), negative=(Clause(("person",)),))
    seen = compile_condition(condition, TABLE)([Thing(DOG, 0.9), Thing(PERSON, 0.25)])
    assert seen.positive == (0.9,)
    assert seen.negative == (0.25,)
    assert seen.score == 0.75
