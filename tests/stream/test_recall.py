"""What a question looks at after a restart, and when streams compete for memory: real parts, tiny."""

import asyncio
from dataclasses import replace

import pytest
import torch

from memory.local_store import LocalStore
from model.engine import history_cache
from model.engine.local import LocalEngine
from model.engine.pulling import PAGE, Pulling
from model.errors import EngineBusy, NothingSeen
from model.folding.thing_rows import ThingRows
from model.types import ClipTokens, Question
from model.video_chat import VideoChat
from model.vision.things import Thing, pack, unpack
from model.vision.vocabulary import word_table
from model.zoo.tiny import tiny
from stream.past.recall import Recall
from stream.past.second_look import BLOCKS

PARTS = tiny()
DOG = word_table().number["dog"]
SHORT = replace(
    PARTS,
    config=replace(PARTS.config, language=replace(PARTS.config.language, max_positions=2796)),
)
"""Of whose positions about a hundred and sixty clips take all."""


@pytest.fixture
async def engine():
    made = LocalEngine(VideoChat(SHORT))
    yield made
    await made.close()


async def remembered(store, stream, count, first=0):
    await store.begin(stream, 0.0)
    clips = [
        ClipTokens(torch.full((16, 32), 0.01 * (n % 7)), 4.0 * n, 4.0 * n + 3)
        for n in range(first, first + count)
    ]
    for clip in clips:
        await store.append(stream, clip, b"")
    return clips


async def last_piece(recall, **about):
    return [piece async for piece in recall.ask(Question("what?", tokens=1, **about))][-1]


async def words(recall, **about):
    question = Question("what?", tokens=20, **about)
    pieces = [piece async for piece in recall.ask(question)]
    return "".join(p.text for p in pieces[:-1]), pieces[-1]


async def test_a_long_stream_is_answered_from_all_of_it_after_a_restart(engine):
    store = LocalStore(engine.encoder)
    clips = await remembered(store, "a", 700)
    finish = await last_piece(Recall("a", engine, store))
    assert (finish.usage.start, finish.usage.end) == (0.0, clips[-1].end)
    assert finish.usage.frames == 4 * 700
    assert finish.usage.clips <= engine.clips_at_most


async def test_a_range_that_memory_holds_and_the_history_does_not_is_answered_from_it(engine):
    store = LocalStore(engine.encoder)
    await remembered(store, "a", 700)
    recall = Recall("a", engine, store)
    await last_piece(recall)
    finish = await last_piece(recall, until=60.0)
    assert (finish.usage.start, finish.usage.end, finish.usage.clips) == (0.0, 63.0, 16)
    finish = await last_piece(recall, since=1002.0, until=1010.0)
    assert [part.start for part in finish.evidence] == [1000.0, 1004.0, 1008.0]
    finish = await last_piece(recall, until=2400.0)
    assert (finish.usage.start, finish.usage.end, finish.usage.frames) == (0.0, 2403.0, 4 * 601)
    assert finish.usage.clips <= engine.clips_at_most


async def test_what_lies_before_a_range_does_not_change_the_answer(engine):
    store, alone = LocalStore(engine.encoder), LocalStore(engine.encoder)
    clips = await remembered(store, "a", 60)
    await alone.begin("b", 0.0)
    for clip in clips[40:50]:
        await alone.append("b", clip, b"")
    recall = Recall("a", engine, store)
    await last_piece(recall)
    text, finish = await words(recall, since=160.0, until=198.0)
    expected, expected_finish = await words(Recall("b", engine, alone))
    assert text == expected
    scores = [part.score for part in finish.evidence]
    assert scores == pytest.approx([part.score for part in expected_finish.evidence], abs=1e-6)


async def test_a_range_that_goes_on_grows_with_what_is_remembered(engine):
    store = LocalStore(engine.encoder)
    await remembered(store, "a", 30)
    recall = Recall("a", engine, store)
    assert (await last_piece(recall, since=100.0)).usage.clips == 5
    await remembered(store, "a", 3, first=30)
    finish = await last_piece(recall, since=100.0)
    assert (finish.usage.start, finish.usage.end, finish.usage.clips) == (100.0, 131.0, 8)
    assert (await last_piece(recall, since=100.0, until=119.0)).usage.clips == 5
    assert (await last_piece(recall)).usage.clips == 33


async def test_a_range_longer_than_a_history_is_answered_from_all_of_it(engine):
    store = LocalStore(engine.encoder)
    await remembered(store, "a", count := 3 * engine.clips_at_most)
    recall = Recall("a", engine, store)
    finish = await last_piece(recall, since=4.0)
    assert (finish.usage.start, finish.usage.end) == (4.0, 4.0 * (count - 1) + 3)
    assert finish.usage.frames == 4 * (count - 1)
    assert finish.usage.clips <= engine.clips_at_most


@pytest.mark.parametrize(
    ("about", "asked"),
    [
        ({"since": 500.0}, "from 500 s on"),
        ({"until": -1.0}, "up to -1 s"),
        ({"since": 103.2, "until": 103.8}, "from 103.2 s up to 103.8 s"),
    ],
)
async def test_a_refusal_names_what_is_asked_about_and_what_is_held(engine, about, asked):
    store = LocalStore(engine.encoder)
    await remembered(store, "a", 30)
    expected = rf"^Nothing was seen.*{asked}; what is remembered .* goes from 0\.0 to 119\.0 s\.$"
    with pytest.raises(NothingSeen, match=expected):
        await last_piece(Recall("a", engine, store), **about)


@pytest.mark.parametrize(
    ("instant", "duration", "start"),
    [
        (9.5, None, 8.0),  # a clip holds it
        (11.4, None, 8.0),  # between two clips: the nearer one
        (11.6, None, 12.0),
        (122.0, None, 116.0),  # just behind the last
        (300.0, 310.0, 116.0),  # of a film of which frames were taken here and there: any distance
    ],
)
async def test_an_instant_is_answered_from_the_clip_that_holds_it_or_is_nearest(
    engine, instant, duration, start
):
    store = LocalStore(engine.encoder)
    await remembered(store, "a", 30)
    about = {"since": instant, "until": instant, "duration": duration}
    finish = await last_piece(Recall("a", engine, store), **about)
    assert (finish.usage.clips, finish.usage.start) == (1, start)


async def test_an_instant_at_which_nothing_was_watched_is_refused(engine):
    store = LocalStore(engine.encoder)
    await remembered(store, "a", 30)
    with pytest.raises(NothingSeen):
        await last_piece(Recall("a", engine, store), since=124.0, until=124.0)


async def test_of_a_stream_that_is_begun_anew_no_range_is_left(engine):
    store = LocalStore(engine.encoder)
    await remembered(store, "a", 30)
    recall = Recall("a", engine, store)
    await last_piece(recall, since=100.0)
    assert engine.history_bytes > 0
    recall.close()
    await engine.forget("a")
    assert engine.history_bytes == 0
    await store.forget("a")
    await remembered(store, "a", 28)
    assert (await last_piece(Recall("a", engine, store), since=100.0)).usage.clips == 3


async def test_a_history_that_lags_by_more_than_it_holds_is_folded_as_if_it_had_not(engine):
    store = LocalStore(engine.encoder)
    await remembered(store, "a", 5)
    recall = Recall("a", engine, store)
    assert (await last_piece(recall)).usage.clips == 5
    clips = await remembered(store, "a", engine.clips_at_most + 3, first=5)
    finish = await last_piece(recall)
    await engine.forget("a")
    again = await last_piece(recall)
    assert [(e.start, e.end) for e in again.evidence] == [(e.start, e.end) for e in finish.evidence]
    assert [e.score for e in again.evidence] == pytest.approx(
        [e.score for e in finish.evidence], rel=1e-3
    )
    clips += await remembered(store, "a", 2, first=engine.clips_at_most + 8)
    finish = await last_piece(recall)
    assert (finish.usage.start, finish.usage.end) == (0.0, clips[-1].end)
    assert finish.usage.frames == 4 * (engine.clips_at_most + 10)


async def test_streams_that_share_too_little_memory_are_all_answered_from_all_they_showed(
    monkeypatch,
):
    monkeypatch.setattr(history_cache, "_FEWEST", 1000)
    engine = LocalEngine(VideoChat(PARTS), history_bytes=1)
    try:
        store = LocalStore(engine.encoder)
        recalls = {name: Recall(name, engine, store) for name in "abc"}
        for count, name in enumerate("abc", 3):
            await remembered(store, name, count)
        for _ in range(4):
            answers = await asyncio.gather(
                *(answered(recalls[name]) for name in "abc"), return_exceptions=True
            )
            assert any(not isinstance(clips, Exception) for clips in answers)
            for clips, expected in zip(answers, (3, 4, 5), strict=True):
                # Refused in words that say why, or answered from everything; never from a part.
                assert clips == expected or isinstance(clips, EngineBusy)
    finally:
        await engine.close()


async def answered(recall):
    return (await last_piece(recall)).usage.clips


async def test_a_history_given_up_between_two_pages_is_made_again_without_a_hole(engine):
    class Crowded(LocalStore):
        """Other streams need the engine's memory while a second page is read."""

        crowded = True

        async def clips(self, stream, after=float("-inf"), until=float("inf")):
            count = 0
            async for tokens in super().clips(stream, after, until):
                count += 1
                if self.crowded and count == PAGE + 2:
                    self.crowded = False
                    engine._histories.forget(stream)
                yield tokens

    store = Crowded(engine.encoder)
    await remembered(store, "a", engine.clips_at_most)
    assert engine.clips_at_most > PAGE + 2
    finish = await last_piece(Recall("a", engine, store))
    assert (finish.usage.start, finish.usage.clips) == (0.0, engine.clips_at_most)


class Taken:
    """Histories whose room other streams take just before, or after, they are given clips."""

    def __init__(self, histories, *, before=0, after=0):
        self._histories, self._before, self._after = histories, before, after
        self.reach, self.forget = histories.reach, histories.forget
        self.receiving = histories.receiving

    def add(self, name, clips, after, most):
        self._before -= 1
        if self._before == 0:
            self.forget(name)
        self._histories.add(name, clips, after, most)
        self._after -= 1
        if self._after == 0:
            self.forget(name)


async def test_a_clip_that_comes_as_the_history_is_given_up_does_not_begin_one_with_a_hole(engine):
    store = LocalStore(engine.encoder)
    clips = await remembered(store, "a", 3)
    engine._pulling = Pulling(Taken(engine._histories, before=2))
    recall = Recall("a", engine, store)
    await recall.catch_up()
    [newest] = await remembered(store, "a", 1, first=3)
    await engine.learn("a", newest, after=clips[-1].end)
    finish = await last_piece(recall)
    assert (finish.usage.start, finish.usage.clips) == (0.0, 4)


async def test_a_history_given_up_before_the_question_is_not_taken_for_a_stream_without_clips(
    engine,
):
    store = LocalStore(engine.encoder)
    await remembered(store, "a", 3)
    engine._pulling = Pulling(Taken(engine._histories, after=1))
    finish = await last_piece(Recall("a", engine, store))
    assert finish.usage.clips == 3
    with pytest.raises(NothingSeen):
        await last_piece(Recall("b", engine, store))


async def test_a_history_made_from_another_past_is_made_anew(engine):
    store = LocalStore(engine.encoder)
    await remembered(store, "a", 6)
    recall = Recall("a", engine, store)
    assert (await last_piece(recall)).usage.clips == 6
    assert (await last_piece(recall, since=8.0, until=12.0)).usage.clips == 2
    await store.forget_range("a", 4.0, 9.0)
    assert (await last_piece(recall)).usage.clips == 4
    assert (await last_piece(recall, since=8.0, until=12.0)).usage.clips == 1


async def test_what_is_remembered_while_memory_is_asked_does_not_cost_the_history(engine):
    class Slow(LocalStore):
        """Another clip is remembered, and learned, before an answer is here."""

        async def find(self, stream):
            record = await super().find(stream)
            for clip in await remembered(self, "a", 1, first=record.clips) if late else ():
                await engine.learn("a", clip, record.end)
            return record

    late, forgotten = False, []
    store = Slow(engine.encoder)
    await remembered(store, "a", 3)
    recall = Recall("a", engine, store)
    await recall.catch_up()
    forget, late = engine._pulling.forget, True
    engine._pulling.forget = lambda stream: (forgotten.append(stream), forget(stream))
    await recall.catch_up()
    assert forgotten == []
    assert engine._histories.reach("a") == 15.0


async def test_what_a_folded_history_names_is_looked_at_again_as_it_was_seen(engine):
    store = LocalStore(engine.encoder)
    await remembered(store, "a", 300)
    folded = await last_piece(Recall("a", engine, store))
    again = await last_piece(Recall("a", engine, store, looks_again=True))
    assert again.usage.frames < folded.usage.frames == 4 * 300
    assert again.usage.clips <= BLOCKS
    assert sum(part.score for part in again.evidence) == pytest.approx(1, abs=1e-4)
    spans = [(part.start, part.end) for part in folded.evidence]
    for part in again.evidence:
        assert any(start <= part.start <= end for start, end in spans)


async def test_a_stream_that_is_not_folded_is_answered_at_once(engine, monkeypatch):
    store = LocalStore(engine.encoder)
    await remembered(store, "a", engine.clips_at_most)
    asked, answer = [], engine.answer
    monkeypatch.setattr(engine, "answer", lambda *about: (asked.append(about), answer(*about))[1])
    finish = await last_piece(Recall("a", engine, store, looks_again=True))
    assert (finish.usage.clips, len(asked)) == (engine.clips_at_most, 1)


async def test_nothing_is_left_of_a_second_look(engine):
    store = LocalStore(engine.encoder)
    await remembered(store, "a", 300)
    recall = Recall("a", engine, store, looks_again=True)
    await last_piece(recall)
    await last_piece(recall, until=1000.0)
    recall.close()
    await engine.forget("a")
    assert engine.history_bytes == 0


@pytest.fixture
async def with_words():
    """An engine whose clips have words, and a store of 305, of which five in a row show a dog."""

    def things(clip):
        return unpack(clip.values[:8, 20:].float())

    dog = torch.zeros(16, 32)
    dog[:8, 20:] = pack([Thing(DOG)], 8)
    made = LocalEngine(VideoChat(replace(SHORT, things=things, rows=ThingRows(8, 20, 4))))
    try:
        store = LocalStore(made.encoder, exact=12)
        await remembered(store, "a", 100)
        for n in range(100, 105):
            await store.append("a", ClipTokens(dog, 4.0 * n, 4.0 * n + 3), b"")
        await remembered(store, "a", 200, first=105)
        yield made, store
    finally:
        await made.close()


async def test_words_lead_to_what_is_looked_at_again(with_words):
    made, store = with_words
    recall = Recall("a", made, store)
    question = Question("How did the dog look?", tokens=1)
    usage = [piece async for piece in recall.ask(question)][-1].usage
    assert (usage.start, usage.end, usage.clips) == (392.0, 427.0, 9)
    for whole in (recall, Recall("a", made, store, looks_again=False)):
        text = "Does it limp?" if whole is recall else question.text
        pieces = [piece async for piece in whole.ask(replace(question, text=text))]
        assert pieces[-1].usage.frames == 4 * 305


async def test_what_is_counted_of_a_folded_past_is_as_exact_as_its_clips(with_words):
    made, store = with_words
    assert made.clips_at_most < 305
    recall = Recall("a", made, store)
    for text, said in (
        ("How long was the dog there?", "For 20 seconds, from 6:40 to 7:00."),
        ("When did the dog leave?", "At 7:00."),
    ):
        pieces = [piece async for piece in recall.ask(Question(text))]
        assert pieces[0].text == said
        assert pieces[-1].usage.frames == 4 * 305


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("What do you see?", 293, 304),
        ("What was shown first?", 0, 11),
        ("Was there a zebra?", 293, 304),
    ],
)
async def test_what_asks_of_an_end_or_names_what_was_never_there_needs_no_more(
    with_words, text, first, last
):
    made, store = with_words
    recall = Recall("a", made, store)
    usage = [p async for p in recall.ask(Question(text, tokens=1))][-1].usage
    assert (usage.start, usage.end) == (4.0 * first, 4.0 * last + 3)


async def test_after_a_restart_what_words_lead_to_does_not_wait_for_everything_else_to_be_read(
    with_words, monkeypatch
):
    made, store = with_words
    answer, asked = made.answer, []
    monkeypatch.setattr(
        made, "answer", lambda past, q: (asked.append(past.name), answer(past, q))[1]
    )
    question = Question("How did the dog look?", tokens=1)
    assert [piece async for piece in Recall("a", made, store).ask(question)]
    assert asked == ["a@392.0-427.0"], "the originals alone, not everything there is"
