"""A history of folded clips: what it reads follows from the clips alone, not from when they came."""

from random import Random

import pytest
import torch

from model.engine.folded_history import CLIPS_AT_ONCE, FoldedHistory
from model.engine.history_cache import HistoryCache
from model.errors import HistoryFull, NothingSeen
from model.folding.fold import Fold, FoldPlan
from model.types import ClipTokens, Question
from model.video_chat import VideoChat
from model.zoo.tiny import tiny

CHAT = VideoChat(tiny())
PLAN = FoldPlan(12, keep=4, fresh=3)
QUESTION = Question("What was shown?")


def clips_of(count):
    generator = torch.Generator().manual_seed(4)
    values = torch.randn(count, 16, 32, generator=generator).half()
    return [ClipTokens(v, 4.0 * n, 4.0 * n + 3) for n, v in enumerate(values)]


CLIPS = clips_of(40)


def spans(tokens):
    return [(clip.start, clip.end, clip.frames) for clip in tokens]


def folded(clips):
    fold = Fold(CHAT.parts.rows, PLAN)
    for clip in clips:
        fold.add(clip)
    return fold.tokens


def settled(growing):
    while growing.has_work:
        growing.catch_up()
    return growing.history


@pytest.mark.parametrize("pace", range(5))
def test_it_reads_the_fold_of_its_clips_whenever_they_came_and_however_busy_it_was(pace):
    random, growing, given = Random(pace), FoldedHistory(CHAT, PLAN), 0
    while given < len(CLIPS):
        growing.wait(CLIPS[given : given + (count := random.randint(1, 9))])
        given += count
        for _ in range(random.randint(0, 2 * pace)):
            growing.catch_up()
    history = settled(growing)
    assert spans(history.clips) == spans(folded(CLIPS))


def test_its_answer_is_one_pass_over_the_fold():
    growing = FoldedHistory(CHAT, PLAN)
    for clip in CLIPS:
        growing.wait([clip])
        settled(growing)
    ours = CHAT.ask(growing.history, QUESTION).reading
    once = CHAT.read_once(folded(CLIPS), QUESTION)
    assert ours.kept[0].tolist() == once.kept[-1].tolist()
    torch.testing.assert_close(ours.logits, once.logits, atol=1e-4, rtol=0)


def test_a_machine_that_keeps_up_changes_over_at_the_very_clip_that_fills_the_list():
    growing = FoldedHistory(CHAT, PLAN)
    for number, clip in enumerate(CLIPS, 1):
        growing.wait([clip])
        settled(growing)
        assert spans(growing.history.clips) == spans(folded(CLIPS[:number]))


def test_a_question_never_waits_for_a_successor():
    growing = FoldedHistory(CHAT, PLAN)
    for clip in CLIPS[: PLAN.most]:
        growing.wait([clip])
        while growing.is_behind(1e9):
            growing.catch_up()
    assert len(growing.history.clips) == PLAN.most
    assert growing.has_work, "the successor is still to be read"


def test_one_that_is_far_behind_reads_nothing_that_would_be_folded():
    many, read = clips_of(70), []

    class Counting(VideoChat):
        def extend(self, history, clips, *hook):
            read.extend(clips)
            super().extend(history, clips, *hook)

    growing = FoldedHistory(Counting(tiny()), PLAN)
    growing.wait(many)
    history = settled(growing)
    assert spans(history.clips) == spans(folded(many))
    assert len(read) <= 2 * len(history.clips), "the list, and some of the next"


def test_memory_has_a_ceiling_whatever_the_age():
    growing, held = FoldedHistory(CHAT, PLAN), []
    for clip in clips_of(60):
        growing.wait([clip])
        settled(growing)
        held.append(growing.bytes)
    assert max(held[30:]) <= max(held[:30])


def test_a_history_that_cannot_hold_its_list_is_given_up_not_tried_for_ever():
    class Narrow(VideoChat):
        def extend(self, history, clips, *hook):
            raise HistoryFull("no positions")

    growing = FoldedHistory(Narrow(tiny()), PLAN)
    growing.wait(CLIPS[:CLIPS_AT_ONCE])
    with pytest.raises(HistoryFull):
        growing.catch_up()


def test_a_clip_that_waits_is_never_out_of_sight_while_it_is_folded(monkeypatch):
    growing, seen = FoldedHistory(CHAT, PLAN), []
    growing.wait(CLIPS)
    add = growing._fold.add

    def looked_at(clip):
        seen.append(growing.is_behind(CLIPS[0].start))
        return add(clip)

    monkeypatch.setattr(growing._fold, "add", looked_at)
    growing.fold_waiting(5)
    assert seen == [True] * 5
    assert growing.is_behind(CLIPS[0].start), "they are still to be read"


@pytest.fixture
def cache():
    return HistoryCache(CHAT, 1 << 30)


def read(cache, clips):
    cache.add("a", clips)
    while cache.next_behind() is not None:
        cache.catch_up("a")


def test_a_history_that_is_made_again_does_not_answer_with_half_of_it(cache):
    read(cache, CLIPS[:3])
    assert spans(cache.current("a", CLIPS[2].end).clips) == spans(CLIPS[:3])
    cache.forget("a")
    read(cache, CLIPS[:2])
    with pytest.raises(NothingSeen):
        cache.current("a", CLIPS[2].end)
    cache.add("a", CLIPS[2:3])  # it waits to be read
    with pytest.raises(NothingSeen):
        cache.current("a", CLIPS[2].end)
    read(cache, CLIPS[3:4])
    assert spans(cache.current("a", CLIPS[2].end).clips) == spans(CLIPS[:4])


def test_nobody_meets_a_history_before_its_first_clips_wait_in_it(cache, monkeypatch):
    met, wait = [], FoldedHistory.wait

    def looked_for(growing, clips):
        met.append(cache.reach("a"))
        wait(growing, clips)

    monkeypatch.setattr(FoldedHistory, "wait", looked_for)
    cache.add("a", CLIPS[:1])
    assert met == [None]
    assert cache.reach("a") == CLIPS[0].end


def counting(read):
    class Counting(VideoChat):
        def extend(self, history, clips, *hook):
            read.extend(clips)
            super().extend(history, clips, *hook)

    return Counting(tiny())


def test_of_what_comes_in_several_parts_nothing_is_read_until_all_of_it_is_folded():
    read = []
    cache = HistoryCache(counting(read), 1 << 30)
    with cache.receiving("a"):
        for first in range(0, 40, 8):
            cache.add("a", CLIPS[first : first + 8])
            assert cache.next_behind() is None
    assert cache.next_behind() == "a"
    while cache.next_behind() is not None:
        cache.catch_up("a")
    assert len(read) == len(cache.current("a", CLIPS[-1].end).clips)


def test_what_a_history_is_made_of_is_known_before_any_of_it_is_read():
    growing = FoldedHistory(CHAT, PLAN)
    growing.wait(CLIPS)
    assert spans(growing.blocks()) == spans(folded(CLIPS))
    assert growing.is_new, "the language model has read nothing"
    assert spans(settled(growing).clips) == spans(folded(CLIPS))
    growing.wait([last := clips_of(41)[-1]])
    assert spans(growing.blocks()) == spans(folded([*CLIPS, last])), "what waits is among them"


def test_of_hundreds_of_streams_those_asked_about_last_are_held_within_the_budget():
    asked_about = [f"stream {n}" for n in range(300)]
    one = HistoryCache(CHAT, 1 << 30)
    one.add("one", CLIPS[:2])
    while one.next_behind() is not None:
        one.catch_up("one")
    cache = HistoryCache(CHAT, 20 * one.bytes)
    for stream in asked_about:
        cache.add(stream, CLIPS[:2])
        cache.catch_up(stream, keep=stream)
        cache.current(stream, CLIPS[1].end)
        assert cache.bytes <= 20 * one.bytes
    held = [stream for stream in asked_about if cache.reach(stream) is not None]
    assert held == asked_about[-20:]


def test_of_streams_that_are_made_again_the_one_asked_about_last_is_read_first():
    cache = HistoryCache(CHAT, 1 << 30)
    for stream in ("a", "b", "c"):
        cache.add(stream, CLIPS[:9])
    with pytest.raises(NothingSeen):
        cache.current("a", CLIPS[8].end)  # somebody asks, and waits
    read = []
    while (stream := cache.next_behind()) is not None:
        read.append(stream)
        cache.catch_up(stream)
    assert list(dict.fromkeys(read)) == ["a", "c", "b"]
