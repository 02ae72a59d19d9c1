"""Hours and days in a request become the schedule of its watch."""

from dataclasses import replace

import pytest

from model.vision.vocabulary import word_table
from stream.watches.records import Schedule
from stream.watches.words.clauses import understand
from stream.watches.words.hours import take_schedule
from stream.watches.words.lexicon import Lexicon

BERLIN = "Europe/Berlin"
SAID = {
    "when a dog or a cat shows up at night": Schedule("22:00", "06:00"),
    "only at night when a person is there": Schedule("22:00", "06:00"),
    "when nobody is there during the day": Schedule("06:00", "22:00"),
    "when anyone enters between 10pm and 6am": Schedule("22:00", "06:00"),
    "when anyone enters between 22:00 and 6:30": Schedule("22:00", "06:30"),
    "when a person is there between 9 and 5pm": Schedule("09:00", "17:00"),
    "when a person is there between 10 and 11 p.m.": Schedule("22:00", "23:00"),
    "when a person is there between 10 and 6 am": Schedule("22:00", "06:00"),
    "when a person is there after 22:00": Schedule("22:00", "06:00"),
    "when a person is there after 9 am": Schedule("09:00", "00:00"),
    "when a bird is there before noon": Schedule("00:00", "12:00"),
    "when a person is there from 9am to 5pm on weekdays": Schedule(
        "09:00", "17:00", (0, 1, 2, 3, 4)
    ),
    "when a person is there on weekends": Schedule(days=(5, 6)),
    "when a person is there on Monday and on Friday in the evening": Schedule(
        "18:00", "22:00", (0, 4)
    ),
}


@pytest.mark.parametrize(("request_", "hours"), SAID.items())
def test_hours_and_days_are_taken_out_of_a_request(request_, hours):
    rest, found = take_schedule(request_, BERLIN)
    assert found == replace(hours, timezone=BERLIN)
    assert not understand(rest, Lexicon(word_table())).unmatched


@pytest.mark.parametrize(
    "request_",
    [
        "when 2 people are there",
        "when nobody has been there for ten minutes",
        "when a car moves from left to right",
        "when a person is there after 25:00",
        "when a night light is on the table",
        "when a person is at the door",
    ],
)
def test_what_names_no_hours_is_left_as_it_is(request_):
    assert take_schedule(request_, "UTC") == (request_, None)


def test_a_schedule_is_said_in_words():
    assert (
        Schedule("22:00", "06:00", timezone=BERLIN).words == "from 22:00 to 06:00 (Europe/Berlin)"
    )
    assert Schedule(days=(6, 5)).words == "on Saturday and Sunday (UTC)"
    assert Schedule(days=(0,)).words == "on Monday (UTC)"
    assert Schedule().words == ""
