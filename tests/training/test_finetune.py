"""The four stages of training, on a checkpoint in the released layout with every size shrunk."""

import asyncio
import json
import sys
from dataclasses import replace

import pytest
import torch
from PIL import Image

from model.types import Clip, Question
from model.video_chat import VideoChat
from model.zoo.presets import load_parts
from tests.training.small_training import (
    ALONE,
    SMALL,
    recipe,
    said,
    weights,
    write_base,
    write_data,
)
from tests.web.test_cli import run
from training.errors import BadData
from training.finetune.data_list import read_data_list, sampled
from training.finetune.media import frames_for, read_film
from training.finetune.recipe import STAGES
from training.finetune.run import LOG, MODEL, SAMPLES, StageRun, rate_at
from training.finetune.state import STATE, export


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return write_base(tmp_path_factory.mktemp("base"))


def changed(before, after):
    """Return the parts of which something changed."""
    parts = {"vision_tower": "vision", "mm_projector": "projector"}
    return {
        next((name for mark, name in parts.items() if mark in key), "language")
        for key, tensor in after.items()
        if not torch.equal(tensor.float(), before[key].float())
    }


def test_a_checkpoint_goes_through_all_four_stages_and_is_served(base, data, tmp_path):
    model, parts = base, []
    for stage in STAGES:
        plan = recipe(stage, model, data, tmp_path / stage, batch=6)
        before, model = weights(model), StageRun(plan, ALONE, SMALL).train()
        parts.append(changed(before, weights(model)))
    everything = {"vision", "projector", "language"}
    assert parts == [{"projector"}, everything, everything, {"vision", "projector"}]
    service = VideoChat(load_parts(str(model), dtype=torch.float32, towers=SMALL))
    assert service.parts.config.vision.image_size == 64
    clips = service.encode([Clip(torch.zeros(4, 30, 40, 3, dtype=torch.uint8), 0.0, 3.0)])
    history = service.open()
    service.extend(history, clips)
    assert service.ask(history, Question("What?")) is not None


def test_a_run_that_is_gone_on_with_ends_in_the_same_bits(base, data, tmp_path):
    class Stopped(Exception):
        pass

    def stop(step):
        if step.step == 2:
            raise Stopped

    straight = StageRun(recipe("short", base, data, tmp_path / "a", epochs=2), ALONE, SMALL).train()
    again = recipe("short", base, data, tmp_path / "b", epochs=2)
    with pytest.raises(Stopped):
        StageRun(again, ALONE, SMALL).train(stop)
    resumed = StageRun(again, ALONE, SMALL)
    assert resumed.done == 2
    one, other = weights(straight), weights(resumed.train())
    assert all(torch.equal(one[name], other[name]) for name in one)
    logs = [(tmp_path / one / LOG).read_text().splitlines() for one in "ab"]
    losses = [[json.loads(line)["loss"] for line in log] for log in logs]
    assert losses[0] == losses[1]


def test_what_is_broken_is_counted_and_the_rest_is_learned(base, data, tmp_path):
    steps = []
    learning = StageRun(recipe("short", base, data, tmp_path / "run"), ALONE, SMALL)
    learning.train(steps.append)
    assert sum(step.examples for step in steps) == 5
    assert sum(step.broken for step in steps) == 1
    assert learning.broken["no question followed by an answer"] == 1
    assert any("broken.mp4" in reason for reason in learning.broken)


def test_adapters_are_merged_by_export(base, data, tmp_path):
    run = StageRun(
        recipe("short", base, data, tmp_path / "run", rank=2, language_rate=0.01), ALONE, SMALL
    )
    trained = run.train()
    export(tmp_path / "run", tmp_path / "out", SMALL)
    one, other = weights(trained), weights(tmp_path / "out")
    assert one.keys() == other.keys() == weights(base).keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert "language" in changed(weights(base), one)
    with pytest.raises(BadData, match="holds no run"):
        export(tmp_path, tmp_path / "out", SMALL)


@pytest.mark.parametrize("dropout", [True, False])
def test_dropping_and_computing_again_leave_the_loss_finite(base, data, tmp_path, dropout):
    losses = []
    for again in (True, False):
        steps = []
        name = f"{dropout}{again}"
        StageRun(recipe("short", base, data, tmp_path / name, dropout=dropout, checkpointing=again, steps=1), ALONE, SMALL).train(steps.append)  # fmt: skip
        losses.append(steps[0].loss)
    assert losses[0] == losses[1]
    assert 0 < losses[0] < 100


def test_bfloat16_learns_as_well(base, data, tmp_path):
    steps = []
    StageRun(recipe("joint", base, data, tmp_path / "run", precision="bfloat16", steps=1), ALONE, SMALL).train(steps.append)  # fmt: skip
    assert 0 < steps[0].loss < 100


@pytest.mark.slow
@pytest.mark.timeout(400)  # starts two processes, which takes long on a busy machine
async def test_two_processes_learn_what_one_does_whole_and_in_parts(base, data, tmp_path):
    sharded = {"sharded": True, "dropout": True, "checkpointing": True}
    plans = {"ddp": ("alignment", {}), "fsdp": ("short", sharded)}
    expected, script = {}, tmp_path / "two.py"
    for name, (stage, more) in plans.items():
        alone = StageRun(recipe(stage, base, data, tmp_path / f"one-{name}", batch=4, **more), ALONE, SMALL)  # fmt: skip
        expected[name] = await asyncio.to_thread(alone.train)
        recipe(stage, base, data, tmp_path / name, batch=4, **more)
    await asyncio.to_thread(script.write_text, TWO.format(folder=str(tmp_path)))
    launch = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "--no-python")
    code, _, errors = await run(
        *launch, sys.executable, str(script), OMP_NUM_THREADS="1", PYTHONPATH="."
    )
    assert code == 0, errors[-3000:]
    for name in plans:
        one, two = weights(expected[name]), weights(tmp_path / name / MODEL)
        # Adam's first steps take the sign of a gradient: where that is rounding, they differ.
        far = sum(int(((two[key] - one[key]).abs() > 2e-4).sum()) for key in one)
        assert far < 5e-3 * sum(tensor.numel() for tensor in one.values())
        assert "projector" in changed(weights(base), two)
        logs = [tmp_path / run / LOG for run in (f"one-{name}", name)]
        losses = [
            [json.loads(line)["loss"] for line in log.read_text().splitlines()] for log in logs
        ]
        assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    # What lies in parts is kept whole: any number of processes can go on from it.
    states = [torch.load(tmp_path / f / STATE, weights_only=True) for f in ("one-fsdp", "fsdp")]
    kept = [{n: tuple(t.shape) for n, t in state["weights"].items()} for state in states]
    assert kept[0] == kept[1]


TWO = """
from pathlib import Path
from tests.training.small_training import SMALL
from training.finetune.processes import processes
from training.finetune.recipe import read_recipe
from training.finetune.run import StageRun
class Stopped(Exception): pass
def stop(step):
    raise Stopped
folder = Path({folder!r})
def train(among):
    StageRun(read_recipe("alignment", folder / "ddp.yaml"), among, SMALL).train()
    plan = read_recipe("short", folder / "fsdp.yaml", save_every=1)
    try:
        StageRun(plan, among, SMALL).train(stop)
    except Stopped:
        pass
    again = StageRun(plan, among, SMALL)
    assert again.done == 1
    again.train()
with processes() as among:
    assert among.count == 2
    train(among)
"""


def test_packing_learns_what_reading_each_alone_does(base, data, tmp_path):
    found = []
    for pack in (0, 400):
        run = StageRun(recipe("short", base, data, tmp_path / f"{pack}", batch=6, pack=pack), ALONE, SMALL)  # fmt: skip
        parts = run._passes([run._examples.make(r) for r in run.records.usable if r.video is None or "broken" not in str(r.video)])  # fmt: skip
        losses = []
        for part in parts:
            loss = run._loss(part)
            loss.backward()
            losses.append(float(loss.detach()))
        found.append((len(parts), sum(losses), {n: p.grad for n, p in run.tuner.trained().items()}))
    (count, loss, gradients), (fewer, packed, others) = found
    assert fewer < count == 5
    assert packed == pytest.approx(loss, abs=1e-4)
    for name, gradient in gradients.items():
        torch.testing.assert_close(others[name], gradient, atol=1e-5, rtol=1e-3)


def test_what_the_model_answers_meanwhile_is_shown_and_kept(base, data, tmp_path):
    shown = []
    plan = recipe("short", base, data, tmp_path / "run", sample_every=1, steps=2, dropout=True)
    StageRun(plan, ALONE, SMALL).train(shown=shown.append)
    assert [sample.step for sample in shown] == [1, 2]
    assert (shown[1].question, shown[1].expected) == ("<image>\nWhat?", "Red.")
    kept = (tmp_path / "run" / SAMPLES).read_text().splitlines()
    assert [json.loads(line)["said"] for line in kept] == [sample.said for sample in shown]


def test_the_rate_warms_up_and_falls_along_a_cosine(base, data, tmp_path):
    plan = recipe("short", base, data, tmp_path / "run", warm_up=0.1)
    rates = [rate_at(plan, step, 100) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9] == rates[10] == 1
    assert rates[55] == pytest.approx(0.5)
    assert rates[99] < 0.001


@pytest.mark.parametrize(("seconds", "frames"), [(3, 64), (70, 68), (1000, 512), (511.9, 508)])
def test_a_film_is_looked_at_once_a_second_within_bounds(seconds, frames):
    assert frames_for(seconds, 64, 512) == frames


@pytest.mark.parametrize(
    ("strategy", "taken"),
    [("all", [0, 9]), ("first:3", [0, 2]), ("first:25%", [0, 2]), ("end:2", [8, 9]),
     ("first2:3", [3, 5]), ("first4:25%", [9, 9]), ("end:50%", [5, 9]), ("end:99", [0, 9])],
)  # fmt: skip
def test_a_list_takes_the_part_of_a_file_that_it_says(strategy, taken):
    numbers = sampled(10, strategy, "a.json")
    assert [numbers[0], numbers[-1]] == taken


def test_longvid_and_its_neighbours_are_read_as_published(base, tmp_path):
    """Records in the format of the lists of stage 3: folders of frames, parts of films, text."""
    for film, frames in (("longvid_subset/a", 12), ("tvqa/b", 12)):
        (tmp_path / film).mkdir(parents=True)
        for number in range(1, frames + 1):
            Image.new("RGB", (32, 24), (20 * number, 0, 0)).save(tmp_path / film / f"{number}.jpg")
    (tmp_path / "annotations").mkdir()
    asked = said("<image>\nWhich steps come after the flour?", "The eggs.")
    files = {
        "htstep_eventunderstanding.json": [{"video": "a", "conversations": asked}],
        "ego4dhcap.json": [{"video": ["a"], "start": 2.0, "end": 9.0, "conversations": asked}],
        "longvid_subset.jsonl": [{"video": "a", "fps": 2, "start": 1, "end": 3, "conversations": asked}],
        "vqa_tvqa.jsonl": [{"video": "b", "conversations": asked, "fps": None}],
        "timeit.json": [{"video": "a", "conversations": asked, "fps": "fast"}],
    }  # fmt: skip
    listed = []
    for name, records in files.items():
        lines = "\n".join(map(json.dumps, records))
        text = lines if name.endswith("l") else json.dumps(records)
        (tmp_path / "annotations" / name).write_text(text)
        root = "tvqa" if "tvqa" in name else "longvid_subset"
        listed.append({"json_path": f"annotations/{name}", "sampling_strategy": "all", "data_root": root, "video_read_type": "img"})  # fmt: skip
    (tmp_path / "stage3.json").write_text(json.dumps({"datasets": listed}))
    found = read_data_list(tmp_path / "stage3.json")
    assert found.broken == {"fps is not a positive number": 1}
    films = [read_film(record, 64, 512) for record in found.usable]
    assert [film.seen for film in films] == [12, 8, 4, 12]
    assert [film.seconds for film in films] == [12.0, 8.0, 2.5, 4.0]
    for name in ("data_root", "json_path"):
        address = {**listed[0], name: "https://example.org/longvid"}
        (tmp_path / "far.json").write_text(json.dumps({"datasets": [address]}))
        with pytest.raises(BadData, match=f"{name} https://example.org/longvid is an address"):
            read_data_list(tmp_path / "far.json")
    (tmp_path / "fake.json").write_text(json.dumps({"datasets": [{**listed[0], "video_read_type": "fake"}]}))  # fmt: skip
    with pytest.raises(BadData, match="'fake' is not one of"):
        read_data_list(tmp_path / "fake.json")


def test_what_a_recipe_or_a_list_cannot_mean_is_refused(base, data, tmp_path):
    with pytest.raises(BadData, match="sampling_strategy 'random' is not known"):
        sampled(10, "random", "a.json")
    with pytest.raises(BadData, match="learning_rate is not a setting"):
        recipe("short", base, data, tmp_path / "x", learning_rate=1e-5)
    with pytest.raises(BadData, match="every rate is 0"):
        recipe("alignment", base, data, tmp_path / "x", projector_rate=0)
    found = read_data_list(data)
    assert (len(found.usable), dict(found.broken)) == (6, {"no question followed by an answer": 1})
    plan = recipe("short", base, data, tmp_path / "run", steps=1)
    StageRun(plan, ALONE, SMALL).train()
    assert (tmp_path / "run" / STATE).is_file()
    with pytest.raises(BadData, match="another seed"):
        StageRun(replace(plan, seed=5), ALONE, SMALL)
