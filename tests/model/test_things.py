import torch
from hypothesis import given
from hypothesis import strategies as st

from model.vision.things import Thing, caption, pack, place_of, unpack
from model.vision.vocabulary import COLOURS, word_table

TABLE = word_table()
DOG, PERSON, CAR = (TABLE.number[name] for name in ("dog", "person", "car"))
some = st.builds(
    Thing,
    word=st.integers(0, len(TABLE) - 1),
    sure=st.sampled_from([0.25, 0.5, 1.0]),
    kind=st.none() | st.integers(0, 999),
    count=st.integers(1, 5),
    colour=st.none() | st.integers(0, len(COLOURS) - 1),
    movement=st.none() | st.integers(0, 3),
    x=st.sampled_from([0.0, 0.25, 0.5, 1.0]),
    y=st.sampled_from([0.0, 0.25, 0.5, 1.0]),
)


class Spelling:
    """Every word, comma and bracket is a token."""

    def __init__(self):
        self._parts = []

    def __call__(self, text):
        parts = text.replace("(", "( ").replace(")", " )").replace(",", " ,").split()
        self._parts += [part for part in parts if part not in self._parts]
        return [self._parts.index(part) for part in parts]

    def text(self, tokens):
        return " ".join(self._parts[token] for token in tokens)


def read(things, room=18):
    spelling = Spelling()
    return spelling.text(caption(things, TABLE, spelling, room))


@given(st.lists(some, max_size=8))
def test_things_come_back_from_half_precision_as_they_went_in(things):
    assert unpack(pack(things, 8).half().float()) == things


def test_what_does_not_fit_is_left_out_from_the_end():
    assert unpack(pack([Thing(DOG), Thing(CAR)], 1)) == [Thing(DOG)]


def test_a_caption_says_number_colour_name_kind_place_and_movement():
    dog = Thing(DOG, kind=207, colour=COLOURS.index("white"), movement=0, x=0.1, y=0.1)
    assert read([dog]) == "white dog ( golden retriever ) at top left moving left"
    assert read([Thing(PERSON, count=2), Thing(CAR)]) == "two people , car at middle"
    assert read([Thing(PERSON, count=5)]) == "many people"


def test_what_is_not_sure_is_said_with_a_perhaps():
    assert read([Thing(CAR, sure=0.3, colour=0)]) == "perhaps car"


def test_names_come_before_details_when_room_is_scarce():
    things = [Thing(DOG, movement=1, colour=0), Thing(CAR), Thing(PERSON)]
    assert read(things, room=5) == "dog , car , person"
    assert read(things, room=6) == "red dog , car , person"


@given(st.lists(some, max_size=8), st.integers(0, 20))
def test_a_caption_never_takes_more_than_its_room(things, room):
    assert len(caption(things, TABLE, Spelling(), room)) <= room


def test_places_are_thirds_of_the_picture():
    assert place_of(Thing(DOG, x=0.5, y=0.5)) == "middle"
    assert place_of(Thing(DOG, x=0.9, y=0.5)) == "right"
    assert place_of(Thing(DOG, x=0.1, y=0.95)) == "bottom left"
    assert place_of(Thing(DOG, x=1.0, y=1.0)) == "bottom right"


def test_a_row_without_a_thing_is_no_thing():
    assert unpack(torch.full((3, 12), -1.0)) == []
