"""The measurement for graphics cards, in full but on the processor and in small."""

import json

import pytest
import torch

from benchmarks import flops_gpu
from benchmarks.networks.clock import Countdown
from benchmarks.networks.gpu import Gpu
from benchmarks.networks.gpu_scene import SHAPES, GpuScene
from model.config import DropoutConfig


def measure(tmp_path, *options):
    out = tmp_path / "deep" / "found.json"
    small = ["--model", "tiny", "--frames", "8", "24", "--batches", "1", "--seconds", "900"]
    flops_gpu.main([*small, "--out", str(out), *options])
    return json.loads(out.read_text())


def test_every_part_is_measured_and_written(tmp_path, capsys):
    record = measure(tmp_path)
    parts = record["parts"]
    assert parts.keys() == flops_gpu.PARTS.keys()
    assert not any("failed" in part for part in parts.values())
    assert parts["encode"]["batches"][0]["whole"]["frames_per_s"] > 0
    for part in ("history", "whole"):
        assert [row["frames"] for row in parts[part]["lengths"]] == [8, 24]
        assert all(row["question"]["first_word_s"] > 0 for row in parts[part]["lengths"])
    assert [row["first_word_s"] > 0 for row in parts["one_pass"]["lengths"]] == [True] * 4
    assert len(record["targets"]) == 2
    assert "24 frames in one pass" in capsys.readouterr().out


def test_a_part_without_memory_is_reported_and_the_others_go_on(tmp_path, monkeypatch):
    def too_large(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(GpuScene, "extend", too_large)
    monkeypatch.setattr(GpuScene, "one_pass", too_large)
    record = measure(tmp_path, "--parts", "history", "one_pass", "encode")
    assert record["parts"]["history"]["failed"] == "OutOfMemoryError: CUDA out of memory"
    lengths = record["parts"]["one_pass"]["lengths"]
    assert all(row["failed"].endswith("out of memory") for row in lengths)
    assert record["parts"]["encode"]["batches"][0]["whole"]["seconds"] > 0


def test_what_there_is_no_time_for_is_left_out_or_filled_and_said(tmp_path):
    record = measure(tmp_path, "--parts", "history", "one_pass", "--part-seconds", "1e-9")
    history, one_pass = (record["parts"][part]["lengths"] for part in ("history", "one_pass"))
    # Asking and timing the reading of a clip has made the first one longer.
    assert history[0]["filled_clips"] == 2
    assert 0 < history[1]["filled_clips"] <= 4
    assert all("it would take" in row["left_out"] for row in one_pass)


@pytest.mark.parametrize("dropout", [DropoutConfig(), SHAPES["tiny"].dropout])
def test_a_filled_history_of_any_dropout_is_like_one_that_was_read(dropout):
    scene = GpuScene(SHAPES["tiny"], Gpu(torch.device("cpu")), 300)
    read, filled = scene.history(dropout), scene.history(dropout)
    scene.extend(read, 40)
    scene.extend(read, 30)
    filled.fill(70)
    assert [clip.rows for clip in filled.clips] == [clip.rows for clip in read.clips]
    assert (filled._positions, filled.bytes) == (read._positions, read.bytes)
    assert scene.question(filled, 0.0)["first_word_s"] > 0


def test_positions_are_stretched_as_far_as_the_longest_history_needs():
    scene = GpuScene(SHAPES["tiny"], Gpu(torch.device("cpu")), 20_000)
    assert scene.chat.reach > 20_000 / 4 * 16 * 0.125
    history = scene.history(DropoutConfig())
    history.fill(5_000)
    scene.extend(history, 1)
    assert len(history.clips) == 5_001


def test_a_clock_for_a_part_never_outlasts_the_whole():
    now = [10.0]
    clock = Countdown(5.0, lambda: now[0])
    part, longer = clock.within(2.0), clock.within(99.0)
    now[0] = 12.5
    assert (part.left, longer.left, clock.left) == (-0.5, 2.5, 2.5)
