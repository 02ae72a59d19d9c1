"""What happened, in order: scenes, and when each thing was there."""

from hypothesis import given
from hypothesis import strategies as st

from model.vision.things import Thing
from model.vision.vocabulary import COLOURS, word_table
from stream.moments.scenes import describe_things, scenes
from stream.past.presence import Shown, seen

TABLE = word_table()
CAR, DOG, PERSON = (TABLE.number[name] for name in ("car", "dog", "person"))
RED = COLOURS.index("red")


def clips(*shown, every=4.0):
    """Clips whose things have these words; `(word, changes)` changes a thing."""
    return [
        Shown(every * n, every * n + 3, tuple(Thing(w) if isinstance(w, int) else w for w in words))
        for n, words in enumerate(shown)
    ]


def told(found):
    return [(s.start, s.end, describe_things(s.things, TABLE)) for s in found]


def test_neighbouring_clips_with_the_same_main_things_are_one_scene():
    found = scenes(clips(*[[CAR]] * 3, *[[CAR, PERSON]] * 2, *[[]] * 3), 10)
    assert told(found) == [
        (0, 11, "a car"),
        (12, 19, "a car and a person"),
        (20, 31, "nothing that I have a word for"),
    ]
    assert [(s.came, s.left) for s in found] == [
        ((), ()),
        ((PERSON,), ()),
        ((), (CAR, PERSON)),
    ]


def test_a_blink_and_a_slip_of_the_eye_make_no_scene():
    slip = [CAR, Thing(DOG, 0.6)]
    assert told(scenes(clips([CAR], [], [], [CAR], slip, [CAR]), 10)) == [(0, 23, "a car")]
    sure = scenes(clips([CAR], [CAR], [CAR, Thing(DOG, 0.9)], [CAR], [CAR]), 10)
    assert [s.came for s in sure] == [(), (DOG,), ()]


def test_counts_and_colours_are_those_that_most_clips_say():
    red = [Thing(CAR, count=2, colour=RED)]
    assert told(scenes(clips(red, red, [Thing(CAR, count=3)]), 10)) == [(0, 11, "two red cars")]


def test_nothing_goes_on_over_a_pause():
    assert len(scenes(clips([CAR], [CAR], every=100.0), 10)) == 2


def test_where_there_are_too_many_scenes_the_short_and_the_alike_are_joined():
    long_ago = [*[[CAR]] * 20, [CAR, DOG], [CAR, DOG], *[[CAR]] * 20, *[[PERSON]] * 20]
    found = scenes(clips(*long_ago), 2)
    assert told(found) == [(0, 167, "a car"), (168, 247, "a person")]


def test_the_picture_of_a_scene_shows_what_it_tells():
    half = Thing(PERSON, 0.6)
    found = scenes(clips([CAR, half], [CAR, PERSON], [CAR, half]), 1)
    assert found[0].best.start == 4


def test_of_each_thing_is_said_how_long_and_how_often_it_was_there():
    found = seen(clips([CAR, Thing(DOG, count=2)], [CAR, DOG], [CAR], [CAR], [CAR], [CAR, DOG], [CAR]))  # fmt: skip
    car, dog = found
    assert (car.word, car.first, car.last, car.seconds, car.times, car.most) == (
        CAR,
        0,
        27,
        27,
        1,
        1,
    )
    assert (dog.first, dog.last, dog.seconds, dog.times, dog.most) == (0, 23, 10, 2, 2)
    assert seen([]) == []
    assert scenes([], 5) == []


@given(
    st.lists(st.lists(st.sampled_from([CAR, DOG, PERSON]), max_size=3, unique=True), max_size=40),
    st.integers(1, 8),
)
def test_scenes_cover_every_clip_once_and_are_no_more_than_wanted(shown, most):
    all_clips = clips(*shown)
    found = scenes(all_clips, most)
    assert len(found) <= most
    assert sum(scene.clips for scene in found) == len(all_clips)
    assert [s.start for s in found] == sorted(s.start for s in found)
    assert found == scenes(all_clips, most)


def test_of_many_short_scenes_no_part_is_lumped_together():
    names = ("car", "dog", "person", "cat", "bottle", "chair", "clock", "boat", "bear", "horse")
    words = [TABLE.number[name] for name in names]
    found = scenes(clips(*[[word] for word in words for _ in range(3)]), 5)
    assert [s.clips for s in found] == [6] * 5
    assert [[thing.word for thing in s.things] for s in found] == [
        words[n : n + 2] for n in range(0, 10, 2)
    ]
