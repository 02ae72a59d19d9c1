"""Which clips an answer that the language model wrote rests on."""

import pytest

from memory.errors import StoreUnavailable
from model.types import Evidence, Finish, Usage, Words
from model.vision.things import Thing
from model.vision.vocabulary import word_table
from stream.past.grounding import ground, grounded
from stream.past.presence import Shown

NUMBERS = {word.name: number for number, word in enumerate(word_table().words)}


def shown(*clips):
    """Return clips of four seconds, each by what it shows: a name, or a name and how sure it is."""
    named = [(clip, 1.0) if isinstance(clip, str) else clip for clip in clips]
    return [
        Shown(4.0 * n, 4.0 * n + 3, (Thing(NUMBERS[name], sure=sure),) if name else ())
        for n, (name, sure) in enumerate(named)
    ]


def looked(*scores, each=1):
    """Return evidence of clips of four seconds, or of blocks of so many `each`."""
    long = 4.0 * each
    return [Evidence(long * n, long * n + long - 1, score) for n, score in enumerate(scores)]


def scores(evidence):
    return [round(one.score, 3) for one in evidence]


def test_a_clip_that_shows_what_was_asked_about_is_evidence_though_attention_passed_over_it():
    found = grounded(
        looked(0.001, 0.2, 0.799),
        "Was there a cat?",
        "Yes, at 0 seconds.",
        shown(("cat", 0.3), "car", ""),
    )
    assert scores(found) == [1.0, 0.0, 0.0]


def test_what_the_answer_names_counts_and_not_what_the_question_does():
    clips = shown("dog", "cat", "cat")
    found = grounded(looked(0.5, 0.1, 0.4), "What came after the dog?", "A cat.", clips)
    assert scores(found) == [0.0, 0.2, 0.8]


def test_clips_that_hardly_drew_attention_share_alike():
    clips = shown("cat", "dog", "cat")
    found = grounded(looked(0.001, 0.989, 0.01), "What came first?", "A cat.", clips)
    assert scores(found) == [0.5, 0.0, 0.5]


def test_where_a_thing_is_surely_seen_glimpses_of_it_are_no_evidence():
    clips = shown(("cat", 0.2), "cat")
    assert scores(grounded(looked(0.6, 0.4), "Where is the cat?", "In the middle.", clips)) == [
        0,
        1,
    ]


def test_a_block_that_stands_for_many_clips_is_evidence_by_any_of_them():
    clips = shown("", "", "", "cat", "", "")
    found = grounded(looked(0.3, 0.3, 0.4, each=2), "How did the cat look?", "Black.", clips)
    assert scores(found) == [0.0, 1.0, 0.0]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Was there a cat?", "No, I have not seen one."),
        ("Did you see a cat?", "I have not seen one."),
        ("What happened?", "It is dark."),
        ("Was there a zebra?", "Yes, at 4 seconds."),
    ],
)
def test_of_what_is_denied_not_named_or_never_shown_attention_is_all_there_is(question, answer):
    evidence = looked(0.25, 0.75)
    assert grounded(evidence, question, answer, shown("cat", "dog")) == tuple(evidence)


async def test_an_answer_that_is_told_does_not_fail_with_memory(caplog):
    class Gone:
        async def read(self, *_):
            raise StoreUnavailable("Redis is away")

    finish = Finish("stop", tuple(looked(0.25, 0.75)), Usage(0, 0, 0, 0, 0, 0, 0.0, 0.0))

    async def written():
        yield Words("Yes.")
        yield finish

    told = [piece async for piece in ground(written(), "Was there a cat?", "door", Gone())]
    assert told == [Words("Yes."), finish]
    assert "door: an answer's evidence is attention alone: Redis is away" in caplog.text
