import pytest

from model.types import Evidence
from model.vision.things import Thing
from model.vision.vocabulary import word_table
from training.exams.resting import clips_about, rests_on
from training.questions import Asked
from training.streams.world import WorldScene, WorldStream

TABLE = word_table()
NUMBER = {word.name: number for number, word in enumerate(TABLE.words)}


@pytest.fixture
def stream():
    """Two clips of a dog, two of a cat, two of a bottle, two of nothing."""
    shown = [("dog", range(2)), ("cat", range(2, 4)), ("bottle", range(4, 6))]
    scenes = tuple(WorldScene((Thing(NUMBER[n]),), clips, 4 * clips[0]) for n, clips in shown)
    seen = (*(scene.things for scene in scenes for _ in scene.clips), (), ())
    starts = tuple(4.0 * n for n in range(8))
    return WorldStream(scenes, seen, starts, tuple(start + 3 for start in starts), finished=False)


def asked(question, answer):
    return Asked("any", question, answer, ())


@pytest.mark.parametrize(
    ("question", "answer", "clips"),
    [
        ("What came after the dog?", "A cat.", {2, 3}),  # the answer names it
        ("When was the bottle shown?", "At 16 seconds.", {4, 5}),  # the question does
        ("Were there dogs?", "Yes, at 0 seconds.", {0, 1}),
        ("Was there an apple?", "No, I have not seen one.", None),
        ("What has happened?", "A dog, then a cat, then a bottle.", None),  # most of the stream
    ],
)
def test_an_answer_is_about_the_clips_that_show_what_it_names(stream, question, answer, clips):
    assert clips_about(asked(question, answer), stream, TABLE) == clips


def test_an_answer_rests_on_the_clip_with_most_of_the_evidence(stream):
    weights = [0.1, 0.1, 0.1, 0.4, 0.1, 0.1, 0.05, 0.05]
    evidence = [Evidence(4.0 * n, 4.0 * n + 3, w) for n, w in enumerate(weights)]
    assert rests_on(evidence, frozenset({2, 3}), stream) is True
    assert rests_on(evidence, frozenset({0}), stream) is False
    assert rests_on([], frozenset({0}), stream) is None
