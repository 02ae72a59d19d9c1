"""The public benchmarks, read from items in their published formats."""

import pytest

from tests.training import published
from training.errors import BadData
from training.evaluations.items import AskedWhen, Options, Scoring
from training.evaluations.published import (
    charades,
    longvideobench,
    lvbench,
    mlvu,
    mvbench,
    ovobench,
    perception_test,
    streamingbench,
    vdc,
    videomme,
)

PUBLISHED, STRICT = Options(Scoring.published), Options(Scoring.strict)


@pytest.mark.parametrize("cut", [True, False])
def test_mvbench_follows_start_and_end_only_where_films_are_not_cut_already(tmp_path, cut):
    items = mvbench.read(published.mvbench(tmp_path, cut=cut), STRICT)
    first = items[0]
    assert first.media.path.is_file()
    assert (first.media.start, first.media.end) == ((None, None) if cut else (2.0, 4.0))
    assert first.prompt == (
        "Question: What happened first?\nOption:\n(A) Sat.\n(B) Ran.\n(C) Ate.\n"
        "\nOnly give the best option."
    )
    assert [item.truth["letter"] for item in items] == ["B", "", "B"]
    assert [item.category for item in items] == ["action_sequence"] * 2 + ["moving_count"]


def test_lvbench_letters_twice_as_its_harness_does_and_once_when_strict(tmp_path):
    folder = published.lvbench(tmp_path)
    [harness], [ours] = lvbench.read(folder, PUBLISHED), lvbench.read(folder, STRICT)
    assert "A. (A) 1636\nB. (B) 1366" in harness.prompt
    assert "A. 1636\nB. 1366" in ours.prompt
    assert ours.truth == {"options": ["1636", "1366"], "letter": "B"}
    assert (ours.category, ours.also) == ("entity recognition", ("reasoning",))
    assert ours.media.path.name == "00000000.mp4"


def test_longvideobench_shows_subtitles_always_as_published_and_by_choice_when_strict(tmp_path):
    folder = published.longvideobench(tmp_path)
    [harness], [ours] = longvideobench.read(folder, PUBLISHED), longvideobench.read(folder, STRICT)
    [subtitled] = longvideobench.read(folder, Options(subtitles=True))
    assert "listed below: \nhello there.\n" in harness.prompt
    assert harness.prompt == subtitled.prompt
    assert ours.prompt.startswith("Who?\n(A). a man\n(B). a dog\nAnswer with")
    assert (ours.truth["letter"], ours.group, ours.tokens) == ("B", "15", 32)


def test_charades_tells_a_true_span_only_as_published(tmp_path):
    folder = published.charades(tmp_path)
    harness, ours = charades.read(folder, PUBLISHED), charades.read(folder, STRICT)
    assert len(harness) == 1  # the same query twice
    assert "24.3 - 30.4" in harness[0].prompt
    assert len(ours) == 2
    assert not any(character.isdigit() for character in ours[0].prompt)


def test_perception_test_numbers_its_answers(tmp_path):
    [item] = perception_test.read(published.perception_test(tmp_path), STRICT)
    assert item.prompt == (
        "Is it moving?\nA. yes\nB. no\nC. hidden\n"
        "Answer with the option's letter from the given choices directly."
    )
    assert (item.truth["letter"], item.category) == ("B", "physics")


def test_mlvu_reads_a_file_a_task_and_tables_with_options_in_the_question(tmp_path):
    folder = published.mlvu(tmp_path)
    [dev] = mlvu.read(folder, Options(split="dev"))
    [test] = mlvu.read(folder, Options(split="test"))
    assert (dev.category, dev.truth["letter"], dev.media.path.is_file()) == ("count", "B", True)
    assert (test.category, test.truth["options"], test.truth["letter"]) == ("sportsQA", ["Fast", "Slow"], "B")  # fmt: skip


def test_videomme_shows_what_is_said_if_asked_to(tmp_path):
    folder = published.videomme(tmp_path)
    [plain], [subtitled] = (
        videomme.read(folder, STRICT),
        videomme.read(folder, Options(subtitles=True)),
    )
    assert "subtitles" not in plain.prompt
    assert subtitled.prompt.startswith("This video's subtitles are listed below: \nLook!\n")
    assert (plain.truth["letter"], plain.group) == ("C", "short")


def test_vdc_asks_for_the_caption_of_a_task(tmp_path):
    [item] = vdc.read(published.vdc(tmp_path), Options(split="short"))
    assert item.prompt == "Write a one-sentence summary of the video."
    assert item.truth["pairs"] == [["Who?", "a dog"], ["What?", "runs"]]


def test_ovobench_asks_at_the_end_of_each_published_part(tmp_path):
    items = ovobench.read(published.ovobench(tmp_path), Options(split="all"))
    assert [item.media.path.name for item in items] == ["1.mp4", "2_0.mp4", "2_1.mp4", "3_0.mp4", "3_1.mp4"]  # fmt: skip
    assert [item.group for item in items] == ["backward", *["forward"] * 4]
    assert items[0].moment == AskedWhen(None)
    assert [item.truth.get("said") for item in items] == [None, "0", "12", "No", "Yes"]
    assert {item.cluster for item in items} == {"1", "2", "3"}


def test_streamingbench_asks_in_time_and_tells_the_truth_only_as_published(tmp_path):
    folder = published.streamingbench(tmp_path)
    now, later = streamingbench.read(folder, STRICT)
    assert (now.moment, later.moment) == (AskedWhen(2.0, 60.0), AskedWhen(5.0, 60.0))
    harness = streamingbench.read(folder, Options(Scoring.published, split="sequential"))
    assert "Answer: A" in harness[1].prompt
    ours = streamingbench.read(folder, Options(split="sequential"))
    asked = streamingbench.word(ours[1], {ours[0].key: "D"})
    assert "Question: Now?; Options: A. red, B. blue, C. green, D. none; Answer: D; " in asked
    [told] = streamingbench.read(folder, Options(Scoring.published, split="proactive"))
    [untold] = streamingbench.read(folder, Options(split="proactive"))
    assert 'output "blue"?' in told.prompt
    assert "When it turns blue. Has that happened by now?" in untold.prompt
    assert untold.moment == AskedWhen(1.0, None, 7.0)


def test_a_record_that_cannot_be_used_is_named(tmp_path):
    published.write(tmp_path / "mc_question_val.json", [{"video_name": "a", "question": "?", "options": ["x"]}])  # fmt: skip
    with pytest.raises(BadData, match=r"record 0 of mc_question_val\.json lacks answer_id"):
        perception_test.read(tmp_path, STRICT)
    with pytest.raises(BadData, match="holds nothing like"):
        vdc.read(tmp_path, Options(split="camera"))


def test_parquet_is_read_as_published(tmp_path):
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = [{"videoID": "abc", "question_id": "1-1", "task_type": "Counting", "duration": "long",
             "question": "How many?", "options": ["A. One.", "B. Two."], "answer": "B"}]  # fmt: skip
    (tmp_path / "videomme").mkdir()
    parquet.write_table(
        arrow.Table.from_pylist(rows), tmp_path / "videomme/test-00000-of-00001.parquet"
    )
    [item] = videomme.read(tmp_path, STRICT)
    assert item.truth == {"options": ["One.", "Two."], "letter": "B"}
