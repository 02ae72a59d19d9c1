"""What is told of one thing, who is there, what was there with it; and questions as of the past."""

from dataclasses import replace

import pytest

from model.vision.things import MOVEMENTS, Thing
from stream.past.asides import aside
from stream.past.counted.count import count
from stream.past.counted.words import asks_to_count
from stream.past.tense import as_of_the_past, asks_as_if_present
from tests.stream.test_account import remembered, told
from tests.stream.test_counted import later
from tests.stream.test_counted_more import FILM, LIVE, TABLE, answer, past


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("Tell me about the penguin.", "about", "penguin"),
        ("tell me more about the red car please", "about", "red car"),
        ("What do you know about the dog?", "about", "dog"),
        ("Describe the elephant.", "about", "elephant"),
        ("What about the traffic light?", "about", "traffic light"),
        ("What did the penguin do?", "about", "penguin"),
        ("What happened to the cat?", "about", "cat"),
        ("Who was there?", "about", "anyone"),
        ("Who came?", "about", "anyone"),
        ("Who is there?", "who", "anyone"),
        ("Where is everybody?", "who", "everybody"),
        ("Where was anyone?", "about", "anyone"),
        ("who do you see right now", "who", "anyone"),
    ],
)
def test_one_thing_is_asked_about_in_many_words(text, kind, name):
    asked = asks_to_count(text)
    assert asked is not None
    assert (asked.kind, asked.name) == (kind, name)


@pytest.mark.parametrize(
    "text",
    [
        "Tell me about the video.",
        "Describe what you see.",
        "What about now?",
        "What happened to the plan?",
        "What did you do?",
        "Who won?",
        "What was on the menu of the day?",
        "What happened at 50 seconds?",
    ],
)
def test_what_names_nothing_that_has_a_word_is_left_to_the_model(text):
    assert asks_to_count(text) is None


def test_a_thing_is_told_by_when_how_many_and_what_was_with_it():
    shown = ("dog", "cat, table", "cat, table, chair", "cat, 3 bottles, table", "dog")
    words, finish = count(asks_to_count("Tell me about the cat."), past(*shown), LIVE)
    assert words.text == "A cat, from 0:04 to 0:16, with a table."
    assert [e.start for e in finish.evidence] == [4.0, 8.0, 12.0]
    two = past("red car", "red car", "", "", "", "red car", "blue car", "red car", "")
    assert answer("Describe the car.", two) == (
        "A red car, twice: from 0:00 to 0:08 and from 0:20 to 0:32."
    )
    assert answer("Describe the car.", two, LIVE).startswith("A red car, twice")
    assert answer("Tell me about the bottles.", past("3 bottles", "3 bottles"), LIVE) == (
        "Three bottles, since 0:00."
    )


def test_which_way_a_thing_moved_is_told_where_clips_agree():
    cat = TABLE.number["cat"]
    for ways, said in ((("right", "right", None), ", moving right"), (("right", "left"), "")):
        moved = (Thing(cat, movement=None if w is None else MOVEMENTS.index(w)) for w in ways)
        clips = zip(past(*["cat"] * len(ways)), moved, strict=True)
        history = [replace(clip, things=(thing,)) for clip, thing in clips]
        text = answer("What did the cat do?", history, FILM)
        assert text == f"A cat, from 0:00 to 0:{4 * len(ways) - 1:02}{said}."


def test_what_was_never_seen_is_said_to_be():
    for text in ("Tell me about the zebra.", "What is on the zebra?", "What was with the zebra?"):
        assert answer(text, past("cat")) == "I have not seen a zebra."
    assert answer("Who is there?", past("cat")) == "I have not seen anyone."


def test_who_is_there_are_people_of_now():
    assert answer("Who is there?", past("cat", "4 people")) == "Four people."
    assert answer("Who is there?", past("person", "cat", "cat", "cat")) == (
        "Nobody now. Last seen at 0:04."
    )
    assert answer("Who was there?", past("person", "cat", "cat", "cat")) == (
        "A person, from 0:00 to 0:04."
    )


def test_what_was_there_with_a_thing_is_told_and_what_lay_where_is_not():
    history = past("dog", "table, 4 people, chair", "table, 4 people", "cat")
    assert answer("What was shown beside the table?", history) == "Four people."
    assert answer("What is on the table?", history) == (
        "I cannot tell how things lie to each other. With it I saw four people."
    )
    assert answer("What was with the dog?", history) == ("Nothing else that I have a word for.")


@pytest.mark.parametrize("text", ["What is on the screen?", "What was on the monitor?"])
def test_what_is_on_the_screen_is_no_question_about_a_screen(text):
    assert asks_to_count(text) is None


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("What colour is the car?", "What colour was the car?"),
        ("Which way do the cars move?", "Which way did the cars move?"),
        ("Where's the car?", "Where was the car?"),
        ("why is the car there?", "why was the car there?"),
        ("Hello.\nWhere is the car?", "Hello.\nWhere was the car?"),
        ("Where is the cat?", "Where is the cat?"),
        ("Where is the zebra?", "Where is the zebra?"),
        ("Is there a car?", "Is there a car?"),
        ("How many cars are there?", "How many cars are there?"),
    ],
)
def test_how_something_is_that_is_gone_is_asked_of_the_past(text, asked):
    assert as_of_the_past(text, past("car", "car", "cat")) == asked
    assert as_of_the_past(text, past("car", "car", "cat, car?")) == text
    assert asks_as_if_present(text) or asked == text


async def test_the_engine_is_asked_of_the_past_where_the_thing_is_gone():
    engine, recall = await remembered(["dog", "dog", "cat", "cat"])
    await told(recall, "What colour is the dog?")
    await told(recall, "What colour is the cat?")
    assert [q.text for _, q in engine.asked] == [
        "What colour was the dog?",
        "What colour is the cat?",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Is anybody there?", "Not now. Last seen at 0:08."),
        ("Can you see anyone?", "Not now. Last seen at 0:08."),
        ("Was anyone there?", "Yes, from 0:00 to 0:08."),
        ("Are there any animals?", "Yes, since 0:32."),
        ("Are there any vehicles?", "I have not seen any vehicles."),
        ("Were there any cats?", "Yes, twice: from 0:08 to 0:16 and from 0:32 to 0:39."),
        ("Did the cat come back?", "Yes, at 0:32."),
        ("Did you see the cat again?", "Yes, at 0:32."),
        ("Did the person return?", "No. It was there once, from 0:00 to 0:08."),
        ("How many different things have you seen?", "Three: a person, a cat and an orange."),
        ("How many people are there?", "None now. Last seen at 0:08."),
    ],
)
def test_people_sorts_and_what_comes_again_are_told_with_times(text, said):
    shown = ("2 people", "person", "cat", "cat", *["orange orange"] * 4, "cat", "cat")
    assert answer(text, past(*shown)) == said


@pytest.mark.parametrize(
    "text",
    ["Was there a cat?", "Did you see a cat?", "Have you ever seen the cat so far?", "Has there been a cat here?"],
)  # fmt: skip
def test_what_was_plainly_there_is_told_with_all_its_times_and_what_was_not_is_left_to_the_model(
    text,
):
    asked = asks_to_count(text)
    seen = past("dog", "cat", "cat", *["dog"] * 4, "cat", "cat")
    words, finish = count(asked, seen, LIVE)
    assert words.text == "Yes, twice: from 0:04 to 0:12 and from 0:28 to 0:35."
    assert [e.start for e in finish.evidence] == [4.0, 8.0, 28.0, 32.0]
    assert count(asked, past("dog", "cat?"), LIVE) is None
    assert count(asked, past("dog"), LIVE) is None


def test_how_many_there_are_of_what_is_there_is_left_to_the_model():
    asked = asks_to_count("How many cats are there?")
    assert count(asked, past("dog", "2 cats"), LIVE) is None
    assert count(asked, past("dog", "cat?"), LIVE) is None
    assert count(asked, past("cat", "dog"), FILM) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Why is the cat running?", "I cannot tell why"),
        ("What will happen next?", "I cannot tell what is to come"),
        ("Will the dog come back?", "I cannot tell what is to come"),
        ("Read the text on the screen.", "I cannot read text"),
        ("What does the sign say?", "I cannot read text"),
        ("What do you hear?", "I do not hear anything"),
        ("What time is it?", "I cannot tell what time"),
        ("What's the date?", "I cannot tell what time or day"),
        ("What day is it today?", "I cannot tell what time or day"),
        ("Who am I?", "I cannot tell who somebody is"),
        ("What is the man's name?", "I cannot tell who somebody is"),
        ("How old is the person?", "I cannot tell how old"),
        ("How big was the elephant?", "I cannot tell how old, big"),
        ("How fast did the car go?", "I cannot tell how old, big, heavy or fast"),
        ("What\N{RIGHT SINGLE QUOTATION MARK}s your name?", "I watch this stream"),
        ("Are you a robot?", "I watch this stream"),
        ("What is the weather like?", "I cannot tell what the weather is"),
        ("Is it indoors or outdoors?", "I cannot tell what the weather is"),
        ("What was the person wearing?", "I cannot tell what anybody wears"),
        ("Did the dog bark?", "I cannot tell what anybody does"),
        ("Was someone sitting there?", "I cannot tell what anybody does"),
        ("Did anyone take the bottles?", "I cannot tell what anybody does"),
        ("What was on the left?", "I cannot tell what is in one part"),
        ("What did you not see?", "I can tell only what was shown"),
        ("Are you sure?", "I may be mistaken"),
        ("Are there more bottles than people?", "I cannot compare these"),
        ("Was the elephant bigger than the cat?", "I cannot compare these"),
        ("Can you read the sign?", "I cannot read text"),
        ("Is this real or a drawing?", "I cannot tell whether what is shown is real"),
        ("Where am I?", "I cannot tell where this is"),
        ("yes", "Ask me what I see"),
        ("?", "Ask me what I see"),
        ("let me know when a dog appears", "I answer what I am asked"),
        ("What is a penguin?", "I know nothing but what was shown"),
        ("What is the capital of France?", "I know nothing but what was shown"),
        ("Can you see?", "I watch this stream"),
        ("How do you know that?", "I may be mistaken"),
        ("What is the biggest thing?", "I cannot tell how old, big"),
    ],
)
def test_what_nobody_here_can_tell_is_said_to_be(text, said):
    assert aside(text).startswith(said)


@pytest.mark.parametrize(
    "text",
    [
        "What happened next?",
        "What is on the sign?",
        "Is there a sign?",
        "What time did the dog come?",
        "How long is the dog there?",
        "Who is there?",
    ],
)
def test_what_only_sounds_like_it_is_answered(text):
    assert aside(text) is None


def test_an_orange_is_not_said_to_be_orange():
    assert answer("Tell me about the orange.", past("orange orange", "dog")) == (
        "An orange, from 0:00 to 0:04."
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("What colour was the car?", "Red, then blue."),
        ("What color is the car?", "Blue."),
        ("What was the colour of the cars?", "Red, then blue."),
        ("What colour was the star?", "Green."),
        ("What colour is the star?", "Green."),
        ("What colour was the dog?", None),
        ("What colour was the zebra?", "I have not seen a zebra."),
    ],
)
def test_colours_are_counted_where_clips_agree(text, said):
    gap = ["dog"] * 4
    history = past("red car", "red car", "car", *gap, "green star", "green star", *gap, "blue car")
    found = count(asks_to_count(text), history, LIVE)
    assert (found and found[0].text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Which way did the cat move?", "It moved to the right, then up."),
        ("Which way does the cat move?", "It moves up."),
        ("In which direction is the cat going?", "It moves up."),
        ("Which way did the dog go?", None),
    ],
)
def test_ways_are_counted_where_clips_agree(text, said):
    cat = TABLE.number["cat"]
    history = past("cat", "cat", *["dog"] * 4, "cat", "cat")
    for place, way in ((0, "right"), (1, "right"), (6, "up"), (7, "up")):
        moving = (Thing(cat, movement=MOVEMENTS.index(way)),)
        history[place] = replace(history[place], things=moving)
    found = count(asks_to_count(text), history, LIVE)
    assert (found and found[0].text) == said


def placed(*places, name="cat"):
    """Clips that show one thing where it says, or nothing; `?` is no place, as it fills the frame."""
    clips = past(*("" if place is None else name for place in places))
    return [
        clip if place is None else replace(clip, things=tuple(_at(t, place) for t in clip.things))
        for clip, place in zip(clips, places, strict=True)
    ]


def _at(thing, place):
    if place == "?":
        return replace(thing, x=0.5, y=0.5, width=1.0, height=1.0)
    return replace(thing, x=place[0], y=place[1], width=0.2, height=0.2)


LEFT, LOW, MIDDLE, RIGHT = (0.17, 0.5), (0.5, 0.9), (0.5, 0.5), (0.83, 0.5)


@pytest.mark.parametrize(
    ("places", "text", "said"),
    [
        ([LEFT, LEFT, LOW, LEFT], "Where was the cat?", "At the left."),
        ([LEFT, LEFT, None, None, None, LOW], "Where did you see the cat?", "At the left, then at the bottom."),
        ([LEFT, MIDDLE], "Where is the cat?", "In the middle."),
        ([LEFT, None, None, None], "Where is the cat?", "It is not there any more. Last seen at 0:04, at the left."),
        ([LEFT, LOW, None, None, None], "Where is the cat now?", "It is not there any more. Last seen at 0:08."),
        ([LEFT, LOW], "Where was the cat?", None),
        (["?", "?"], "Where was the cat?", None),
        ([LEFT], "Where was the zebra?", "I have not seen a zebra."),
        ([LEFT], "Where was the cat going?", None),
    ],
)  # fmt: skip
def test_places_are_told_where_clips_agree(places, text, said):
    found = count(asks_to_count(text), placed(*places), LIVE)
    assert (found and found[0].text) == said


@pytest.mark.parametrize(
    ("places", "text", "said"),
    [
        ([LEFT, LEFT, None, None, None, LOW, None, None, None], "Where was the cat last seen?", "From 0:20 to 0:24, at the bottom."),
        ([LEFT, LEFT, LOW], "Where did you last see the cat?", "Now, since 0:00, at the bottom."),
        ([LEFT, LOW, None, None, None], "Where did you see the cat last?", "From 0:00 to 0:08."),
        (["?", None, None, None], "Where was the cat most recently?", "From 0:00 to 0:04."),
        ([LEFT], "Where was the zebra last seen?", "I have not seen a zebra."),
    ],
)  # fmt: skip
def test_of_what_is_asked_last_the_time_is_told_and_the_place_where_clips_agree(places, text, said):
    found = count(asks_to_count(text), placed(*places), LIVE)
    assert (found and found[0].text) == said


def moved(*places, way=1):
    return [
        replace(clip, things=tuple(replace(t, movement=way) for t in clip.things))
        for clip in placed(*places)
    ]


def test_of_what_moved_it_is_told_where_it_began_and_ended():
    asked = asks_to_count("Where was the cat?")
    assert (
        count(asked, moved(LEFT, MIDDLE, RIGHT), LIVE)[0].text == "At the left, then at the right."
    )
    twice = placed(LOW, LOW, None, None, None)
    ways = [*twice, *later(moved(LEFT, MIDDLE, RIGHT), 20.0)]
    assert count(asked, ways, LIVE)[0].text == "At the left, then at the right."
    assert count(asked, [*moved(LEFT, MIDDLE), *moved("?")], LIVE) is None
    assert count(asked, moved(LEFT, MIDDLE, RIGHT, way=None), LIVE) is None


def test_of_what_was_in_many_places_it_is_told_where_it_was_last():
    away = [None] * 3
    spots = (LEFT, MIDDLE, RIGHT, LOW, (0.5, 0.1), (0.1, 0.1))
    places = [place for spot in spots for place in (spot, spot, *away)]
    found = count(asks_to_count("Where was the cat?"), placed(*places), LIVE)
    assert found[0].text == "From 1:40 to 1:48, at the top left."


def test_what_is_half_seen_is_not_said_never_to_have_been():
    assert count(asks_to_count("Where was the cat last seen?"), past("cat?", ""), LIVE) is None


def test_of_a_stream_that_has_ended_nothing_is_now():
    ended = replace(LIVE, ended=True)
    words, _ = count(asks_to_count("Where was the cat last seen?"), past("cat", "cat"), ended)
    assert words.text == "From 0:00 to 0:07, in the middle."


def test_several_things_are_not_told_to_be_where_one_of_them_once_was():
    history = past("3 bottles", "3 bottles", "bottle")
    one = replace(history[2].things[0], x=0.9, y=0.5, width=0.1, height=0.2)
    history[2] = replace(history[2], things=(one,))
    assert count(asks_to_count("Where were the bottles?"), history, LIVE) is None
    assert answer("Where were the bottles?", history[2:]) == "At the right."
