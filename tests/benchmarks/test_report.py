"""A benchmark's last line is one JSON object, whatever else it prints."""

import json

import pytest

from benchmarks.command.report import Report, benchmark_main, cell


def run(options):
    return Report(
        title="How long a thing takes",
        settings={"things": options.things},
        columns=["thing", "ms"],
        rows=[["a | b", 1.23456], ["none", None]],
        numbers={"ms": {"a": 1.23456}},
        notes=["Measured by nobody."],
    )


def add_options(parser):
    parser.add_argument("--things", type=int, default=2)


def call(*arguments: str) -> None:
    benchmark_main("things", "About things.", run, add_options, arguments)


def test_the_last_line_is_one_json_object(capsys):
    call("--things", "3")
    *table, last = capsys.readouterr().out.splitlines()
    record = json.loads(last)
    assert record["benchmark"] == "things"
    assert record["settings"] == {"things": 3}
    assert record["ms"] == {"a": 1.23456}
    assert record["machine"]["cores"] >= 1
    assert any("1.23" in line for line in table)
    assert any("Measured by nobody." in line for line in table)


def test_json_leaves_the_table_out(capsys):
    call("--json")
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_a_report_names_hardware_commit_and_settings(tmp_path, capsys):
    call("--save-to", str(tmp_path), "--json")
    record = json.loads(capsys.readouterr().out)
    [markdown] = tmp_path.glob("*-things.md")
    [saved] = tmp_path.glob("*-things.json")
    text = markdown.read_text()
    assert json.loads(saved.read_text()) == record
    assert markdown.name == record["date"][:10] + "-things.md"
    for words in (record["commit"].rstrip("+"), "cores of", "things 2", r"| a \| b | 1.23 |"):
        assert words in text


def test_a_number_that_is_none_fails_instead_of_becoming_bad_json(capsys):
    def broken(options):
        return Report("t", {}, [], [], {"ms": float("nan")})

    with pytest.raises(ValueError, match="not JSON compliant"):
        benchmark_main("things", "", broken, arguments=["--json"])


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), ("x", "x"), (3, "3"), (12345, "12,345"), (0.012345, "0.0123"), (1234.5, "1,234")],
)
def test_cells_are_short(value, text):
    assert cell(value) == text
