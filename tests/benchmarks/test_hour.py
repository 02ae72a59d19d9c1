"""An hour of a stream: what is shown when, and which answers are right."""

from benchmarks.harness.hour import HourAnswer
from benchmarks.harness.programme import ONCE, SHOWN_SECONDS, Programme
from benchmarks.hour import right_of

PROGRAMME = Programme(3600.0)


def test_every_event_is_shown_once_and_nothing_else_shows_it():
    seconds = [PROGRAMME.sample_second(second) for second in range(3600)]
    for event in PROGRAMME.events:
        shown = [n for n, at in enumerate(seconds) if event.part.start <= at < event.part.end]
        assert shown == list(range(round(event.start), round(event.start + SHOWN_SECONDS)))


def test_what_was_shown_is_asked_about_and_what_was_not_yet():
    queries = list(PROGRAMME.queries(900.0))
    assert [q.event.thing for q in queries if q.kind == "ever"] == ["cat", "rocket", "elephant"]
    assert {q.event.thing for q in queries if q.kind == "never"} <= {*ONCE[3:]}
    assert "Was there an elephant?" in [q.text for q in queries]


def test_answers_are_judged_by_what_was_shown_and_when():
    what, when, ever = list(PROGRAMME.queries(900.0))[:3]
    assert what.is_right("A cat.")
    assert not what.is_right("A rocket.")
    assert when.is_right("At 110 seconds.")
    assert when.is_right("At 1:50.")
    assert not when.is_right("At 400 seconds.")
    assert ever.is_right("Yes, at 110 seconds.")
    assert not ever.is_right("No, I have not seen one.")


def test_right_answers_are_counted_by_kind():
    told = [HourAnswer("what", 1.0, "?", "!", right, 1.0, 1) for right in (True, False)]
    assert (right_of(told, "what"), right_of(told, "when")) == ("1 of 2", None)
