"""What was beside, left of, above or with something, over several hops; what a picture does not tell is said."""

from dataclasses import replace

import pytest

from model.types import Question
from model.vision.things import Thing
from stream.past.counted.count import count
from stream.past.counted.places import lies
from stream.past.counted.relation_words import Relation
from stream.past.counted.words import asks_to_count
from tests.stream.test_account import remembered, told
from tests.stream.test_counted_more import FILM, LIVE, TABLE, answer, past, thing

PLACES = {"left": (0.25, 0.5), "right": (0.75, 0.5), "top": (0.5, 0.2), "bottom": (0.5, 0.8), "middle": (0.5, 0.5)}  # fmt: skip


def scene(*shown):
    """Clips of "cat left, dog right": what each shows, and where."""
    clips = []
    for clip, names in zip(past(*[""] * len(shown)), shown, strict=True):
        placed = (name.rpartition(" ") for name in names.split(", ") if name)
        things = tuple(_at(name, *PLACES[where]) for name, _, where in placed)
        clips.append(replace(clip, things=things))
    return clips


def _at(name, x, y, size=0.3):
    return replace(thing(name), x=x, y=y, width=size, height=size)


@pytest.mark.parametrize(
    ("asks", "how", "texts"),
    [
        ("what", "beside", "What was shown beside the dog?|What is next to the dog?|what else was there next to a dog|What did you see beside the dog?|Who was beside the dog?"),
        ("what", "left", "What was left of the dog?|What is to the left of the dog?|What was on the left side of the dog?|Which animal was left of the dog?"),
        ("what", "right", "What was on the right-hand side of the dog?|And what stood right of the dog now?"),
        ("what", "above", "What was above the dog?|what appeared over the dog in the picture"),
        ("what", "with", "What was together with the dog?|What came with the dog?|What was shown at the same time as the dog?"),
        ("what", "near", "Was there anything near the dog?|What was close to the dog"),
        ("what", "on", "What is on the dog?|What was under the dog?|What was in front of the dog?"),
        ("ever", "beside", "Was the cat beside the dog?|Was there a cat next to the dog?|Did you see a cat beside the dog?|Has the cat been next to the dog?"),
        ("ever", "right", "Was the cat ever to the right of the dog?"),
        ("still", "below", "Is the cat below the dog?|Is there a cat still beneath the dog?"),
        ("when", "with", "When was the cat with the dog?|When did you see the cat with the dog?"),
        ("long", "near", "How long was the cat near the dog?"),
        ("often", "left", "How often was the cat left of the dog?"),
    ],
)  # fmt: skip
def test_how_things_lie_is_asked_in_many_words(asks, how, texts):
    for text in texts.split("|"):
        asked = asks_to_count(text)
        assert isinstance(asked, Relation), text
        assert (asked.asks, asked.how, asked.of.name.name) == (asks, how, "dog"), text


@pytest.mark.parametrize(
    "text",
    [
        "What was in front of the camera?",
        "What did you see with the camera?",
        "What was on the menu of the day?",
        "What was beside it?",
        "What was beside you?",
        "What was left?",
        "Was there a dog in the first minute?",
        "Is the cat happy with the dog?",
        "What was beside the thing?",
    ],
)
def test_what_names_no_other_thing_is_left_to_the_model(text):
    assert asks_to_count(text) is None


def test_a_camera_that_is_seen_is_a_thing_like_others():
    assert asks_to_count("What was left of the camera?").of.name.name == "camera"


def test_a_thing_may_be_told_by_another_over_several_hops():
    text = "What was beside the thing that was left of the animal next to the red car?"
    asked = asks_to_count(text)
    assert (asked.how, asked.of.how, asked.of.name) == ("beside", "left", None)
    assert asked.of.of.name.name == "animal"
    assert (asked.of.of.how, asked.of.of.of.name.name) == ("beside", "red car")
    asked = asks_to_count("Was the dog beside the cat left of the table?")
    assert (asked.one.name.name, asked.of.name.name, asked.of.of.name.name) == ("dog", "cat", "table")  # fmt: skip


def test_what_was_there_with_a_thing_is_told_and_what_lay_on_it_is_not():
    history = past("dog", "table, 4 people, chair", "table, 4 people", "cat")
    assert answer("What was shown beside the table?", history) == "Four people."
    assert answer("Who was next to the table?", history) == "Four people."
    assert answer("What is on the table?", history) == (
        "I cannot tell how things lie to each other. With it I saw four people."
    )
    assert answer("What was with the dog?", history) == "Nothing else that I have a word for."
    assert answer("What was beside the zebra?", history) == "I have not seen a zebra."
    assert answer("Which animal was with the table?", history) == (
        "I have not seen an animal with the table."
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("What was beside the dog?", "A cat at 0:00 and a bird at 0:08."),
        ("What was left of the dog?", "A cat."),
        ("What was to the right of the cat?", "A dog."),
        ("What was above the dog?", "Nothing that I have a word for was above the dog. With it I saw a cat at 0:00 and a bird at 0:08."),
        ("What was above the boat?", "A bird."),
        ("What was below the bird?", "A boat."),
        ("Which animal was above the boat?", "A bird."),
        ("What was beside the boat?", "Nothing that I have a word for was beside the boat. With it I saw a bird."),
    ],
)  # fmt: skip
def test_the_pictures_left_and_right_above_and_below_are_told(text, said):
    history = scene(
        "cat left, dog middle",
        "cat left, dog middle",
        "dog middle, bird right",
        "dog middle, bird right",
        "",
        "bird top, boat bottom",
        "bird top, boat bottom",
    )
    assert answer(text, history) == said


@pytest.mark.parametrize(
    ("text", "question", "said"),
    [
        ("Was the cat left of the dog?", LIVE, "Yes, from 0:00 to 0:08."),
        ("Was the cat beside the dog?", LIVE, "Yes, from 0:00 to 0:08."),
        ("Was the dog left of the cat?", LIVE, "No. It was right of the cat, from 0:00 to 0:08."),
        ("Was the cat above the dog?", LIVE, "No. It was left of the dog, from 0:00 to 0:08."),
        ("Was the cat on the dog?", LIVE, "I cannot tell how things lie to each other. Both were there, from 0:00 to 0:08."),
        ("Was the cat beside the bird?", LIVE, "I have not seen the cat and the bird together."),
        ("Was the cat beside the zebra?", LIVE, "I have not seen a zebra."),
        ("Is the cat beside the dog?", LIVE, "Not now. Last seen at 0:08."),
        ("Is the bird above the boat?", LIVE, "Yes, since 0:20."),
        ("When was the cat beside the dog?", FILM, "From 0 to 8 seconds."),
        ("How long was the cat beside the dog?", FILM, "For 8 seconds, from 0:00 to 0:08."),
    ],
)  # fmt: skip
def test_whether_and_when_one_lay_so_to_another_is_told_with_times(text, question, said):
    history = scene("cat left, dog middle", "cat left, dog middle", "", "", "",
                    "bird top, boat bottom", "bird top, boat bottom")  # fmt: skip
    assert answer(text, history, question) == said


def test_a_chain_is_followed_through_all_clips_in_any_order_of_time():
    history = scene(
        "bird left, boat right",
        "",
        "",
        "cow left, bird right",
        "",
        "",
        "horse left, clock right",
        "",
        "",
        "dog left, cow right",
    )
    chain = "What was beside the dog?|What was beside the thing that was beside the dog?|What was shown beside the thing beside the thing beside the dog?"  # fmt: skip
    said = ["A cow.", "A bird, beside the cow.", "A boat, beside the bird."]
    assert [answer(text, history) for text in chain.split("|")] == said
    assert answer("What was beside the cow?", history) == "A bird at 0:12 and a dog at 0:36."
    assert answer("What was beside the thing left of the clock?", history) == (
        "Nothing else that I have a word for."
    )
    assert answer("What was beside the thing above the dog?", history) == (
        "I have not seen anything above the dog."
    )


def test_clips_that_show_it_are_the_evidence():
    history = scene("bird left, boat right", "", "", "cow left, bird right", "", "", "cow middle")
    _, finish = count(asks_to_count("What was beside the boat?"), history, Question(""))
    assert [e.start for e in finish.evidence] == [0.0]
    asked = asks_to_count("What was beside the thing beside the boat?")
    _, finish = count(asked, history, Question(""))
    assert [e.start for e in finish.evidence] == [12.0]


def test_what_one_clip_alone_has_not_plainly_seen_is_told_with_a_perhaps():
    glimpse = past("", "", "cat, dog", "", "")
    [cat, dog] = glimpse[2].things
    glimpse[2] = replace(glimpse[2], things=(replace(cat, sure=0.6), dog))
    assert answer("What was beside the cat?", glimpse) == "Perhaps a dog."
    assert answer("What was beside the dog?", glimpse) == "Perhaps a cat."
    assert answer("Was the cat beside the dog?", glimpse) == "Perhaps, from 0:08 to 0:12."
    half = past("", "cat?, dog", "")
    assert answer("What was beside the cat?", half) == "Perhaps a dog."
    assert answer("What was beside the dog?", half) == "Perhaps a cat."
    assert answer("What was beside the cat?", past("", "cat?", "")) == (
        "I am not sure that I have seen the cat."
    )


def test_what_slips_into_one_clip_of_many_is_not_beside_anything():
    history = past("table, cat", "table, pin", "table, cat", "table, cat")
    assert answer("What was beside the table?", history) == "A cat."


def test_what_only_one_clip_of_a_short_showing_has_is_told_with_a_perhaps_if_nothing_surely_was_there():
    assert answer("What was with the cat?", past("cat", "cat, dog", "", "", "")) == "Perhaps a dog."
    assert answer("What was with the cat?", past(*["cat"] * 9, "cat, dog")) == (
        "Nothing else that I have a word for."
    )


def test_what_blinked_was_beside_it_all_the_same():
    history = past("cat", "cat, dog", "dog", "", "", "")
    assert answer("What was with the cat?", history) == "A dog."
    assert answer("What was with the dog?", history) == "A cat."


@pytest.mark.parametrize(
    ("how", "at", "true"),
    [
        ("left", (0.3, 0.5), True),
        ("left", (0.48, 0.5), False),
        ("left", (0.3, 0.95), False),
        ("right", (0.3, 0.5), False),
        ("above", (0.5, 0.2), True),
        ("below", (0.5, 0.2), False),
        ("beside", (0.2, 0.5), True),
        ("beside", (0.5, 0.1), False),
        ("near", (0.5, 0.1), True),
        ("near", (1.2, 0.5), False),
        ("with", (1.2, 0.5), True),
        ("on", (0.5, 0.4), None),
    ],
)
def test_a_picture_tells_by_middles_and_sides(how, at, true):
    other = Thing(TABLE.number["dog"], x=0.5, y=0.5, width=0.2, height=0.2)
    one = replace(other, word=TABLE.number["cat"], x=at[0], y=at[1])
    assert lies(one, how, other) is true


def test_what_is_said_to_fill_the_picture_lies_nowhere():
    history = past("cat, dog", "cat, dog")
    whole = replace(thing("cat"), width=0.9, height=0.9)
    history = [replace(clip, things=(whole, clip.things[1])) for clip in history]
    assert answer("What was left of the dog?", history) == (
        "I cannot tell how things lie to each other. With it I saw a cat."
    )
    assert answer("What was beside the dog?", history) == "A cat."


async def test_the_language_model_is_not_asked():
    engine, recall = await remembered(["dog", "dog", "bird"])
    said, _ = await told(recall, "What was beside the dog?")
    assert said == "Nothing else that I have a word for."
    assert engine.asked == []
