import pytest

from model.vision.sightings import FrameDetection, things_of
from model.vision.vocabulary import word_table
from model.vision.whereabouts import Whereabouts

TABLE = word_table()
DOG, PERSON, CAR, BEAR, POLAR, APPLE, ORANGE = (
    TABLE.number[name] for name in ("dog", "person", "car", "bear", "polar bear", "apple", "orange")
)
LEFT, MIDDLE, RIGHT = (0.1, 0.4, 0.3, 0.6), (0.4, 0.4, 0.6, 0.6), (0.7, 0.4, 0.9, 0.6)


def seen(*frames, about=None, kinds=None, where=None, seconds=2.0):
    return things_of(frames, about or {}, kinds or {}, where or {}, seconds, TABLE)


def test_what_both_networks_say_is_said_surer_than_by_one():
    [alone] = seen([FrameDetection(DOG, 0.45, MIDDLE)], [FrameDetection(DOG, 0.45, MIDDLE)])
    [both] = seen(
        [FrameDetection(DOG, 0.45, MIDDLE)], [FrameDetection(DOG, 0.45, MIDDLE)], about={DOG: 0.8}
    )
    assert 0.5 < alone.sure < both.sure
    assert (both.x, both.y) == pytest.approx((0.5, 0.5))


def test_a_faint_detection_is_said_with_a_perhaps_and_a_fainter_one_not_at_all():
    [faint] = seen([FrameDetection(DOG, 0.3, MIDDLE)], [FrameDetection(DOG, 0.3, MIDDLE)])
    assert faint.sure < 0.5
    assert seen([FrameDetection(DOG, 0.3, MIDDLE)], []) == []


def test_the_classifier_names_more_exactly_what_the_detector_found():
    [thing] = seen(
        [FrameDetection(BEAR, 0.8, MIDDLE)], [FrameDetection(BEAR, 0.8, MIDDLE)], about={POLAR: 0.9}
    )
    assert thing.word == POLAR
    assert thing.width == pytest.approx(0.2)


def test_one_thing_under_two_names_has_the_surer_one():
    frame = [FrameDetection(APPLE, 0.5, MIDDLE), FrameDetection(ORANGE, 0.9, MIDDLE)]
    assert [thing.word for thing in seen(frame, frame)] == [ORANGE]


def test_things_of_a_word_are_counted():
    frame = [
        FrameDetection(PERSON, 0.6, LEFT),
        FrameDetection(PERSON, 0.5, RIGHT),
        FrameDetection(PERSON, 0.26, MIDDLE),
    ]
    [people] = seen(frame, frame)
    assert people.count == 2


@pytest.mark.parametrize(
    ("first", "last", "movement"),
    [
        (LEFT, MIDDLE, 1),
        (MIDDLE, LEFT, 0),
        (MIDDLE, MIDDLE, None),
        ((0.4, 0.1, 0.6, 0.3), MIDDLE, 3),
    ],
)
def test_a_thing_moves_the_way_it_has_come(first, last, movement):
    [car] = seen([FrameDetection(CAR, 0.8, first)], [FrameDetection(CAR, 0.8, last)])
    assert car.movement == movement


def test_a_tremble_is_no_movement():
    near = (0.405, 0.4, 0.605, 0.6)
    [car] = seen([FrameDetection(CAR, 0.8, MIDDLE)], [FrameDetection(CAR, 0.8, near)])
    assert car.movement is None


def test_things_that_come_and_go_do_not_move():
    frames = [FrameDetection(PERSON, 0.8, LEFT)], [FrameDetection(PERSON, 0.8, RIGHT), FrameDetection(PERSON, 0.8, (0.7, 0, 0.9, 0.2)), FrameDetection(PERSON, 0.8, (0.4, 0.8, 0.6, 1.0))]  # fmt: skip
    assert all(thing.movement is None for thing in seen(*frames))


def test_the_kind_goes_with_the_word_that_it_belongs_to():
    [dog] = seen([], [], about={DOG: 0.9}, kinds={DOG: 207})
    assert (dog.word, dog.kind, dog.sure) == (DOG, 207, pytest.approx(0.9))


SPOT = Whereabouts(0.3, 0.2, 0.4, 0.3, movement=1)


def test_what_the_classifier_alone_sees_is_where_it_sees_it_and_moves_as_it_does():
    [dog] = seen([], [], about={DOG: 0.9}, where={DOG: SPOT})
    assert (dog.x, dog.y, dog.width, dog.height, dog.movement) == (0.3, 0.2, 0.4, 0.3, 1)


def test_where_a_thing_is_and_goes_the_detector_knows_better():
    [dog] = seen([FrameDetection(DOG, 0.8, MIDDLE)], [FrameDetection(DOG, 0.8, MIDDLE)], about={DOG: 0.9}, where={DOG: SPOT})  # fmt: skip
    assert (dog.x, dog.movement) == (pytest.approx(0.5), None)


def test_a_small_thing_that_the_classifier_half_knows_is_not_the_main_one():
    car = [FrameDetection(CAR, 0.6, (0.1, 0.1, 0.3, 0.5))]
    small = {DOG: Whereabouts(0.6, 0.2, 0.4, 0.25, movement=None)}
    assert [t.word for t in seen(car, car, about={DOG: 0.54}, where=small)] == [CAR, DOG]
    assert [t.word for t in seen(car, car, about={DOG: 0.8}, where=small)] == [DOG, CAR]


def test_two_names_that_the_classifier_alone_gives_are_of_one_thing():
    where = {APPLE: SPOT, ORANGE: Whereabouts(0.6, 0.6, 0.2, 0.2, movement=None)}
    [thing] = seen([], [], about={APPLE: 0.55, ORANGE: 0.35}, where=where)
    assert thing.word == APPLE


@pytest.mark.parametrize(("first", "then"), [(1, 2), (2, 3), (3, 2), (3, 4)])
def test_of_two_frames_that_differ_the_one_that_shows_more_is_right(first, then):
    boxes = [(at / 5, 0.4, at / 5 + 0.1, 0.6) for at in range(4)]
    one, other = ([FrameDetection(DOG, 0.8, box) for box in boxes[:n]] for n in (first, then))
    [dogs] = seen(one, other)
    assert dogs.count == max(first, then)
