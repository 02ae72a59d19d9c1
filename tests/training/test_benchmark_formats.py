"""The public benchmarks, read from items in their published formats."""

import json

import pytest

from tests.training import published
from training.errors import BadData
from training.evaluations.annotations import records, seconds
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


BENCHMARKS = {
    "mvbench": (mvbench, "json/action_sequence.json"),
    "lvbench": (lvbench, "json/lvbench_clean.json"),
    "longvideobench": (longvideobench, "lvb_val.json"),
    "charades": (charades, "json/temporal_grounding_charades.json"),
    "perception_test": (perception_test, "mc_question_val.json"),
    "mlvu": (mlvu, "json/4_count.json"),
    "videomme": (videomme, "videomme.json"),
    "ovobench": (ovobench, "ovo_bench.json"),
    "vdc": (vdc, "short.json"),
    "streamingbench": (streamingbench, "questions_real.json"),
}


def read_changed(tmp_path, name, change, split=""):
    """What is read of a benchmark whose first record, or its first question, is changed."""
    module, file = BENCHMARKS[name]
    path = getattr(published, name)(tmp_path) / file
    found = json.loads(path.read_text())
    change(found[0])
    published.write(path, found)
    return module.read(tmp_path, Options(split=split or ("short" if name == "vdc" else "")))


@pytest.mark.parametrize(
    ("name", "changed", "said"),
    [
        ("mvbench", {"candidates": []}, "candidates must be a list of texts"),
        ("mvbench", {"start": "soon"}, "start must be a number"),
        ("lvbench", {"answer": ""}, "the answer '' is none of"),
        ("lvbench", {"candidates": "(A) 1"}, "candidates must be a list"),
        ("longvideobench", {"correct_choice": "B"}, "correct_choice must be a number, got 'B'"),
        ("longvideobench", {"correct_choice": 7}, "the answer 7.0 is none of"),
        ("charades", {"timestamp": 3.0}, "not a span of time"),
        ("charades", {"timestamp": ["a", 4.0]}, "start must be a number, got 'a'"),
        ("charades", {"video": ""}, "a film is called ''"),
        ("perception_test", {"answer_id": "left"}, "answer_id must be a number"),
        ("perception_test", {"options": [None, "no"]}, "options must be a list of texts"),
        ("videomme", {"answer": ""}, "the answer '' is none of"),
        ("videomme", {"answer": "AB"}, "the answer 'AB' is none of"),
        ("ovobench", {"gt": None}, "lacks gt"),
        ("ovobench", {"gt": 1.5}, "the answer 1.5 is none of"),
        ("vdc", {"qa_list": "Who?"}, "qa_list must be a list of objects"),
        ("vdc", {"qa_list": [{"question": "Who?"}]}, "needs questions with their answers"),
        ("streamingbench", {"questions": {"question": "?"}}, "questions must be a list of objects"),
    ],
)
def test_a_field_that_is_something_else_is_refused_in_words(tmp_path, name, changed, said):
    with pytest.raises(BadData) as refused:
        read_changed(tmp_path, name, lambda one: one.update(changed))
    assert said in str(refused.value)


@pytest.mark.parametrize("answer", ["C", "c", "(C)", "C.", " C "])
def test_a_right_answer_may_be_written_as_a_letter_in_several_ways(tmp_path, answer):
    [item] = read_changed(tmp_path, "videomme", lambda one: one.update(answer=answer))
    assert item.truth["letter"] == "C"


def test_options_lose_the_letters_before_them_only_where_all_have_their_own(tmp_path):
    plain = ["A. Lincoln", "B.C. 44", "Mozart"]
    [item] = read_changed(tmp_path, "lvbench", lambda one: one.update(candidates=plain, answer="B"))
    assert item.truth == {"options": plain, "letter": "B"}
    [item] = read_changed(tmp_path / "v", "videomme", lambda one: one.update(options=["eins", "zwei", "drei"]))  # fmt: skip
    assert "Option:\nA. eins\nB. zwei\nC. drei\n" in item.prompt


@pytest.mark.parametrize("name", BENCHMARKS)
def test_text_in_any_language_is_asked_as_it_is_written(tmp_path, name):
    asked = "Was ist \u201edas\u201c \u2014 \u732b? \U0001f408"

    def change(one):
        for question in one.get("questions", [one]):
            key = "caption" if name in {"charades", "vdc"} else "question"
            question[key] = asked

    items = read_changed(tmp_path, name, change)
    assert name == "vdc" or asked in items[0].prompt


def test_a_film_lies_in_a_folder_of_its_own_or_has_an_ending_that_is_not_named(tmp_path):
    published.film(tmp_path / "videos/shows/one.mkv")
    [item] = read_changed(tmp_path, "lvbench", lambda one: one.update(video="shows/one"))
    assert item.media.path == tmp_path / "videos/shows/one.mkv"


def test_annotations_may_begin_with_a_mark_and_hold_other_ends_of_lines(tmp_path):
    one, two = {"a": "x\u2028y\x85z"}, {"a": "b"}
    lines = "\n".join(json.dumps(each, ensure_ascii=False) for each in (one, two))
    for name, text in (("a.jsonl", f"{lines}\r\n  \n"), ("a.json", json.dumps([one, two])), ("a.csv", "a\nb\n")):  # fmt: skip
        (tmp_path / name).write_text(text, encoding="utf-8-sig", newline="")
    assert records(tmp_path / "a.jsonl") == records(tmp_path / "a.json") == [one, two]
    assert records(tmp_path / "a.csv") == [two]


@pytest.mark.parametrize(("clock", "told"), [("00:01:30", 90.0), ("1:30.5", 90.5), ("00:00:01,250", 1.25), (7, 7.0), (" 2.5 ", 2.5)])  # fmt: skip
def test_a_clock_is_read_in_seconds(clock, told):
    assert seconds(clock, "here") == told


@pytest.mark.parametrize("clock", ["", "nan", "-3", "1:2:3:4", "soon", "inf"])
def test_what_is_no_clock_is_refused(clock):
    with pytest.raises(BadData, match="is not a time"):
        seconds(clock, "here")


SRT = (
    "1\r\n00:00:01,000 --> 00:00:02,000\r\n{}\r\n\r\n2\r\n00:00:03,000 --> 00:00:04,000\r\n1984\r\n"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_subtitles_in_another_encoding_are_read_and_numbers_that_are_said_stay(tmp_path, encoding):
    folder = published.videomme(tmp_path)
    (folder / "subtitle/abc.srt").write_bytes(SRT.format("Caf\u00e9!").encode(encoding))
    [item] = videomme.read(folder, Options(subtitles=True))
    assert item.prompt.startswith("This video's subtitles are listed below: \nCaf\u00e9!\n1984\n")


def test_a_film_without_subtitles_is_asked_without_where_the_format_leaves_them_out(tmp_path):
    folder = published.videomme(tmp_path / "v")
    (folder / "subtitle/abc.srt").unlink()
    [item] = videomme.read(folder, Options(subtitles=True))
    assert "subtitles" not in item.prompt
    folder = published.longvideobench(tmp_path / "l")
    (folder / "subtitles/x_en.json").write_text('[{"start": "00:00:01"}]')
    with pytest.raises(BadData, match=r"line 0 of x_en\.json lacks end"):
        longvideobench.read(folder, Options(subtitles=True))
    (folder / "subtitles/x_en.json").unlink()
    with pytest.raises(BadData, match=r"its subtitles x_en\.json are not in"):
        longvideobench.read(folder, Options(subtitles=True))


def test_a_table_that_cannot_be_read_is_not_passed_over_for_another_layout(tmp_path):
    folder = published.mlvu(tmp_path)
    published.write(folder / "mlvu_dev.json", [{"video_name": "t.mp4", "question": "How?", "answer": "A", "task_type": "x"}])  # fmt: skip
    with pytest.raises(BadData, match=r"record 0 of mlvu_dev\.json: the answer 'A' is none of"):
        mlvu.read(folder, Options(split="dev"))


@pytest.mark.parametrize("points", ["high", None, 9])
def test_a_judge_that_gives_no_number_gives_no_points(tmp_path, points):
    [item] = vdc.read(published.vdc(tmp_path), Options(split="short"))
    reply = str({"pred": "yes", "score": points})
    verdict = vdc.score(item, "A dog.", Options(judge=lambda _: reply))
    assert verdict.scores == {"accuracy": 1.0, "score": 5.0 if points == 9 else 0.0}
