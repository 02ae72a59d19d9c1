"""lmms-eval's way of asking, with the package where it is installed, else with its documented interface."""

import importlib.util
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image

from tests.stream.videos import write_video
from tests.training import published
from training.errors import BadData
from training.evaluations.items import AskedWhen, Media, Scoring
from training.lmms_eval import streamingbench_utils as utils
from training.lmms_eval.requests import ended, item_of
from training.lmms_eval.streamingbench import write_task

INSTALLED = importlib.util.find_spec("lmms_eval") is not None


class Documented:
    """What lmms-eval's base class gives a model, by its documentation."""

    def __init__(self):
        self.task_dict = {}


@dataclass
class Request:
    args: tuple
    metadata: dict = field(default_factory=dict)


@pytest.fixture
def model(monkeypatch):
    """Our model's class, on the real base class or on one like it."""
    if not INSTALLED:
        for name in ("lmms_eval", "lmms_eval.api", "lmms_eval.api.model"):
            monkeypatch.setitem(sys.modules, name, ModuleType(name))
        sys.modules["lmms_eval.api.model"].lmms = Documented
        monkeypatch.delitem(sys.modules, "training.lmms_eval.model", raising=False)
    yield importlib.import_module("training.lmms_eval.model").FlashbackModel
    sys.modules.pop("training.lmms_eval.model", None)


def test_requests_are_answered_in_their_order(model, tmp_path):
    film = str(write_video(tmp_path / "f.mp4", seconds=6, rate=4))
    shown = {
        0: [film],
        1: [film, {"start": 1.0, "end": 4.0}],
        2: [Image.new("RGB", (40, 30), (200, 30, 30))] * 2,
        3: [film, {"moment": 3.0, "context": 60.0}],
        4: [str(tmp_path / "missing.mp4")],
    }
    driven = model(model="tiny", frames=8, batch_size=1, device="cpu")
    driven.task_dict = {"t": {"test": {n: {"n": n} for n in shown}}}
    settings = {"max_new_tokens": 3, "until": ["\n\n"]}
    requests = [Request((f"What {n}?", settings, lambda d: shown[d["n"]], n, "t", "test")) for n in shown]  # fmt: skip
    answers = driven.generate_until(requests)
    assert len(answers) == 5
    assert all(isinstance(answer, str) for answer in answers)
    assert answers[4] == ""
    assert driven.generate_until(requests) == answers
    with pytest.raises(NotImplementedError):
        driven.loglikelihood(requests)
    with pytest.raises(ValueError, match="on or off"):
        model(dropout="maybe")


@pytest.mark.skipif(not INSTALLED, reason="needs lmms-eval")
def test_lmms_eval_finds_the_model_and_the_task(tmp_path):
    from lmms_eval.models.registry_v2 import ModelRegistryV2
    from lmms_eval.tasks import TaskManager

    from training.lmms_eval.entry import manifest

    registry = ModelRegistryV2()
    registry.register_manifest(manifest())
    assert registry.get_model_class("flashback").__name__ == "FlashbackModel"
    write_task(published.streamingbench(tmp_path / "data"), tmp_path / "tasks", "real")
    tasks = TaskManager("ERROR", include_path=str(tmp_path / "tasks"), include_defaults=False)
    assert "streamingbench_real" in tasks.all_tasks


def test_what_a_task_shows_says_when_it_is_asked(tmp_path):
    asked = [
        item_of("k", "What?", {}, visuals, tmp_path)
        for visuals in (["f.mp4"], ["f.mp4", {"start": 2, "end": 5}], ["f.mp4", {"moment": 7, "context": None}])
    ]  # fmt: skip
    assert [item.moment for item in asked] == [None, None, AskedWhen(7.0)]
    assert (asked[1].media.start, asked[1].media.end) == (2, 5)
    assert isinstance(asked[0].media, Media)
    for visuals in ([], ["a.mp4", "b.mp4"], [3]):
        with pytest.raises(BadData, match="k shows"):
            item_of("k", "What?", {}, visuals, tmp_path)


@pytest.mark.parametrize(("until", "answer"), [(["\n"], "a"), ("b", "a\n"), (None, "a\nb"), ([], "a\nb")])  # fmt: skip
def test_an_answer_ends_where_a_task_wants(until, answer):
    assert ended("a\nb", {"until": until}) == answer.strip()


def test_streamingbench_becomes_a_task_whose_questions_know_their_moment(tmp_path):
    yaml = pytest.importorskip("yaml")
    yaml.SafeLoader.add_constructor("!function", lambda loader, node: node.value)
    folder = write_task(published.streamingbench(tmp_path), tmp_path / "tasks", "real")
    task = yaml.safe_load((folder / "streamingbench_real.yaml").read_text())
    lines = Path(task["dataset_kwargs"]["data_files"]["test"]).read_text().splitlines()
    docs = [json.loads(line) for line in lines]
    assert all(hasattr(utils, name.removeprefix("utils.")) for name in (task["doc_to_text"], task["process_results"], task["metric_list"][0]["aggregation"]))  # fmt: skip
    doc = docs[0]
    assert "Options:" in utils.doc_to_text(doc)
    film, when = utils.doc_to_visual(doc, task["lmms_eval_specific_kwargs"]["flashback"])
    assert (film, when) == (doc["video"], {"moment": doc["at"], "context": 60.0})
    right = [utils.process_results(doc, [said]) for said in (f"{doc['letter']}. yes", "", "no")]
    results = [one["streamingbench_accuracy"] for one in right]
    assert [one["right"] for one in results] == [1.0, 0.0, 0.0]
    assert utils.accuracy(results) == pytest.approx(100 / 3)
    with pytest.raises(BadData, match="no part early"):
        write_task(tmp_path, tmp_path / "tasks", "early")


def docs_of(tmp_path, split, scoring=Scoring.strict):
    folder = write_task(
        published.streamingbench(tmp_path / "data"), tmp_path / "tasks", split, scoring
    )
    return [json.loads(line) for line in (folder / "docs.jsonl").read_text().splitlines()]


def test_sequential_questions_tell_the_right_answers_to_earlier_ones_where_that_was_published(tmp_path):  # fmt: skip
    docs = docs_of(tmp_path, "sequential", Scoring.published)
    first, second = (utils.doc_to_text(doc) for doc in docs)
    assert "question and answer occurred" not in first
    assert f"Answer: {docs[0]['letter']};" in second
    assert "{earlier}" not in first + second


def in_rounds(doc, answers, **how):
    """What a model of lmms-eval is told round by round that answers so, and its score."""
    asked = [(utils.rounds_doc_to_visual(doc, how), utils.rounds_doc_to_text(doc, how))]
    said = []
    for answer in answers:
        said.append(answer)
        visuals, prompt, over, _, _ = utils.rounds_doc_to_text(doc, how, said, len(said), None)
        if over:
            break
        asked.append((visuals, prompt))
    result = utils.rounds_process_results(doc, [said])["streamingbench_accuracy"]
    return asked, said, result


def test_sequential_questions_tell_a_model_what_itself_has_answered(tmp_path):
    [doc] = docs_of(tmp_path, "sequential")
    asked, said, result = in_rounds(doc, ["D", "B", "never asked"], as_stream=True)
    assert said == ["D", "B"]
    (first_shown, first), (second_shown, second) = asked
    assert "question and answer occurred" not in first
    assert "Question: Now?; Options: A. red, B. blue, C. green, D. none; Answer: D;" in second
    assert "{" not in first + second
    assert [shown[1]["moment"] for shown in (first_shown, second_shown)] == [2.0, 5.0]
    assert (result["right"], result["of"]) == (1.0, 2)
    assert utils.accuracy([result]) == 50.0


@pytest.mark.parametrize(
    ("answers", "rounds", "right"),
    [(["No", "Yes."], 2, 1.0), (["No"] * 9, 6, 0.0), (["yes"], 1, 1.0), (["No"] * 4 + ["Yes"], 5, 0.0)],
)  # fmt: skip
def test_what_happens_is_asked_for_every_second_until_it_is_told(
    tmp_path, monkeypatch, answers, rounds, right
):
    monkeypatch.setattr(utils, "cut", lambda film, start, end: f"{start} to {end}")
    [doc] = docs_of(tmp_path, "proactive")
    asked, said, result = in_rounds(doc, answers)
    assert len(said) == rounds
    assert [shown for shown, _ in asked] == [[f"0.0 to {n}.0"] for n in range(2, 2 + rounds)]
    assert 'output "blue"' not in asked[0][1]
    assert result["right"] == right


def test_a_stream_is_given_the_moment_until_which_it_may_tell(tmp_path):
    [doc] = docs_of(tmp_path, "proactive")
    asked, said, result = in_rounds(doc, ["4 s: Yes", "never asked"], as_stream=True)
    assert (len(asked), len(said), result["right"]) == (1, 1, 1.0)
    item = item_of("k", asked[0][1], {}, asked[0][0], tmp_path)
    assert item.moment == AskedWhen(1.0, None, 7.0)
    assert in_rounds(doc, ["9 s: yes"], as_stream=True)[2]["right"] == 0.0
    [doc] = docs_of(tmp_path, "proactive", Scoring.published)
    assert 'right time to output "blue"' in doc["prompt"]


def test_rounds_go_on_until_a_task_ends_them(model, tmp_path):
    film = str(write_video(tmp_path / "f.mp4", seconds=4, rate=4))
    told = []

    def word(doc, previous_output, round_idx, previous_round_info):
        told.append((doc["n"], round_idx, len(previous_output), previous_round_info))
        over = round_idx == doc["n"]
        return (None, None, True, previous_output, None) if over else ([film], f"Round {round_idx}?", False, previous_output, "kept")  # fmt: skip

    driven = model(model="tiny", frames=4)
    driven.task_dict = {"t": {"test": {n: {"n": n} for n in (1, 3)}}}
    settings = {"max_new_tokens": 3}
    requests = [Request(("What?", settings, lambda _: [film], word, n, "t", "test")) for n in (1, 3)]  # fmt: skip
    answers = driven.generate_until_multi_round(requests)
    assert [len(of_one) for of_one in answers] == [1, 3]
    assert all(isinstance(answer, str) for of_one in answers for answer in of_one)
    assert told == [(1, 1, 1, None), (3, 1, 1, None), (3, 2, 2, "kept"), (3, 3, 3, "kept")]


@pytest.mark.parametrize("rate", [2, 5, 25])
def test_other_models_are_shown_what_came_just_before(tmp_path, monkeypatch, rate):
    import av

    monkeypatch.setattr(utils.tempfile, "gettempdir", lambda: str(tmp_path))
    film = write_video(tmp_path / "f.mp4", seconds=8, rate=rate)
    [path] = utils.doc_to_visual({"video": str(film), "at": 6.0, "context": 3.0})
    with av.open(path) as cut:
        times = [frame.time for frame in cut.decode(video=0)]
    assert 2.2 < times[-1] - times[0] <= 3.1
    assert len(times) <= 13
    assert utils.doc_to_visual({"video": str(film), "at": 6.0, "context": 3.0}) == [path]
