"""What is asked of made-up streams follows from what was reported of them."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from model.vision.vocabulary import with_article, word_table
from training.dialogue.asker import Asker
from training.streams.told import changes_of, notes, told
from training.streams.world import Mix, World

TABLE = word_table()
LIKENESS = [[(n + 1) % len(TABLE)] for n in range(len(TABLE))]
WORLD = World(TABLE, LIKENESS)
LONG = Mix(longest=40, single=0.1, scenes=10)


def streams(count, mix=LONG):
    for seed in range(count):
        random = np.random.default_rng(seed)
        yield WORLD.stream(random, mix), random


def asked(count, mix=LONG):
    for stream, random in streams(count, mix):
        yield from ((stream, a) for a in Asker(WORLD, stream, random).ask(9))


def test_the_same_seed_gives_the_same_stream_and_questions():
    assert list(asked(5)) == list(asked(5))


def test_scenes_follow_each_other_without_a_hole_and_times_go_on():
    for stream, _ in streams(50):
        covered = [n for scene in stream.scenes for n in scene.clips]
        assert covered == list(range(len(stream.starts)))
        assert list(stream.starts) == sorted(set(stream.starts))
        assert all(start < end for start, end in zip(stream.starts, stream.ends, strict=True))
        assert len(stream.seen) == len(stream.starts)


def test_no_more_clips_than_asked_for():
    assert all(len(stream.starts) <= 40 for stream, _ in streams(50))


def test_yes_and_no_are_about_as_frequent():
    answers = [a.answer for _, a in asked(300) if a.kind in {"is there", "was there"}]
    yes = sum(answer.startswith("Yes") for answer in answers)
    assert 0.4 < yes / len(answers) < 0.65


def test_what_was_never_reported_has_not_been_seen():
    for stream, a in asked(200):
        if a.kind.startswith("never") or a.answer == "No, I have not seen one.":
            seen = {TABLE[t.word].name for report in stream.seen for t in report}
            assert not any(
                a.question.endswith((f" the {name}?", f"{with_article(name)}?")) for name in seen
            )


def test_a_named_time_is_that_of_the_first_clip_that_tells_of_the_thing():
    for stream, a in asked(200):
        if a.kind == "when":
            told_of = changes_of(stream)
            starts = {f"At {change.start} seconds." for change in told_of}
            starts |= {f"At {scene.start} seconds." for scene in stream.scenes}
            assert a.answer in starts


def test_the_notes_of_a_stream_answer_what_came_before_and_after():
    for stream, a in asked(300):
        if a.kind in {"before", "after"} and not a.answer.startswith("Nothing"):
            said = a.answer.lower().removesuffix(".").split(" and ")[0].split(" ", 1)[-1]
            assert any(f"{a.kind} " in note and said in note for note in notes(stream, TABLE))


def test_a_question_does_not_name_what_its_answer_names():
    for _, a in asked(300):
        if a.kind in {"first", "at time"}:
            words = {w.strip(".,").lower() for w in a.answer.split()} & set(TABLE.number)
            assert not words & {w.strip("?.,").lower() for w in a.question.split()}


@pytest.mark.parametrize("kind", ["name", "is there", "was there", "count", "direction", "colour", "where", "kind", "happening", "first", "after", "before", "at time", "when", "list", "how long", "changed", "count before"])  # fmt: skip
def test_every_kind_is_asked(kind):
    assert any(a.kind == kind for _, a in asked(150))


def test_what_most_clips_say_plainly_is_sure():
    for stream, _ in streams(30):
        for scene in told(stream):
            for thing in scene.sure:
                plain = [t for n in scene.scene.clips for t in stream.seen[n] if t.word == thing.word and t.sure >= 0.5]  # fmt: skip
                assert 3 * len(plain) >= len(scene.scene.clips)


def test_where_clips_end_with_their_scenes_they_begin_at_uneven_times_one_after_another():
    uneven = 0
    for seed in range(40):
        made = WORLD.stream(np.random.default_rng(seed), replace(LONG, cuts=True))
        pairs = list(zip(made.starts, made.ends, strict=True))
        assert all(start <= end for start, end in pairs)
        assert all(end < start for (_, end), (start, _) in pairwise(pairs))
        assert len(pairs) == sum(len(scene.clips) for scene in made.scenes)
        assert [scene.start for scene in made.scenes] == [
            round(made.starts[scene.clips[0]]) for scene in made.scenes
        ]
        steps = np.diff(made.starts)
        uneven += bool(len(steps) and steps.max() > 1.01 * steps.min())
    assert uneven > 20
