"""Words of time in questions: what is taken for a range, for which, and what is left alone."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.types import Question, Turn
from tests.web.time_phrases import FILM, NOT_ABOUT_TIME, STREAM
from web.time_words.apply import apply
from web.time_words.extent import Reference
from web.time_words.spoken import SpokenClocks
from web.time_words.understand import understand

BERLIN = ZoneInfo("Europe/Berlin")
BEGAN = datetime(2026, 11, 25, 8, 0, tzinfo=BERLIN).timestamp()
NOW = datetime(2026, 11, 27, 15, 30, tzinfo=BERLIN).timestamp()
OF_A_FILM = Reference(now=600.0)
OF_A_STREAM = Reference(NOW - BEGAN, BEGAN, BERLIN)


@pytest.mark.parametrize("text", FILM)
def test_words_of_time_about_a_film_are_places_in_it(text):
    understood = understand(text, OF_A_FILM)
    found = understood and (understood.since, understood.until, understood.rest)
    assert found == FILM[text]


def on_the_wall(media):
    return None if media is None else OF_A_STREAM.clock(media).strftime("%a %H:%M:%S")


@pytest.mark.parametrize("text", STREAM)
def test_words_of_time_about_a_stream_go_by_the_clock_of_whoever_asks(text):
    understood = understand(text, OF_A_STREAM)
    found = understood and (
        on_the_wall(understood.since),
        on_the_wall(understood.until),
        understood.rest,
    )
    assert found == STREAM[text]


@pytest.mark.parametrize("text", NOT_ABOUT_TIME)
@pytest.mark.parametrize("reference", [OF_A_FILM, OF_A_STREAM])
def test_what_is_not_about_time_is_left_alone(text, reference):
    assert understand(text, reference) is None


@pytest.mark.parametrize("text", [t for t in STREAM if "day" in t or "morning" in t])
def test_days_mean_nothing_in_a_film(text):
    understood = understand(text, OF_A_FILM)
    assert understood is None or "day" not in understood.words


def test_what_lies_wholly_before_the_beginning_is_not_moved_to_it():
    understood = understand("Who came on Monday?", OF_A_STREAM)
    assert understood.until < 0
    understood = understand("Who came since Monday?", OF_A_STREAM)
    assert (understood.since, understood.until) == (0, None)


def test_a_time_is_the_streams_own_where_no_clock_showed_it_since_it_began():
    young = Reference(now=300.0, began=NOW - 300.0, zone=BERLIN)
    assert understand("What was there at 1:27?", young).since == 87
    assert understand("What was there at 4:27?", young).since == 267
    by_the_clock = understand("What was there at 3:27?", young)
    assert (by_the_clock.since, by_the_clock.until) == (120, 180)


def test_the_last_minute_of_a_stream_that_ended_is_the_last_that_it_showed():
    ended = Reference(NOW - BEGAN, BEGAN, BERLIN, end=1000.0)
    understood = understand("What happened in the last minute?", ended)
    assert (understood.since, understood.until) == (940, None)
    assert understand("Who was there a minute ago?", ended).since > 1000


def test_a_clock_that_is_put_back_is_followed():
    began = datetime(2026, 10, 24, 12, 0, tzinfo=BERLIN).timestamp()
    now = datetime(2026, 10, 25, 12, 0, tzinfo=BERLIN).timestamp()
    understood = understand(
        "Who came since yesterday at 5 pm?", Reference(now - began, began, BERLIN)
    )
    assert understood.since == 5 * 3600
    understood = understand("Who came since 9 am?", Reference(now - began, began, BERLIN))
    assert understood.since == 22 * 3600  # of a day that had 25 hours


def test_the_zone_is_that_of_whoever_asks():
    tokyo = Reference(NOW - BEGAN, BEGAN, ZoneInfo("Asia/Tokyo"))
    here = understand("Who came since 9 am?", OF_A_STREAM).since
    assert here - understand("Who came since 9 am?", tokyo).since == 8 * 3600


def test_the_question_is_put_without_its_words_of_time_behind_what_was_told():
    told = Question("Answer in one word.\nWhat was shown at 10 seconds?", duration=600.0)
    question, understood = apply(told, OF_A_FILM)
    assert question == Question(
        "Answer in one word.\nWhat was shown?", since=10, until=10, duration=600.0
    )
    assert understood.words == "at 10 seconds"
    same = Question("At 10 seconds I will ask.\nWhat do you see?")
    assert apply(same, OF_A_FILM) == (same, None)


def test_a_range_that_was_given_counts_and_not_words():
    for given_range in ({"since": 3.0}, {"until": 5.0}):
        question = Question("What was shown at 10 seconds?", **given_range)
        assert apply(question, OF_A_FILM) == (question, None)


@pytest.mark.parametrize(
    ("before", "put"),
    [
        ((), "What was shown?"),
        (("What colour is the car?",), "What colour is the car?"),
        (("What colour is the car at 5 seconds?",), "What colour is the car?"),
        (("What colour is the car?", "And at 5 seconds?"), "What colour is the car?"),
    ],
)
def test_words_of_time_alone_ask_what_was_asked_before(before, put):
    turns = [Turn("user", line) for line in before]
    said = tuple(t for turn in turns for t in (turn, Turn("assistant", "Red at 3 seconds.")))
    question, understood = apply(Question("And at 20 seconds?", conversation=said), OF_A_FILM)
    assert (question.text, question.since) == (put, 20)
    assert understood.rest == put


WORDS = st.sampled_from(
    [
        "at",
        "in",
        "on",
        "the",
        "last",
        "first",
        "second",
        "seconds",
        "minute",
        "hours",
        "day",
        "a",
        "an",
        "and",
        "half",
        "quarter",
        "to",
        "from",
        "past",
        "10",
        "5",
        "10:05",
        "31",
        "february",
        "may",
        "monday",
        "yesterday",
        "ago",
        "before",
        "after",
        "since",
        "until",
        "noon",
        "pm",
        "am",
        "few",
        "days",
        "weeks",
        "-",
        "9999999999999999",
        "2026-02-31",
        "25:99",
        "middle",
        "end",
        "of",
        "film",
        "this",
        "night",
        "mark",
        ",",
        "?",
        "İ",
    ]
)


@given(st.lists(WORDS, max_size=9).map(" ".join), st.sampled_from([OF_A_FILM, OF_A_STREAM]))
def test_whatever_is_asked_is_read_or_left_alone(text, reference):
    understood = understand(text, reference)
    if understood is not None and reference.began is not None:
        for media in (understood.since, understood.until):
            assert media is None or reference.clock(media)
    if understood is not None and None not in (understood.since, understood.until):
        assert understood.since <= understood.until


SAID = {
    "At 10 seconds.": "At 08:00:10 on 25 November.",
    "Yes, at 199500 seconds": "Yes, at 15:25:00",
    "At 199500 seconds and at 10 seconds.": "At 15:25:00 and at 08:00:10 on 25 November.",
    "A cat at the door. At 2 dogs, at 3 secondary roads": None,
    "For 10 seconds.": None,
    "That": None,
    "A dog, at": None,
    "at 10 second": "at 08:00:10 on 25 November",
    "From 199500 to 199560 seconds.": "From 15:25:00 to 15:26:00.",
    "Since 199500 seconds.": "Since 15:25:00.",
    "From 55:25:00 to 55:26:00: a cat": "From 15:25:00 to 15:26:00: a cat",
    "From 0:10 to 0:12: a cat. From": "From 08:00:10 on 25 November to 08:00:12 on 25 November: a cat. From",
    "For 9 seconds, from 55:25:00 to 55:25:09.": "For 9 seconds, from 15:25:00 to 15:25:09.",
    "For 9 seconds so far, since 55:25:00.": "For 9 seconds so far, since 15:25:00.",
    "At 55:25:00 and at 55:26:00; now": "At 15:25:00 and at 15:26:00; now",
    "Not now. Last seen at 0:10.": "Not now. Last seen at 08:00:10 on 25 November.",
    "From 2 to 3 dogs, since two dogs came from 1": None,
}


@pytest.mark.parametrize("text", SAID)
@pytest.mark.parametrize("size", [1, 3, 100])
def test_an_answer_says_times_by_the_clock_however_its_words_come(text, size):
    spoken = SpokenClocks(OF_A_STREAM)
    pieces = [spoken.feed(text[at : at + size]) for at in range(0, len(text), size)]
    assert "".join([*pieces, spoken.end()]) == (SAID[text] or text)


@pytest.mark.parametrize(
    ("said", "told_as"),
    [
        ("At 3911 seconds.", "At 1:05:11."),
        ("Yes, at 125 seconds and at 9 seconds.", "Yes, at 2:05 and at 9 seconds."),
        ("From 55 to 65 seconds.", "From 0:55 to 1:05."),
        ("From 8 to 16 seconds.", "From 8 to 16 seconds."),
        ("Since 7200 seconds.", "Since 2:00:00."),
        ("For 125 seconds, since 2:05.", "For 125 seconds, since 2:05."),
        ("At 75", "At 75"),
    ],
)
@pytest.mark.parametrize("size", [1, 4, 100])
def test_times_of_a_minute_and_more_are_those_that_people_say(said, told_as, size):
    times = SpokenClocks(None)
    pieces = [times.feed(said[at : at + size]) for at in range(0, len(said), size)]
    assert "".join([*pieces, times.end()]) == told_as


def test_words_that_begin_no_time_are_not_held_back():
    assert SpokenClocks(OF_A_STREAM).feed("Two dogs and a cat ") == "Two dogs and a cat "


def test_a_long_question_is_read_and_a_heap_of_numbers_is_not():
    story = "The dog ran and the cat slept, and then somebody came along. " * 12
    assert understand(f"{story} Who came at 10 seconds?", OF_A_STREAM).since == 10
    assert understand("at 3 , " * 140, OF_A_STREAM) is None


def test_what_was_asked_before_is_looked_for_in_the_last_lines_alone():
    def put(lines_between):
        lines = ("Where is the dog?", *["At 10 seconds?"] * lines_between)
        conversation = tuple(Turn("user", line) for line in lines)
        return apply(Question("And at 20 seconds?", conversation=conversation), OF_A_FILM)[0].text

    assert put(3) == "Where is the dog?"
    assert put(4) == "What was shown?"
