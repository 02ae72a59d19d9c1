"""Training that was stopped goes on as if it had not been."""

import signal

import pytest
import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from training.lite.loop import StagePlan, load_weights, run
from training.whole_files import whole_file


class Line(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3))
        self.fixed = nn.Parameter(torch.ones(3), requires_grad=False)


def learner(line, stop_at=None):
    def learn(step):
        if step == stop_at:
            raise KeyboardInterrupt
        target = torch.tensor([1.0, 2.0, float(step % 3)])
        loss = (line.weight - target).square().sum()
        loss.backward()
        return loss.item()

    return learn


def plan(tmp_path, name):
    return StagePlan(30, 0.1, 1, tmp_path / f"{name}.pt", warm_up=3, every=10)


def test_a_run_that_was_interrupted_ends_where_an_uninterrupted_one_does(tmp_path):
    whole, first, second = Line(), Line(), Line()
    run(plan(tmp_path, "whole"), whole, learner(whole), dict, lambda _: None)
    with pytest.raises(KeyboardInterrupt):
        run(plan(tmp_path, "part"), first, learner(first, stop_at=17), dict, lambda _: None)
    run(plan(tmp_path, "part"), second, learner(second), dict, lambda _: None)
    torch.testing.assert_close(second.weight, whole.weight)
    assert (whole.weight != 0).all()
    assert (whole.fixed == 1).all()


def test_an_interruption_while_figures_are_taken_repeats_no_step(tmp_path):
    line, steps = Line(), []

    def learn(step):
        steps.append(step)
        return learner(line)(step)

    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(plan(tmp_path, "r"), line, learn, interrupted, lambda _: None)
    run(plan(tmp_path, "r"), Line(), learn, dict, lambda _: None)
    assert steps == list(range(30))


def test_an_interruption_in_the_middle_of_an_update_waits_for_its_end(tmp_path):
    whole, first, second = Line(), Line(), Line()

    def interrupt(*_):
        signal.raise_signal(signal.SIGINT)

    run(plan(tmp_path, "whole"), whole, learner(whole), dict, lambda _: None)
    hook = register_optimizer_step_pre_hook(interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            run(plan(tmp_path, "part"), first, learner(first), dict, lambda _: None)
    finally:
        hook.remove()
    assert (first.weight != 0).any(), "the update was made"
    run(plan(tmp_path, "part"), second, learner(second), dict, lambda _: None)
    torch.testing.assert_close(second.weight, whole.weight)


def test_figures_are_reported_now_and_then(tmp_path):
    line, lines = Line(), []
    run(plan(tmp_path, "r"), line, learner(line), lambda: {"share": 0.5}, lines.append)
    assert [text.split()[1] for text in lines] == ["10", "20", "30"]
    assert "share 0.500" in lines[0]


def test_the_learning_rate_rises_then_falls(tmp_path):
    rates = [plan(tmp_path, "x").rate_at(step) for step in range(30)]
    assert rates.index(max(rates)) in {2, 3}
    assert rates[3:] == sorted(rates[3:], reverse=True)


def test_a_checkpoint_of_another_network_is_refused():
    with pytest.raises(KeyError, match="another network"):
        load_weights({"a": torch.zeros(1)}, {"b": torch.zeros(1)})


def stopped_while_it_writes(file):
    with whole_file(file) as partial:
        partial.write_text("ne")
        raise KeyboardInterrupt


def test_a_file_that_was_being_written_when_training_stopped_is_still_the_old_one(tmp_path):
    file = tmp_path / "weights.pt"
    file.write_text("old")
    with pytest.raises(KeyboardInterrupt):
        stopped_while_it_writes(file)
    assert file.read_text() == "old"
    with whole_file(file) as partial:
        partial.write_text("new")
    assert file.read_text() == "new"
    assert list(tmp_path.iterdir()) == [file]
