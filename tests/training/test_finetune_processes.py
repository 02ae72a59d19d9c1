"""Two processes that train together, of which one is killed; another number of them goes on."""

import asyncio
import json
import sys

import pytest
import torch

from tests.training.small_training import ALONE, SMALL, recipe, weights, write_base, write_data
from tests.web.test_cli import run
from training.errors import BadData
from training.finetune.processes import processes
from training.finetune.run import LOG, StageRun
from training.finetune.state import STATE

KILLED = """
import os, signal
from pathlib import Path
from tests.training.small_training import SMALL
from training.finetune.processes import processes
from training.finetune.recipe import read_recipe
from training.finetune.run import StageRun
from training.errors import BadData
from web.cli.signals import signals_as_interrupt
folder = Path({folder!r})
def killed(step):
    if step.step == 2 and os.environ["RANK"] == "1":
        os.kill(os.getpid(), signal.SIGKILL)
def train(among):
    StageRun(read_recipe("short", folder / "two.yaml"), among, SMALL).train(killed)
try:
    with signals_as_interrupt(), processes() as among:
        train(among)
except BadData as error:
    (folder / "said").write_text(str(error))
    raise SystemExit(1)
"""


@pytest.mark.slow
@pytest.mark.timeout(400)  # starts two processes, which takes long on a busy machine
async def test_one_goes_on_where_two_were_when_one_of_them_was_killed(tmp_path):
    base, data = write_base(tmp_path / "base"), write_data(tmp_path / "data")
    alone = recipe("short", base, data, tmp_path / "one", batch=2, epochs=2)
    straight = await asyncio.to_thread(StageRun(alone, ALONE, SMALL).train)
    plan = recipe("short", base, data, tmp_path / "two", batch=2, epochs=2, save_every=1000)
    script = tmp_path / "killed.py"
    await asyncio.to_thread(script.write_text, KILLED.format(folder=str(tmp_path)))
    launch = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "--no-python")
    code, _, errors = await run(
        *launch, sys.executable, str(script), OMP_NUM_THREADS="1", PYTHONPATH="."
    )
    assert code != 0
    assert "Signal 9" in errors
    state = await asyncio.to_thread(torch.load, tmp_path / "two" / STATE, weights_only=True)
    assert state["step"] == 2
    resumed = StageRun(plan, ALONE, SMALL)
    assert resumed.done == 2
    one, two = weights(straight), weights(await asyncio.to_thread(resumed.train))
    far = sum(int(((two[key] - one[key]).abs() > 2e-4).sum()) for key in one)
    assert far < 5e-3 * sum(tensor.numel() for tensor in one.values())
    # Whichever process met it, what is broken is counted once, and named.
    assert sum(count for why, count in resumed.broken.items() if "broken.mp4" in why) == 2
    losses = [
        [json.loads(line)["loss"] for line in (tmp_path / run / LOG).read_text().splitlines()]
        for run in ("one", "two")
    ]
    assert losses[1] == pytest.approx(losses[0], rel=1e-3)


def test_what_a_run_reads_of_its_recipe_is_whole_whoever_writes_it_meanwhile(tmp_path):
    base, data = write_base(tmp_path / "base"), write_data(tmp_path / "data")
    plan = recipe("alignment", base, data, tmp_path / "run", steps=1)
    StageRun(plan, ALONE, SMALL)
    written = (tmp_path / "run/recipe.json").stat().st_ino
    StageRun(plan, ALONE, SMALL)
    # Another file in its place, never a half-written one under its name.
    assert (tmp_path / "run/recipe.json").stat().st_ino != written


def test_an_error_that_is_no_exchange_stays_what_it_is():
    with pytest.raises(RuntimeError, match="out of memory"), processes():
        raise RuntimeError("out of memory")
    assert not issubclass(BadData, RuntimeError)


def test_what_stops_a_step_finds_it_done_or_not_begun(tmp_path, monkeypatch):
    """Ctrl-C while weights are changed: the state that is kept is of the step that was done."""
    import signal

    base, data = write_base(tmp_path / "base"), write_data(tmp_path / "data")
    straight = weights(
        StageRun(recipe("short", base, data, tmp_path / "a", steps=3), ALONE, SMALL).train()
    )
    plan = recipe("short", base, data, tmp_path / "b", steps=3)
    interrupted = StageRun(plan, ALONE, SMALL)
    step = interrupted._optimizer.step

    def step_with_ctrl_c():
        signal.raise_signal(signal.SIGINT)
        step()

    interrupted._optimizer.step = step_with_ctrl_c
    with pytest.raises(KeyboardInterrupt):
        interrupted.train()
    resumed = StageRun(plan, ALONE, SMALL)
    assert resumed.done == 1
    other = weights(resumed.train())
    assert all(torch.equal(straight[name], other[name]) for name in straight)
