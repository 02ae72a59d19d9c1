"""Questions to try: they fit what was shown, and have an answer."""

import pytest

from model.vision.things import Thing
from model.vision.vocabulary import word_table
from web.http.lookback.suggester import CLIPS_AT_ONCE
from web.http.lookback.suggestions import GENERAL, suggest


def thing(name, sure=0.9):
    return Thing(word_table().number[name], sure)


def things(shown):
    """Return the things of `dog`, `dog?` (not sure), `dog+cat` or nothing."""
    return [
        thing(word.rstrip("?"), 0.3 if word.endswith("?") else 0.9)
        for word in (shown.split("+") if shown else ())
    ]


def texts(*shown):
    return [suggestion.text for suggestion in suggest(map(things, shown))]


def test_of_a_stream_that_has_shown_nothing_yet_only_what_it_shows_is_asked():
    assert texts() == texts("") == texts("dog?") == ["What do you see?"]


def test_what_is_shown_now_is_asked_about_as_present():
    assert texts("dog", "dog") == ["What do you see?", "Is there a dog?"]
    assert texts("orange")[1] == "Is there an orange?"


def test_of_the_past_its_time_and_neighbours_are_asked():
    assert texts("dog", "dog", "car", "car", "person", "person", "bus") == [
        "What do you see?",
        "Is there a bus?",
        "What came before the bus?",
        "When was the person shown?",
        "What came after the car?",
    ]


def test_what_came_before_is_not_asked_where_that_is_not_known():
    assert texts("", "dog") == ["What do you see?", "Is there a dog?"]
    assert "What came before the dog?" not in texts("dog?", "dog", "dog")
    assert "When was the dog shown?" not in texts("dog?", "dog", "dog", "car")


def test_a_clip_of_which_nothing_is_sure_ends_no_scene():
    assert "What came after the car?" in texts("car", "car", "", "car", "dog", "dog")
    assert "What came before the car?" not in texts("car", "car", "", "car")


def test_what_the_newest_clip_does_not_surely_show_is_not_asked_about_as_present():
    assert "Is there a dog?" not in texts("dog", "dog", "dog?")
    assert "Is there a dog?" not in texts("dog", "dog", "")


def test_a_thing_that_may_have_been_shown_twice_is_not_asked_about_by_its_place():
    assert texts("dog", "dog", "car", "car", "dog") == [
        "What do you see?",
        "Is there a dog?",
        "What came before the car?",
        "When was the car shown?",
        "What came after the car?",
    ]
    assert "When was the dog shown?" not in texts("dog", "dog", "car+dog?", "car", "bus")


def test_of_what_is_shown_again_and_again_is_asked_whether_it_ever_was():
    assert texts(*2 * ["dog", "dog", "car", "car", "bus", "bus"]) == [
        "What do you see?",
        "Is there a bus?",
        "Was there a car?",
        "Was there a dog?",
    ]


def test_no_more_than_a_handful_is_suggested():
    shown = [
        n
        for n in ["dog", "car", "bus", "dog", "car", "bus", "cat", "cow", "bear"]
        for _ in range(2)
    ]
    assert len(texts(*shown)) == 5


def test_of_what_one_clip_alone_says_nothing_is_asked_later():
    assert "car" not in " ".join(texts("dog", "dog", "car", "bus", "bus"))
    assert "What came before the bus?" not in texts("dog", "dog", "car", "bus", "bus")


def test_a_thing_that_joins_another_begins_no_scene():
    assert "What came before the car?" not in texts("dog", "dog", "car+dog", "dog+car")


def test_a_single_clip_that_is_only_half_sure_names_no_scene():
    half = [thing("dog", 0.6)]
    assert [s.text for s in suggest([half])] == ["What do you see?"]
    assert "Is there a dog?" in [s.text for s in suggest([half, half])]


async def suggestions(service, stream="cam"):
    async with service.client() as client:
        response = await client.get(f"/v1/streams/{stream}/suggestions")
        assert response.status_code == 200, response.text
        return response.json()["suggestions"]


async def test_a_model_without_things_of_its_own_suggests_general_questions(service):
    await service.remember(clips=2)
    assert [s["text"] for s in await suggestions(service)] == [s.text for s in GENERAL]


async def test_suggestions_follow_the_stream_and_are_thought_of_once_a_clip(service):
    asked = []

    def things_of(clip):
        asked.append(clip.start)
        return [thing("dog" if clip.start < 8 else "car")]

    service.engine.things_of = things_of
    await service.remember(clips=1)
    assert {"kind": "present", "thing": "dog", "text": "Is there a dog?"} in await suggestions(service)  # fmt: skip
    await suggestions(service)
    assert asked == [0.0]
    await service.remember(clips=3)
    assert (await suggestions(service))[1:] == [
        {"kind": "present", "thing": "car", "text": "Is there a car?"},
        {"kind": "before", "thing": "car", "text": "What came before the car?"},
        {"kind": "when", "thing": "dog", "text": "When was the dog shown?"},
        {"kind": "after", "thing": "dog", "text": "What came after the dog?"},
    ]


async def test_of_a_long_stream_every_clip_is_read_once(service):
    asked = []
    service.engine.things_of = lambda clip: asked.append(clip.start) or []
    await service.remember(clips=CLIPS_AT_ONCE + 5)
    await suggestions(service)
    await service.remember(clips=CLIPS_AT_ONCE + 9)
    await suggestions(service)
    assert asked == [4.0 * n for n in range(CLIPS_AT_ONCE + 9)]


async def test_of_a_stream_that_began_anew_nothing_of_before_is_suggested(service):
    service.engine.things_of = lambda clip: [thing("dog" if clip.start < 8 else "car")]
    await service.remember(clips=3)
    assert len(await suggestions(service)) > 2
    async with service.client() as client:
        await client.delete("/v1/streams/cam")
    service.engine.things_of = lambda clip: []
    await service.remember(clips=3)
    assert [s["kind"] for s in await suggestions(service)] == ["see"]


@pytest.mark.parametrize(("stream", "status"), [("none", 404), ("a.b", 422)])
async def test_of_a_stream_that_is_not_there_nothing_is_suggested(service, stream, status):
    async with service.client() as client:
        assert (await client.get(f"/v1/streams/{stream}/suggestions")).status_code == status
