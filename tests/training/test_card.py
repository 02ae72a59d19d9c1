"""A model card holds every figure with what made it."""

import json

import pytest

from training.errors import BadData
from training.evaluations.card import card, figures


def result(file, seed, mean, **more):
    part = {"mean": mean, "low": mean - 0.1, "high": mean + 0.1, "items": 40, "clusters": 9, "error": 0.05}  # fmt: skip
    told = {"eval": "mvbench", "model": "lite", "data": "MVBench", "scoring": "strict", "dropout": "on",
            "seed": seed, "commit": "abc", "machine": "x86_64, 2 cores",
            "measures": {"accuracy": {"all": part, "groups": {"short": part}, "categories": {}}}}  # fmt: skip
    file.write_text(json.dumps(told | more))
    return file


def test_several_seeds_are_one_row_with_the_interval_of_their_mean(tmp_path):
    found = [f for n, mean in enumerate((0.5, 0.6, 0.7)) for f in figures(result(tmp_path / f"{n}.json", n, mean))]  # fmt: skip
    text = card(found)
    assert "## mvbench, lite" in text
    # 4.303 standard errors of three values 0.1 apart
    assert "| accuracy | 0.600 | 0.352 to 0.848 | 40 | 0, 1, 2 |" in text
    assert "| accuracy, short | 0.600 |" in text
    assert (
        "data: MVBench; scoring: strict; dropout: on; commit: abc; machine: x86_64, 2 cores."
        in text
    )


@pytest.mark.parametrize(
    ("name", "value"), [("dropout", "off"), ("live", True), ("paced", True), ("limit", 10)]
)
def test_other_settings_are_another_part_of_the_card(tmp_path, name, value):
    one = result(tmp_path / "a.json", 0, 0.5)
    other = result(tmp_path / "b.json", 0, 0.4, **{name: value})
    text = card([f for file in (one, other) for f in figures(file)])
    assert text.count("## mvbench, lite") == 2
    assert f"{name}: {value}" in text


def test_a_result_that_is_there_twice_is_no_second_seed(tmp_path):
    twice = [f for name in "ab" for f in figures(result(tmp_path / f"{name}.json", 1, 0.5))]
    assert "| accuracy | 0.500 | 0.400 to 0.600 | 40 | 1 |" in card(twice)


def test_the_output_of_a_command_is_read_by_its_last_line(tmp_path):
    share = {"right": 9, "share": 0.9, "low": 0.6, "high": 0.98, "trials": 10}
    told = {
        "eval": "niah",
        "model": "lite",
        "seed": 1,
        "shares": {"paper, 100 frames": {"right": share}},
    }
    file = tmp_path / "niah.log"
    file.write_text(f"loading\n| a table |\n{json.dumps(told)}\n")
    [found] = figures(file)
    assert (found.measure, found.value, found.low) == ("paper, 100 frames: right", 0.9, 0.6)
    assert "| paper, 100 frames: right | 0.900 | 0.600 to 0.980 | 10 | 1 |" in card([found])
    (tmp_path / "x.txt").write_text("nothing")
    with pytest.raises(BadData, match="holds no result"):
        list(figures(tmp_path / "x.txt"))
