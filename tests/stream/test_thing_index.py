"""The things of remembered clips, read once."""

import pytest
import torch

from memory.local_store import LocalStore
from model.types import ClipTokens
from model.vision.things import Thing
from stream.past import thing_index as module
from stream.past.thing_index import ThingIndex


class Eyes:
    """Says what clips show, and which it was asked about."""

    def __init__(self):
        self.asked = []

    async def things(self, clips):
        self.asked += [clip.start for clip in clips]
        return [[Thing(int(clip.start))] for clip in clips]


class Blind:
    async def things(self, clips):
        return None


@pytest.fixture
async def store():
    return LocalStore("eyes")


async def append(store, *starts, stream="cam", length=3.0):
    await store.begin(stream, 100.0)
    for start in starts:
        await store.append(stream, ClipTokens(torch.ones(1, 3), start, start + length), b"jpeg")


async def test_every_clip_is_looked_at_once(store):
    eyes = Eyes()
    index = ThingIndex(eyes, store)
    await append(store, 0, 4)
    found = await index.read("cam")
    assert (found.began, [c.things[0].word for c in found.clips]) == (100.0, [0, 4])
    await append(store, 8)
    assert [c.start for c in (await index.read("cam", since=3.5, until=9)).clips] == [4, 8]
    assert eyes.asked == [0, 4, 8]


async def test_what_was_forgotten_is_not_found_and_what_took_its_place_is_read(store):
    eyes = Eyes()
    index = ThingIndex(eyes, store)
    await append(store, 0, 4, 8)
    await index.read("cam")
    await store.forget_range("cam", 3.5, 9)
    assert [c.start for c in (await index.read("cam")).clips] == [0]
    await append(store, 0, length=30.0)
    assert [c.end for c in (await index.read("cam")).clips] == [30.0]
    await store.forget("cam")
    assert (await index.read("cam")).clips == ()


async def test_of_a_stream_begun_anew_nothing_of_before_counts(store):
    index = ThingIndex(Eyes(), store)
    await append(store, 0)
    await index.read("cam")
    await store.forget("cam")
    await store.begin("cam", 500.0)
    await store.append("cam", ClipTokens(torch.ones(1, 3), 0, 3), b"jpeg")
    assert (await index.read("cam")).began == 500.0


async def test_the_streams_asked_about_longest_ago_are_let_go(store, monkeypatch):
    monkeypatch.setattr(module, "_MOST_KEPT", 5)
    eyes = Eyes()
    index = ThingIndex(eyes, store)
    for name in ("a", "b", "c"):
        await append(store, 0, 4, stream=name)
        await index.read(name)
    eyes.asked.clear()
    await index.read("b")
    assert eyes.asked == []
    await index.read("a")
    assert eyes.asked == [0, 4]


async def test_a_very_long_stream_is_read_at_its_newest_part_and_says_so(store, monkeypatch):
    monkeypatch.setattr(module, "_MOST_CLIPS", 2)
    await append(store, 0, 4, 8)
    found = await ThingIndex(Eyes(), store).read("cam")
    assert ([c.start for c in found.clips], found.whole) == ([4, 8], False)
    assert (await ThingIndex(Eyes(), store).read("cam", since=5)).whole


def test_a_day_that_is_looked_at_once_a_second_is_gone_through_whole():
    assert module._MOST_CLIPS >= 24 * 3600 // 4


async def test_a_model_without_words_and_an_unknown_stream_show_nothing(store):
    await append(store, 0)
    assert (await ThingIndex(Blind(), store).read("cam")).clips == ()
    assert (await ThingIndex(Eyes(), store).read("nobody")).clips == ()


async def test_of_a_long_stream_only_what_was_asked_about_is_read(store):
    eyes = Eyes()
    index = ThingIndex(eyes, store)
    await append(store, 0, 4, 8, 12)
    assert [c.start for c in (await index.read("cam", 4, 9)).clips] == [4, 8]
    assert eyes.asked == [4, 8]
    assert [c.start for c in (await index.read("cam")).clips] == [0, 4, 8, 12]
    assert eyes.asked == [4, 8, 0, 12]
