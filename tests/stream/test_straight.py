"""Polite, indirect and very short questions are asked straight, and so answered like any other."""

import pytest

from model.types import Question, Turn
from stream.past.straight import asked_in_one, asked_straight, in_one_straight_question
from tests.stream.test_account import remembered, told


@pytest.mark.parametrize(
    ("text", "straight"),
    [
        ("Could you please tell me when the dog came?", "When did the dog come?"),
        ("Please tell me when the dog came.", "When did the dog come?"),
        ("Do you know if there was a cat?", "Was there a cat?"),
        ("Could you tell me whether you see a dog?", "Do you see a dog?"),
        ("I would like to know when the cat was there.", "When was the cat there?"),
        ("I'd like to know how long the dog stayed", "How long did the dog stay?"),
        ("I wonder whether the cat left", "Did the cat leave?"),
        ("Would you mind telling me where the dog is?", "Where is the dog?"),
        ("Can you tell me how many people there were?", "How many people were there?"),
        ("do you know what animals you saw", "What animals did you see?"),
        ("Can you tell me when you last saw the dog?", "When did you last see the dog?"),
        ("do you know what color the car was", "What color was the car?"),
        ("do you know what the dog is doing?", "What is the dog doing?"),
        ("can you please tell me what you see", "What do you see?"),
        ("Hey, is there a cat?", "Is there a cat?"),
        ("Where's the dog?", "Where is the dog?"),
        ("wheres the dog", "Where is the dog?"),
        ("Where\N{RIGHT SINGLE QUOTATION MARK}s the dog, please?", "Where is the dog?"),
        ("who's there?", "Who is there?"),
        ("Isn't there a dog?", "Is there a dog?"),
        ("Didn't the cat come back?", "Did the cat come back?"),
        ("Is nobody there?", "Who is there?"),
        ("Has anyone seen the dog?", "Have you seen the dog?"),
        ("Hasn't anybody spotted a cat?", "Have you seen a cat?"),
        ("Has somebody noticed the red car?", "Have you seen the red car?"),
        ("Can't anyone see the dog?", "Do you see the dog?"),
        ("Has anyone been seen?", "Has anyone been seen?"),
        ("Was no one there?", "Who was there?"),
        ("What time did the dog come?", "At what time did the dog come?"),
        ("Did anything happen?", "What happened?"),
        ("Was there nothing?", "What did you see?"),
        ("Is anything happening?", "What do you see?"),
        ("Is the picture empty?", "What do you see?"),
        ("Was the car red or blue?", "What colour was the car?"),
        ("Is the star red?", "What colour is the star?"),
        ("was it grey", "What colour was it?"),
        ("Can you count the people?", "How many people did you see?"),
        ("Which animals?", "Which animals did you see?"),
        ("Were the cat and the dog there together?", "Was the cat with the dog?"),
        ("Did you see a cat and a dog at the same time?", "Did you see a cat with a dog?"),
        ("Was there only one bottle?", "How many bottles were there?"),
        ("Are there more than two bottles?", "How many bottles are there?"),
        ("Show me the cat", "Tell me about the cat?"),
        ("Did the cat move?", "Which way did the cat move?"),
        ("Is the cat moving?", "Which way is the cat moving?"),
        ("Did the cat move left or right?", "Which way did the cat move?"),
        ("Is the cat going up?", "Which way is the cat moving?"),
        ("Is it a cat?", "Is there a cat?"),
        ("is that a dog", "Is there a dog?"),
        ("Was that an apple?", "Was there an apple?"),
        ("Are those cats?", "Are there any cats?"),
        ("What was that?", "What did you see last?"),
        ("How did it end?", "What did you see last?"),
        ("Did anything new appear?", "Did anything change?"),
        ("when dog", "When was the dog shown?"),
        ("dog where?", "Where was the dog?"),
        ("colour of the car", "What colour was the car?"),
        ("Was the dog there?", "Did you see the dog?"),
        ("Is the dog visible?", "Is the dog still there?"),
        ("I think there was a dog.", "Was there a dog?"),
        ("I saw a dog", "Did you see a dog?"),
        ("How long ago did you see the dog?", "When did you last see the dog?"),
        ("Go to the dog", "Tell me about the dog?"),
        ("cats and dogs", "Did you see cats and dogs?"),
        ("What happens first?", "What did you see first?"),
        ("What is the most common object?", "What was there longest?"),
        ("Is there something to eat?", "Is there any food?"),
        ("What fruits are in the video?", "What fruits were there?"),
        ("Does the video show a dog?", "Was there a dog?"),
        ("Is a dog visible?", "Is there a dog?"),
        ("Did a bicycle pass by?", "Was there a bicycle?"),
        ("Did a person come in?", "Was there a person?"),
        ("did a bicycle go through", "Was there a bicycle?"),
        ("Did a car drive into the picture?", "Was there a car?"),
        ("Did any animals appear?", "Were there any animals?"),
        ("Is the dog alone?", "What is with the dog?"),
        ("Are the people walking?", "Which way are the people moving?"),
        ("What kind of animal was it?", "What animal did you see?"),
        ("Is there more than one person?", "How many people are there?"),
        ("Anything else?", "What did you see?"),
        ("What are they doing?", "What is happening?"),
        ("Was it moving?", "Which way was it moving?"),
        ("Is it a cat or a dog?", "What do you see?"),
        ("Was the cat on the left or the right?", "Where was the cat?"),
        ("On which side is the dog?", "Where is the dog?"),
        ("Where was the cat located?", "Where was the cat?"),
        ("What followed the cat?", "What came after the cat?"),
        ("What preceded the cat?", "What came before the cat?"),
        ("number of dogs", "How many dogs did you see?"),
        ("How many people at most?", "How many people did you see?"),
        ("And the cat?", "Tell me about the cat?"),
        ("How many things?", "How many things did you see?"),
        ("cat?", "Is there a cat?"),
        ("A red car", "Is there a red car?"),
        ("Any dogs?", "Are there any dogs?"),
        ("People?", "Are there any people?"),
        ("HOW MANY DOGS", "How many dogs are there?"),
    ],
)
def test_it_is_asked_straight(text, straight):
    assert asked_straight(text, over=False) == straight
    assert asked_straight(f"Be brief.\n{text}", over=False) == f"Be brief.\n{straight}"


@pytest.mark.parametrize(
    ("text", "straight"),
    [
        ("cat?", "Was there a cat?"),
        ("any dogs", "Were there any dogs?"),
        ("how many dogs", "How many dogs were there?"),
    ],
)
def test_of_a_film_few_words_ask_what_was_there(text, straight):
    assert asked_straight(text, over=True) == straight


@pytest.mark.parametrize(
    "text",
    [
        "When did the dog come?",
        "Tell me about the dog",
        "Could you tell me about the dog?",
        "Tell me what you see",
        "Can you tell me what happened?",
        "Hello there",
        "Thanks",
        "Tell me a joke",
        "thingamajig?",
        "What time does it come?",
        "Any thingamajigs?",
        "Could you show me the thingamajig?",
        "yes",
        "",
    ],
)
def test_what_is_known_or_no_question_stays_as_it_is(text):
    assert asked_straight(text, over=False) == text


SHOWN = ["cat", "cat", "dog", "dog", "cat", "dog"]


async def test_a_polite_question_is_answered_from_what_clips_show():
    engine, recall = await remembered(SHOWN)
    straight, _ = await told(recall, "When did the dog leave?")
    polite, _ = await told(recall, "Could you please tell me when the dog left?")
    assert polite == straight
    assert not engine.asked


async def test_the_thing_that_was_asked_back_about_is_not_taken_for_a_question():
    turns = (
        Turn("user", "What did you see?"),
        Turn("assistant", "A cat and a dog."),
        Turn("user", "How long was it there?"),
        Turn("assistant", "Which do you mean: the cat or the dog?"),
    )
    _, recall = await remembered(SHOWN)
    text, _ = await told(recall, "The dog", conversation=turns)
    assert text == (await told(recall, "How long was the dog there?"))[0]


async def test_a_polite_question_may_go_on_from_an_answer():
    turns = (Turn("user", "Could you tell me when the cat left?"), Turn("assistant", "At 0:08."))
    engine, recall = await remembered(SHOWN)
    straight, _ = await told(recall, "When did the dog leave?")
    assert (await told(recall, "And the dog?", conversation=turns))[0] == straight
    turns = (Turn("user", "Was there a dog?"), Turn("assistant", "Yes."))
    assert (await told(recall, "Do you know when it left?", conversation=turns))[0] == straight
    assert not engine.asked


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (
            "When did the cat come and how long did it stay?",
            ("When did the cat come", "how long did it stay?"),
        ),
        ("When did the cat come? And the dog?", ("When did the cat come", "the dog?")),
        (
            "Is there a cat and how many people are there?",
            ("Is there a cat", "how many people are there?"),
        ),
        (
            "Who is there? When did the dog come? Did it leave?",
            ("Who is there", "When did the dog come", "Did it leave?"),
        ),
    ],
)
def test_two_questions_in_one_are_asked_one_after_the_other(text, parts):
    assert asked_in_one(Question(text)) == parts
    assert asked_in_one(Question(f"Be brief.\n{text}")) == tuple(f"Be brief.\n{p}" for p in parts)


async def test_two_questions_in_one_get_both_answers():
    engine, recall = await remembered(SHOWN)
    first, _ = await told(recall, "When did the cat leave?")
    second, _ = await told(recall, "When did the dog leave?")
    said, finish = await told(recall, "When did the cat leave and when did the dog leave?")
    assert said == f"{first} {second}"
    assert sum(part.score for part in finish.evidence) == pytest.approx(1)
    assert not engine.asked


@pytest.mark.parametrize(
    "text",
    [
        "Was there a cat and a dog?",
        "Which came first, the cat or the dog?",
        "Tell me about the cat and the dog",
        "Was there a cat, a dog and a bird?",
        "Good morning, how are you?",
        "What came between the cat and the dog?",
    ],
)
def test_what_has_an_and_in_it_may_be_one_question(text):
    assert asked_in_one(Question(text)) == (text,)


def test_a_greeting_before_a_question_is_no_question_of_its_own():
    for text in ("Hello! When did the dog come?", "Thanks. When did the dog come?"):
        assert in_one_straight_question(Question(text)) == Question("When did the dog come?")
