"""A long past is told part by part: where it is cut, what is left out, and how the parts are joined."""

from contextlib import aclosing

import pytest
import torch

from memory.local_store import LocalStore
from model.types import ClipTokens, Evidence, Finish, Question, Usage, Words
from model.vision.things import Thing
from model.vision.vocabulary import word_table
from stream.past.account import (
    LOOKED_AT,
    MOST_PARTS,
    NEWEST,
    SCENES_AT_ONCE,
    SCENES_OF_A_PART,
    AccountScene,
    plan_account,
    scenes_of,
    too_much_at_once,
)
from stream.past.presence import Shown
from stream.past.recall import Recall
from tests.stream.fakes import SmallEngine

TABLE = word_table()
EVERYTHING = ((float("-inf"), float("inf")),)
NAMES = ("dog", "cat", "car", "bottle", "chair", "bird", "boat", "clock", "apple", "bear", "horse")


def clip(number, seconds=4.0, count=1):
    """A clip whose values name what it shows, or a block of so many."""
    start = seconds * number
    return ClipTokens(torch.zeros(1, 1), start, start + seconds * count - 1, 4 * count)


def seen(*names, first=0):
    return [
        shown(clip(first + n), [Thing(TABLE.number[name])] if name else [])
        for n, name in enumerate(names)
    ]


def shown(tokens, things):
    return Shown(tokens.start, tokens.end, tuple(things), tokens.frames)


def spans(scenes):
    return [(scene.start, scene.end) for scene in scenes]


def read(scene, clips):
    return sum(first <= c.start <= last for c in clips for first, last in scene.read)


def test_a_scene_ends_where_the_main_thing_is_another():
    scenes = scenes_of(seen("dog", "dog", "cat", "", "cat", "dog"), 4)
    assert spans(scenes) == [(0, 7), (8, 19), (20, 23)]


def test_what_shows_nothing_before_the_first_thing_belongs_to_its_scene():
    assert spans(scenes_of(seen("", "", "dog", "cat"), 4)) == [(0, 11), (12, 15)]
    assert spans(scenes_of(seen("", ""), 4)) == [(0, 7)]
    assert scenes_of([], 4) == []


def test_of_a_scene_the_first_clips_are_read_be_they_folded_or_not():
    [scene] = scenes_of(seen(*["dog"] * 20), 4)
    clips = [clip(n) for n in range(20)]
    assert read(scene, clips) == LOOKED_AT
    dog = [Thing(TABLE.number["dog"])]
    [scene] = scenes_of([shown(clip(0), dog), shown(clip(1, count=900), dog)], 4)
    assert read(scene, [clip(n) for n in range(900)]) == LOOKED_AT


def glimpsed(number, name, sure=0.6):
    return shown(clip(number), [Thing(TABLE.number[name], sure)])


def test_what_one_clip_alone_half_saw_makes_no_scene_and_is_not_read():
    history = [*seen("car", "car"), glimpsed(2, "pin"), *seen("car", "car", "cat", "cat", first=3)]
    scenes = scenes_of(history, 4)
    assert spans(scenes) == [(0, 19), (20, 27)]
    assert scenes[0].read == ((0, 7), (12, 19))
    assert [scene.glimpsed for scene in scenes] == [True, False]
    assert too_much_at_once(scenes)


def test_what_one_clip_alone_surely_saw_is_a_scene():
    history = [*seen("car", "car"), glimpsed(2, "dog", 0.9), *seen("car", "car", first=3)]
    assert spans(scenes_of(history, 4)) == [(0, 7), (8, 11), (12, 19)]


def test_what_is_half_seen_beside_the_main_thing_is_passed_over_too():
    both = shown(clip(1), [Thing(TABLE.number["car"]), Thing(TABLE.number["duck"], 0.6)])
    [scene] = scenes_of([*seen("car"), both, *seen("car", first=2)], 4)
    assert scene.read == ((0, 3), (8, 11))


def test_where_every_clip_half_saw_something_all_are_read():
    history = [glimpsed(n, name) for n, name in enumerate(("pin", "duck", "dog"))]
    [scene] = scenes_of(history, 4)
    assert scene.read == ((0, 11),)


def test_what_a_block_shows_is_not_taken_for_a_glimpse():
    block = shown(clip(1, count=9), [Thing(TABLE.number["dog"], 0.6)])
    scenes = scenes_of([*seen("car"), block, *seen("car", first=10)], 4)
    assert len(scenes) == 3


def lasting(*seconds):
    scenes, at = [], 0.0
    for long in seconds:
        scenes.append(AccountScene(at, at + long, ((at, at + long),)))
        at += long
    return scenes


def test_scenes_are_told_in_parts_of_few_and_about_equally_many():
    account = plan_account(lasting(*[4.0] * 11))
    assert [len(part) for part in account.parts] == [3, 4, 4]
    assert account.told == account.scenes == 11


def test_of_more_than_there_is_room_for_the_longest_and_the_newest_are_told():
    most = MOST_PARTS * SCENES_OF_A_PART
    scenes = lasting(*[4.0, 90.0] * most, *[1.0] * NEWEST)
    account = plan_account(scenes)
    told = [scene for part in account.parts for scene in part]
    assert (account.told, account.scenes, len(account.parts)) == (most, len(scenes), MOST_PARTS)
    assert told[-NEWEST:] == scenes[-NEWEST:]
    assert all(scene.end - scene.start == 90.0 for scene in told[:-NEWEST])
    assert told == sorted(told, key=lambda scene: scene.start)


class Narrator(SmallEngine):
    """Knows what its clips show; answers with the names of what the past shows, in order.

    Attributes:
        asked: Every past with its question.
    """

    encoder = "narrator"

    def __init__(self, shown, *, words=True, half=()):
        self._shown = shown
        self._half = half
        self._words = words
        self.asked = []
        self.closed = 0

    async def things(self, clips):
        if not self._words:
            return None
        places = [round(c.start / 4) for c in clips]
        return [
            [Thing(TABLE.number[self._shown[n]], 0.6 if n in self._half else 1.0)] for n in places
        ]

    async def prepare(self, past):
        return False

    async def answer(self, past, question):
        self.asked.append((past, question))
        clips = []
        for first, last in past.spans:
            after = first - 1e-6 if first > float("-inf") else first
            clips += [c async for c in past.source.clips(past.stream, after, last)]
        names = list(dict.fromkeys(self._shown[round(c.start / 4)] for c in clips))
        words = [f"First a {names[0]}", *(f", then a {name}" for name in names[1:]), "."]
        try:
            for text in words[: question.tokens]:
                yield Words(text)
            reason = "stop" if len(words) <= question.tokens else "length"
            written = min(len(words), question.tokens)
            usage = Usage(
                len(clips), 4 * len(clips), 9, 3, 2, written, clips[0].start, clips[-1].end
            )
            yield Finish(
                reason, tuple(Evidence(c.start, c.end, 1 / len(clips)) for c in clips), usage
            )
        finally:
            self.closed += 1


async def remembered(shown, **about):
    engine = Narrator(shown, **about)
    store = LocalStore(engine.encoder)
    await store.begin("a", 0.0)
    for number in range(len(shown)):
        await store.append("a", clip(number), b"")
    return engine, Recall("a", engine, store)


async def told(recall, text="List everything, in order.", **about):
    pieces = [piece async for piece in recall.ask(Question(text, **about))]
    return "".join(piece.text for piece in pieces[:-1]), pieces[-1]


async def test_many_scenes_are_told_part_by_part_with_their_times():
    engine, recall = await remembered(NAMES)
    text, finish = await told(recall)
    assert text == (
        "From 0:00 to 0:11: a dog, then a cat, then a car. "
        "From 0:12 to 0:27: a bottle, then a chair, then a bird, then a boat. "
        "From 0:28 to 0:43: a clock, then a apple, then a bear, then a horse."
    )
    assert [question.text for _, question in engine.asked] == ["What has happened?"] * 3
    assert all(past.once and past.spans != EVERYTHING for past, _ in engine.asked)
    assert finish.reason == "stop"


async def test_the_evidence_and_the_usage_of_parts_are_those_of_one_answer():
    _, recall = await remembered(NAMES)
    _, finish = await told(recall)
    assert [part.start for part in finish.evidence] == [4.0 * n for n in range(len(NAMES))]
    assert sum(part.score for part in finish.evidence) == pytest.approx(1)
    usage = finish.usage
    assert (usage.clips, usage.frames, usage.start, usage.end) == (11, 44, 0.0, 43.0)
    assert (usage.prompt_tokens, usage.answer_tokens) == (6, 14)


async def test_few_scenes_are_told_at_once_in_the_words_that_the_model_knows():
    engine, recall = await remembered(NAMES[:SCENES_AT_ONCE])
    text, _ = await told(recall, "Describe the video.")
    assert text.startswith("First a dog, then a cat")
    assert [(past.spans, q.text) for past, q in engine.asked] == [
        (EVERYTHING, "What has happened?")
    ]


async def test_an_account_does_not_tell_what_one_clip_alone_half_saw():
    engine, recall = await remembered(["car", "car", "pin", "car", "dog"], half={2})
    text, _ = await told(recall)
    assert text == "From 0:00 to 0:19: a car, then a dog."
    assert [past.spans for past, _ in engine.asked] == [((0.0, 7.0), (12.0, 15.0), (16.0, 19.0))]


async def test_a_range_is_told_as_far_as_it_goes():
    engine, recall = await remembered(NAMES)
    text, _ = await told(recall, "What happened?", since=8.0, until=39.0)
    assert text.startswith("From 0:08 to 0:23: a car")
    assert text.endswith("a bear.")
    assert len(engine.asked) == 2


async def test_what_asks_for_less_is_not_told_in_parts():
    engine, recall = await remembered(NAMES)
    await told(recall, "What do you see?")
    assert [(past.spans, q.text) for past, q in engine.asked] == [(EVERYTHING, "What do you see?")]


async def test_a_model_without_words_is_asked_as_it_was_before():
    engine, recall = await remembered(NAMES, words=False)
    await told(recall, "Describe the video.")
    assert [q.text for _, q in engine.asked] == ["Describe the video."]


async def test_all_parts_together_write_no_more_than_was_asked_for():
    engine, recall = await remembered(NAMES)
    text, finish = await told(recall, tokens=6)
    assert (
        text
        == "From 0:00 to 0:11: a dog, then a cat, then a car. From 0:12 to 0:27: a bottle, then a chair…"
    )
    assert (finish.reason, finish.usage.answer_tokens) == ("length", 6)
    assert len(engine.asked) == 2


async def test_what_is_left_out_is_said():
    shown = [NAMES[n % len(NAMES)] for n in range(MOST_PARTS * SCENES_OF_A_PART + 3)]
    _, recall = await remembered(shown)
    text, _ = await told(recall, tokens=400)
    assert text.endswith("Those are 40 of 43 scenes: the newest, and those that lasted longest.")


async def test_an_account_that_is_cancelled_asks_for_no_further_part():
    engine, recall = await remembered(NAMES)
    async with aclosing(recall.ask(Question("What did I miss?"))) as pieces:
        assert (await anext(pieces)).text.startswith("From 0:00")
    assert (len(engine.asked), engine.closed) == (1, 1)
    assert not recall.busy
