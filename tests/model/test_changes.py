"""What is new in a clip: told before it, from the clips up to there alone."""

import random
from dataclasses import replace

import pytest
import torch

from model.errors import HistoryFull
from model.language.clip_markers import NOTE_POSITIONS, SPARE_POSITIONS, ClipMarkers, Noted
from model.language.prompt import LITE, Prompt
from model.language.tokenizer import ByteTokenizer
from model.types import ClipTokens, Question
from model.video_chat import VideoChat
from model.vision.changes import SceneSoFar, follow, in_words
from model.vision.things import Thing
from model.vision.vocabulary import word_table
from model.zoo.tiny import tiny

TABLE = word_table()
DOG, CAR, CUP, CIRCLE = (TABLE.number[name] for name in ("dog", "car", "cup", "circle"))


def told(*clips):
    scene, notes = None, []
    for things in clips:
        change, scene = follow(scene, things)
        notes.append(in_words(change, TABLE) if change else "")
    return notes


def test_a_scene_that_begins_is_told_from_both_sides():
    assert told([Thing(DOG)], [Thing(DOG)], [Thing(CAR)]) == [
        "dog",
        "",
        "before car: dog, after dog: car",
    ]


def test_a_thing_that_joins_a_scene_is_told_once():
    assert told([Thing(DOG)], [Thing(DOG), Thing(CUP)], [Thing(CUP), Thing(DOG)]) == [
        "dog",
        "cup",
        "",
    ]


def test_what_is_half_believed_changes_nothing():
    assert told([Thing(DOG)], [Thing(CAR, 0.3)], [], [Thing(DOG)]) == ["dog", "", "", ""]


def test_several_things_are_counted_where_they_are_the_answer_and_named_where_they_are_asked_about():
    notes = told([Thing(DOG, count=2), Thing(CUP)], [Thing(CIRCLE, colour=0)])
    assert notes[1].startswith("before circle: two dogs and cup, after dog, cup: ")
    assert notes[1].endswith(" circle")


@pytest.mark.parametrize("seed", range(5))
def test_what_is_told_of_a_clip_does_not_depend_on_later_ones(seed):
    draw = random.Random(seed)
    clips = [
        [
            Thing(draw.choice([DOG, CAR, CUP]), draw.choice([0.3, 1.0]))
            for _ in range(draw.randrange(3))
        ]
        for _ in range(30)
    ]
    assert all(told(*clips[:n]) == told(*clips)[:n] for n in range(31))


def noisy(scene: SceneSoFar | None, clip: ClipTokens) -> tuple[str, SceneSoFar | None]:
    return "something else again", scene


def test_notes_never_take_more_positions_than_are_counted_with():
    markers = ClipMarkers(Prompt(ByteTokenizer(), LITE), noisy)
    clips = [ClipTokens(torch.zeros(1, 1), 4.0 * n, 4.0 * n + 3) for n in range(400)]
    written, noted = markers.write(Noted(), clips)
    one_by_one, step = [], Noted()
    for clip in clips:
        [marker], step = markers.write(step, [clip])
        one_by_one.append(marker)
    assert one_by_one == written
    assert step == noted
    plain = [
        ClipMarkers(Prompt(ByteTokenizer(), LITE), None).write(Noted(), [c])[0][0] for c in clips
    ]
    extra = sum(map(len, written)) - sum(map(len, plain))
    assert SPARE_POSITIONS < extra <= SPARE_POSITIONS + NOTE_POSITIONS * len(clips)
    assert any(map(len, plain))
    assert written[-1] != written[0]


def test_a_history_with_notes_reads_what_one_pass_reads_however_the_clips_came():
    def every_other(scene: SceneSoFar | None, clip: ClipTokens) -> tuple[str, SceneSoFar | None]:
        known = scene.known if scene else frozenset()
        return "dog and cat" if len(known) % 2 else "", SceneSoFar((), known | {len(known)})

    chat = VideoChat(replace(tiny(), note=every_other))
    vision = chat.parts.config.vision
    clips = [
        ClipTokens(torch.randn(vision.tokens_per_clip, vision.width), 4.0 * n, 4.0 * n + 3)
        for n in range(9)
    ]
    question = Question("What?")
    once = chat.read_once(clips, question)
    for sizes in ([9], [1, 3, 5], [1] * 9):
        history, rest = chat.open(), list(clips)
        for size in sizes:
            chat.extend(history, rest[:size])
            rest = rest[size:]
        prefill = chat.ask(history, question)
        assert prefill is not None
        torch.testing.assert_close(prefill.reading.logits, once.logits, atol=1e-4, rtol=0)
    without = VideoChat(tiny()).read_once(clips, question)
    assert not torch.allclose(without.logits, once.logits, atol=1e-4)


def test_a_clip_that_does_not_fit_leaves_the_notes_as_they_were():
    chat = VideoChat(replace(tiny(), note=noisy))
    vision = chat.parts.config.vision
    clip = ClipTokens(torch.randn(vision.tokens_per_clip, vision.width), 0.0, 3.0)
    history = chat.open()
    with pytest.raises(HistoryFull):
        chat.extend(history, [clip] * 2000)
    assert history.noted == Noted()
