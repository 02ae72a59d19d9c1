"""Records of a training list: what is odd but legal is read, what is broken is counted in words."""

import json
import math

import numpy as np
import pytest
from PIL import Image

from training.finetune.data_list import read_data_list
from training.finetune.media import read_film

ASKED = [{"from": "human", "value": "<image>\nWhat?"}, {"from": "gpt", "value": "Rain."}]


def read(folder, records, name="a.json", encoding="utf-8"):
    lines = "\n".join(json.dumps(one, ensure_ascii=False) for one in records)
    text = lines if name.endswith("l") else json.dumps(records)
    (folder / name).write_text(text, encoding=encoding)
    listed = {"datasets": [{"json_path": name, "sampling_strategy": "all", "data_root": "."}]}
    (folder / "list.json").write_text(json.dumps(listed))
    return read_data_list(folder / "list.json")


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"image": 5}, "media that are not paths"),
        ({"image": ["a.png", None]}, "media that are not paths"),
        ({"video": {"path": "a"}}, "media that are not paths"),
        ({"video": "a", "start": [1], "end": 2}, "start or end that is no time"),
        ({"video": "a", "end": "soon"}, "start or end that is no time"),
        ({"video": "a", "start": 3, "end": 2}, "start is not before end"),
        ({"video": "a", "start": math.nan}, "start is not before end"),
        ({"conversations": [ASKED[0], {"from": "gpt", "value": None}]}, "turns that are not texts"),
        ({"conversations": {}}, "no conversations"),
    ],
)
def test_a_broken_record_is_counted_by_what_is_wrong_and_the_others_are_read(
    tmp_path, record, reason
):
    found = read(tmp_path, [{"conversations": ASKED} | record, {"conversations": ASKED}])
    assert dict(found.broken) == {reason: 1}
    assert len(found.usable) == 1


def test_lists_may_begin_with_a_mark_and_hold_other_ends_of_lines(tmp_path):
    odd = [ASKED[0], {"from": "gpt", "value": "One\u2028two\x85three"}]
    for name in ("a.json", "a.jsonl"):
        found = read(tmp_path, [{"conversations": odd}] * 2, name, "utf-8-sig")
        assert not found.broken
        assert [one.turns[-1][1] for one in found.usable] == ["One\u2028two\x85three"] * 2


@pytest.mark.parametrize(("part", "first", "seconds"), [({"start": 8}, 8, 4.0), ({"end": 3.0}, 0, 4.0), ({}, 0, 12.0)])  # fmt: skip
def test_a_part_of_a_film_may_have_a_beginning_or_an_end_alone(tmp_path, part, first, seconds):
    (tmp_path / "film").mkdir()
    for number in range(12):
        Image.new("RGB", (16, 16), (20 * number, 0, 0)).save(tmp_path / "film" / f"{number}.png")
    [record] = read(tmp_path, [{"video": "film", "conversations": ASKED} | part]).usable
    film = read_film(record, 4, 512)
    assert film.seconds == seconds
    assert np.asarray(film.frames)[0, 0, 0, 0] == 20 * first
