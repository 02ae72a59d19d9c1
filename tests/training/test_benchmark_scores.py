"""How answers are scored: exactly, and with every public harness's own mistakes."""

from pathlib import Path

import pytest

from training.evaluations.answers import TimedAnswer
from training.evaluations.choices import truth
from training.evaluations.items import AskedWhen, Benchmark, Item, Media, Options, Scoring, Verdict
from training.evaluations.letters import anywhere, exact, guessed, prioritised, videomme
from training.evaluations.published import charades, lvbench, mvbench, ovobench, streamingbench, vdc
from training.evaluations.spans import evidence_span, iou, published_span, said_spans
from training.evaluations.summary import summarise, table

PUBLISHED, STRICT = Options(Scoring.published), Options(Scoring.strict)
ANIMALS = ("a cat", "a dog", "a cow")


def item(options=ANIMALS, right=1, key="k", category="c", film="f", **more):
    known = more.pop("truth", None) or truth(options, right)
    return Item(key, category, Media(Path(film)), "?", known, **more)


@pytest.mark.parametrize(
    ("answer", "letter"),
    [("B", "B"), ("(b)", "B"), ("B.", "B"), ("B) a dog", "B"), ("Answer: B", "B"), ("A dog", "B"),
     ("The answer is C.", "C"), ("a dog.", "B"), ("A cat and a dog", ""), ("D", ""), ("", ""),
     ("I saw B", "")],
)  # fmt: skip
def test_a_letter_counts_only_where_it_stands_as_one(answer, letter):
    assert exact(answer, ANIMALS) == letter


def test_every_harness_reads_the_same_words_in_its_own_way():
    assert anywhere("This is a cat.") == "A"  # the article
    assert anywhere("B. a dog") == "B"
    assert anywhere("nothing here") == "nothing here"
    assert videomme("Clearly not") == "C"  # inside of a word
    assert videomme("The best answer is B.") == "B"
    assert prioritised("Not (A) but (C)", "A-D") == "C"
    assert guessed("(A) or (C)", ANIMALS, "k") == "C"
    assert guessed("what I saw there was clearly a dog", ANIMALS, "k") == "B"
    unread = {guessed("no idea", ANIMALS, f"k{n}") for n in range(30)}
    assert unread == {"A", "B", "C"}  # at random
    assert guessed("no idea", ANIMALS, "k") == guessed("no idea", ANIMALS, "k")


def test_empty_answers_are_passed_over_only_as_published():
    for benchmark in (mvbench.MVBENCH, lvbench.LVBENCH, streamingbench.STREAMINGBENCH):
        assert not benchmark.score(item(), "", PUBLISHED).counted
        assert benchmark.score(item(), "", STRICT) == Verdict({"accuracy": 0.0})


def test_a_question_without_a_right_option_counts_as_wrong_only_as_published():
    hopeless = item(right=None)
    assert mvbench.MVBENCH.score(hopeless, "B", PUBLISHED) == Verdict({"accuracy": 0.0})
    assert not mvbench.MVBENCH.score(hopeless, "B", STRICT).counted


def test_ovobench_takes_any_letter_for_the_answer_only_as_published():
    first = item(right=0)
    assert ovobench.score(first, "Appears to be a dog", PUBLISHED).scores == {"accuracy": 1.0}
    assert ovobench.score(first, "Appears to be a dog", STRICT).scores == {"accuracy": 0.0}
    count = item(category="REC", truth={"said": "12"})
    assert ovobench.score(count, "1 or 2", PUBLISHED).scores == {"accuracy": 1.0}
    assert ovobench.score(count, "1 or 2", STRICT).scores == {"accuracy": 0.0}
    assert ovobench.score(count, "12 times", STRICT).scores == {"accuracy": 1.0}
    step = item(category="SSR", truth={"said": "No"})
    assert ovobench.score(step, "Now he does", PUBLISHED).scores == {"accuracy": 1.0}
    assert ovobench.score(step, "Now he does", STRICT).scores == {"accuracy": 0.0}
    assert ovobench.score(step, "No.", STRICT).scores == {"accuracy": 1.0}


def test_streamingbench_wants_the_moment_within_two_seconds():
    due = item(truth={"due": 30.0}, moment=AskedWhen(20.0, None, 34.0))
    told = [streamingbench.score(due, a, STRICT).scores["accuracy"] for a in ("29 s: Yes", "33 s: Yes", "No", "")]  # fmt: skip
    assert told == [1.0, 0.0, 0.0, 0.0]


def test_spans_are_read_and_agree_by_their_overlap():
    assert said_spans("It happens in the 2.0 - 4.5 seconds.") == [(2.0, 4.5)]
    assert said_spans("from 1:05 to 1:20, then 90 s to 95 s") == [(65.0, 80.0), (90.0, 95.0)]
    assert said_spans("never") == []
    assert published_span("it happens early") is None
    assert published_span("starts at 3 seconds\nends at 8 seconds") == (3.0, 8.0)
    assert published_span("24.3 to 30.4") == (24.3, 30.4)
    assert iou((0, 4), (2, 6)) == pytest.approx(1 / 3)
    assert iou((0, 1), (2, 3)) == 0


def test_what_an_answer_rests_on_makes_a_span_around_the_best_clip():
    clips = [(0, 3, 0.1), (4, 7, 0.2), (8, 11, 0.4), (12, 15, 0.3), (16, 19, 0.0), (20, 23, 0.3)]
    assert evidence_span(clips) == (4, 15)
    assert evidence_span([]) is None
    query = item(truth={"span": [4.0, 15.0]})
    assert charades.score_evidence(query, clips) == {"mIoU, evidence": 1.0}


def test_charades_has_recall_at_three_overlaps_and_the_mean():
    query = item(truth={"span": [2.0, 4.0]})
    scores = charades.score(query, "in the 2.0 - 3.2 seconds", STRICT).scores
    assert scores == {"R@0.3": 1.0, "R@0.5": 1.0, "R@0.7": 0.0, "mIoU": pytest.approx(0.6)}
    assert charades.score(query, "no idea", PUBLISHED).scores["mIoU"] == 0
    assert charades.score(query, "no idea", STRICT).scores["mIoU"] == 0


def test_vdc_counts_only_what_a_judge_said():
    caption = item(truth={"pairs": [["Who?", "a dog"], ["What?", "runs"]]})
    replies = iter(["a dog", "{'pred': 'yes', 'score': 5}", "nothing", "no dictionary"])
    judged = Options(judge=lambda _: next(replies))
    assert vdc.score(caption, "A dog.", judged).scores == {"accuracy": 0.5, "score": 2.5}
    assert not vdc.score(caption, "A dog.", STRICT).counted


def summary(rights, average="items", **fields):
    """Return the summary of answers that are right or not, a film each unless said."""
    items = [item(key=str(n), film=str(n), **{k: v[n] for k, v in fields.items()}) for n in range(len(rights))]  # fmt: skip
    benchmark = Benchmark("x", "X", lambda *_: items, lambda i, a, _: Verdict({"accuracy": float(a == "1")}), average)  # fmt: skip
    answers = {str(n): TimedAnswer(str(n), str(int(right)), "?") for n, right in enumerate(rights)}
    return summarise(benchmark, STRICT, items, answers)


def test_questions_about_one_film_make_the_interval_wider():
    rights = [True] * 10 + [False] * 10
    apart = summary(rights)["measures"]["accuracy"]["all"]
    films = ["a"] * 10 + ["b"] * 10
    together = summary(rights, cluster=films)["measures"]["accuracy"]["all"]  # fmt: skip
    assert apart["mean"] == together["mean"] == 0.5
    assert apart["error"] == pytest.approx((0.25 / 20) ** 0.5, abs=1e-6)
    assert together["error"] == pytest.approx((0.25 / 2) ** 0.5, abs=1e-6)
    assert together["clusters"] == 2


def test_all_right_is_not_certain():
    found = summary([True] * 5)["measures"]["accuracy"]["all"]
    assert (found["mean"], found["high"]) == (1.0, 1.0)
    assert found["low"] == pytest.approx(0.5655, abs=1e-3)  # Wilson, five films


def test_the_mean_is_over_items_categories_or_groups():
    rights, tasks = [True, True, True, False], ["p", "p", "p", "q"]
    groups = ["g", "g", "g", "h"]
    means = [summary(rights, average, category=tasks, group=groups)["measures"]["accuracy"]["all"]["mean"] for average in ("items", "categories", "groups")]  # fmt: skip
    assert means == [0.75, 0.5, 0.5]


def test_the_table_has_a_row_a_category():
    shown = table(summary([True, False], category=["p", "q"]))
    assert "| | items | films | accuracy |" in shown
    assert "| p | 1 | 1 | 1.000 (" in shown
    assert "| **all** | 2 | 2 | 0.500 (" in shown


def test_a_benchmark_of_one_category_has_one_line():
    assert table(summary([True, False], category=["p", "p"])).count("\n") == 2
