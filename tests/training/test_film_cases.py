"""The folder of films and questions that `flashback eval real` reads."""

import json

import pytest

from tests.stream.videos import write_video
from training.errors import BadData
from training.exams.film_cases import choose, read_cases

GOOD = {"film": "red.mp4", "kind": "name", "question": "What?", "accept": r"\breds?\b"}


@pytest.fixture
def folder(tmp_path):
    write_video(tmp_path / "red.mp4")
    return tmp_path


def write(folder, cases):
    (folder / "cases.json").write_text(cases if isinstance(cases, str) else json.dumps(cases))
    return folder


def test_an_answer_is_right_if_the_pattern_is_found_in_it_whatever_its_case(folder):
    [case] = read_cases(write(folder, [GOOD]))
    assert case.film == folder / "red.mp4"
    assert case.is_right("It is RED.")
    assert not case.is_right("A redwood.")


@pytest.mark.parametrize(
    ("cases", "sentence"),
    [
        ("{", "cannot be read as JSON"),
        ("{}", "must be a list of questions"),
        ([], "with one at least"),
        (["What?"], "entry 0 of"),
        ([GOOD, {"film": "red.mp4"}], "entry 1 of"),
        ([GOOD | {"question": 3}], "each a text"),
        ([GOOD | {"question": " "}], "has an empty question"),
        ([GOOD | {"kind": "all"}], "stands for all kinds together"),
        ([GOOD | {"accept": "(red"}], r"accept is not a regular expression (missing ), "),
        ([GOOD | {"film": "blue.mp4"}], "There is no file called"),
        ([GOOD | {"film": "cases.json"}], "is JSON, not video"),
        ([GOOD | {"film": "."}], "is a folder"),
    ],
)
def test_what_cannot_be_used_is_said_with_its_place(folder, cases, sentence):
    with pytest.raises(BadData) as refused:
        read_cases(write(folder, cases))
    assert sentence in str(refused.value)


def test_a_folder_that_is_none_or_holds_no_list_is_named(tmp_path):
    with pytest.raises(BadData, match="is not a folder"):
        read_cases(tmp_path / "none")
    with pytest.raises(BadData, match=r"holds no cases\.json"):
        read_cases(tmp_path)


def test_a_few_questions_are_spread_over_all_of_a_kind(folder):
    several = [GOOD | {"kind": kind, "question": f"{n}?"} for kind in "ab" for n in range(9)]
    cases = read_cases(write(folder, several))
    assert [c.question for c in choose(cases, ["b"], 3)] == ["0?", "3?", "6?"]
    assert choose(cases, None, 100) == cases
    with pytest.raises(BadData, match="no question is of the kind c; there is a, b"):
        choose(cases, ["a", "c"], None)
