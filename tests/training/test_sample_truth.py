"""Whether answers about the sample stream are judged rightly."""

import json

import pytest

from model.vision.things import Thing
from model.vision.vocabulary import word_table
from training.sample_stream.sample_truth import LIST, SampleTruth, second_of
from web.http.lookback.suggestions import suggest


@pytest.fixture
def truth(tmp_path):
    """A dog, three bottles, a rocket, ten seconds each, again and again."""
    shows = [("dog", ["puppy"]), ("bottle", []), ("rocket", [])]
    parts = [
        {
            "start": 10.0 * n,
            "end": 10.0 * n + 10,
            "sentence": "",
            "shows": [{"word": word, "also": also, "count": 1}],
        }
        for n, (word, also) in enumerate(shows)
    ]
    (tmp_path / "sample.json").write_text(json.dumps(parts))
    return SampleTruth(tmp_path / "sample.json")


@pytest.mark.parametrize(
    ("kind", "thing", "answer", "at", "right"),
    [
        ("see", None, "Three bottles.", 19, True),
        ("see", None, "A dog.", 19, False),
        ("see", None, "A dog.", 12, True),  # the clip of before is what the model saw last
        ("see", None, "A hot dogma.", 8, False),
        ("present", "dog", "Yes.", 8, True),
        ("present", "dog", "No.", 8, False),
        ("present", "dog", "No.", 19, True),
        ("present", "dog", "Not now. It was there at 0 seconds.", 19, True),
        ("present", "cat", "Yes.", 8, False),
        ("present", "dog", "Perhaps.", 8, False),
        ("when", "bottle", "At 14 seconds.", 25, True),
        ("when", "bottle", "At 27 seconds.", 28, False),
        ("when", "bottle", "At 44 seconds.", 25, False),
        ("when", "bottle", "At 0:44.", 45, True),
        ("was", "dog", "Yes, at 0 seconds.", 25, True),
        ("was", "rocket", "Yes.", 15, False),
        ("was", "rocket", "No, I have not seen one.", 15, True),
        ("when", "cat", "At 14 seconds.", 25, False),
        ("before", "bottle", "A puppy.", 25, True),
        ("before", "bottle", "A rocket.", 25, False),
        ("before", "dog", "A rocket.", 25, False),  # nothing was shown before it yet
        ("before", "dog", "A rocket.", 35, True),
        ("after", "rocket", "A dog.", 35, True),
        ("after", "rocket", "A dog.", 25, False),
        ("first", None, "A dog.", 95, True),
        ("happened", None, "A rocket moves up.", 15, False),
        ("happened", None, "A rocket moves up.", 25, True),
    ],
)
def test_an_answer_is_judged_by_what_was_shown_until_then(truth, kind, thing, answer, at, right):
    assert truth.is_right(kind, thing, answer, at) is right


def test_a_kind_that_nobody_can_judge_is_not_guessed_at(truth):
    with pytest.raises(ValueError, match="colour"):
        truth.is_right("colour", "dog", "Brown.", 5)


def test_the_sample_goes_on_where_it_begins_again(truth):
    assert [s.start for s in truth.shown(25, 45)] == [20, 30, 40]
    assert truth.length == 30


@pytest.mark.parametrize(
    ("answer", "second"),
    [
        ("At 75 seconds.", 75),
        ("1:15", 75),
        ("From 19:57:40 to 19:58:00.", 71_860),
        ("After 1 minute and 15 seconds.", 75),
        ("2 minutes in.", 120),
        ("At 12.5s", 12.5),
        ("Just now.", None),
    ],
)
def test_a_time_is_read_however_it_is_put(answer, second):
    assert second_of(answer) == second


@pytest.mark.parametrize("kind", ["see", "first", "happened"])
def test_what_the_real_sample_shows_first_is_a_person(kind):
    assert SampleTruth().is_right(kind, None, "A person walks.", 5)


def seen_until(age):
    """Return when the sample's clips begin, four seconds each, and what one that sees well sees in them."""
    parts = json.loads(LIST.read_text())
    clips = []
    for start in range(0, age - 3, 4):
        at = (start + 2) % (parts[-1]["end"])
        shows = next(p["shows"] for p in parts if p["start"] <= at < p["end"])
        number = word_table().number
        known = [s["word"] for s in shows if s["word"] in number]
        things = [Thing(number[word], 0.9 - 0.2 * (n > 0)) for n, word in enumerate(known)]
        clips.append((start, things))
    return clips


def well_answered(suggestion, clips):
    """Return the answer of a model that remembers well what it saw."""
    mains = [word_table()[things[0].word].name for _, things in clips]
    if suggestion.kind == "see":
        return f"A {mains[-1]}."
    if suggestion.kind in {"present", "was"}:
        return "Yes."
    first = mains.index(suggestion.thing)
    if suggestion.kind == "when":
        return f"At {clips[first][0]} seconds."
    last = len(mains) - 1 - mains[::-1].index(suggestion.thing)
    return f"A {mains[first - 1] if suggestion.kind == 'before' else mains[last + 1]}."


def test_whatever_is_suggested_of_the_sample_at_any_age_can_be_answered_rightly():
    truth, kinds = SampleTruth(), set()
    for age in range(8, 400, 4):
        clips = seen_until(age)
        found = suggest(things for _, things in clips)
        assert len(found) >= 2
        for suggestion in found:
            answer = well_answered(suggestion, clips)
            assert truth.is_right(suggestion.kind, suggestion.thing, answer, age + 1), (age, suggestion, answer)  # fmt: skip
            kinds.add(suggestion.kind)
    assert kinds == {"see", "present", "was", "when", "before", "after"}
