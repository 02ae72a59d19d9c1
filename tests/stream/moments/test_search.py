"""Moments found by words."""

import pytest

from model.vision.things import Thing
from model.vision.vocabulary import COLOURS, word_table
from stream.errors import BadInput
from stream.moments.search import find, read_search
from stream.past.presence import Shown
from stream.past.thing_index import Remembered
from stream.watches.words.lexicon import Lexicon

TABLE = word_table()
LEXICON = Lexicon(TABLE)
CAR, DOG, CAT = (TABLE.number[name] for name in ("car", "dog", "cat"))
RED, BLUE = COLOURS.index("red"), COLOURS.index("blue")


def stream(*clips, name="cam", began=0.0, every=4.0):
    """A stream whose clips show the things of each of `clips`."""
    shown = [Shown(every * n, every * n + 3, tuple(things)) for n, things in enumerate(clips)]
    return Remembered(name, began, tuple(shown))


def search(text, *streams):
    return find(read_search(text, LEXICON), streams, TABLE)


def test_a_thing_of_a_colour_is_found_by_both_words():
    red, blue = [Thing(CAR, 0.9, colour=RED)], [Thing(CAR, 1.0, colour=BLUE)]
    [found] = search("red car", stream(blue, [], [], [], red))
    assert (found.start, found.end, found.score, found.best.start) == (16, 19, 0.9, 16)
    assert len(search("a car", stream(blue, [], [], [], red))) == 2


@pytest.mark.parametrize(
    ("text", "things"),
    [
        ("an animal", [Thing(DOG)]),
        ("puppies", [Thing(DOG)]),
        ("two dogs", [Thing(DOG, count=2)]),
        ("dog on the left", [Thing(DOG, x=0.1)]),
        ("dog moving left", [Thing(DOG, movement=0)]),
        ("a dog and a cat", [Thing(DOG), Thing(CAT)]),
        ("a dog or a cat", [Thing(CAT)]),
    ],
)
def test_other_words_counts_places_and_directions_are_understood(text, things):
    assert [f.start for f in search(text, stream([Thing(CAR)], [], [], [], things))] == [16]


def test_neighbouring_clips_are_one_moment_over_a_blink_but_not_over_a_pause():
    car, none = [Thing(CAR)], []
    [found] = search("car", stream(car, none, none, car, car))
    assert (found.start, found.end, found.clips) == (0, 19, 3)
    assert len(search("car", stream(car, none, none, none, car))) == 2
    assert len(search("car", stream(car, car, every=60.0))) == 2


def test_the_surest_comes_first_then_what_several_clips_say_then_the_newest():
    half = stream(*[[Thing(CAR, 0.4)]] * 9, name="half", began=900)
    slip = stream([Thing(CAR)], name="slip", began=500)
    older = stream(*[[Thing(CAR)]] * 4, name="older", began=10)
    newer = stream(*[[Thing(CAR)]] * 4, name="newer", began=20)
    found = search("car", half, slip, older, newer)
    assert [f.stream for f in found] == ["newer", "older", "slip", "half"]


def test_a_kind_is_found_where_the_clip_names_it_and_less_surely_where_it_names_none():
    golden = next(k for k, name in TABLE[DOG].kinds.items() if name == "golden retriever")
    poodle = next(k for k, name in TABLE[DOG].kinds.items() if "poodle" in name)
    clips = [[Thing(DOG, kind=kind)] for kind in (poodle, None, golden)]
    spread = [clip for each in clips for clip in (each, [], [], [])]
    found = search("golden retrievers", stream(*spread))
    assert [(f.start, f.score) for f in found] == [(32, 1.0), (16, 0.5)]


def test_what_is_not_there_can_be_looked_for():
    [found] = search("no people", stream([Thing(TABLE.number["person"])], [], []))
    assert (found.start, found.clips) == (4, 2)


def test_what_no_clip_can_be_matched_on_is_said():
    assert read_search("a car at the gate", LEXICON).unmatched == ("at the gate",)
    assert "How long" in read_search("a car for 5 minutes", LEXICON).notes[0]
    with pytest.raises(BadInput, match=r"can be looked for: .* vocabulary"):
        read_search("flurble", LEXICON)
