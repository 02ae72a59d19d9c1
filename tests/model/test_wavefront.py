"""Parts of a text are read side by side, each behind the one before it."""

import threading
from functools import partial

import pytest
import torch

from model import history as histories
from model.config import DropoutConfig, DropStage
from model.history import History
from model.language.decoder import no_hook
from model.reading import PromptReader
from model.wavefront import run_wavefront, torch_threads
from tests.model import small_networks as small

LAYERS = 5


@pytest.fixture
def three_threads():
    with torch_threads(3):
        yield


class Parts:
    """Parts that note which layer of which of them has run, and on which thread."""

    def __init__(self, count, failing=None):
        self.done, self.threads, self.torch_threads = [], set(), set()
        self.failing = failing
        self.all = [partial(self.run, number) for number in range(count)]

    def run(self, number, hook):
        for layer in range(LAYERS):
            if (number, layer) == self.failing:
                raise MemoryError("this part is too large")
            self.done.append((number, layer))
            self.threads.add(threading.get_ident())
            self.torch_threads.add(torch.get_num_threads())
            hook()
        self.done.append((number, "through"))
        return number


@pytest.mark.parametrize("count", [2, 3, 7])
def test_in_no_layer_is_a_part_before_the_one_in_front_of_it(three_threads, count):
    parts = Parts(count)
    assert run_wavefront(parts.all, no_hook) == list(range(count))
    for layer in [*range(LAYERS), "through"]:
        assert [part for part, at in parts.done if at == layer] == list(range(count))
    assert len(parts.done) == count * (LAYERS + 1)


def test_each_part_has_its_share_of_the_threads(three_threads):
    parts = Parts(3)
    run_wavefront(parts.all, no_hook)
    assert len(parts.threads) == 3
    assert parts.torch_threads == {1}
    assert torch.get_num_threads() == 3


def test_on_one_thread_parts_are_run_one_after_the_other():
    parts = Parts(2)
    with torch_threads(1):
        run_wavefront(parts.all, no_hook)
    assert [part for part, _ in parts.done] == [0] * (LAYERS + 1) + [1] * (LAYERS + 1)


def test_the_hook_is_called_on_the_thread_that_asked_after_each_layer_of_its_parts(three_threads):
    called = []
    run_wavefront(Parts(4).all, lambda: called.append(threading.get_ident()))
    assert called == [threading.get_ident()] * 2 * LAYERS  # of the first part, and of the fourth


@pytest.mark.parametrize("failing", [(0, 2), (1, 0), (2, 4), (5, 1)])
def test_a_part_that_fails_ends_all_of_them_with_its_own_error(three_threads, failing):
    with pytest.raises(MemoryError, match="too large"):
        run_wavefront(Parts(6, failing).all, no_hook)
    assert torch.get_num_threads() == 3


def test_a_hook_that_fails_ends_all_of_them(three_threads):
    def fail():
        raise KeyError("hook")

    parts = Parts(6)
    with pytest.raises(KeyError):
        run_wavefront(parts.all, fail)
    assert (1, 1) not in parts.done
    assert torch.get_num_threads() == 3


def test_a_history_read_side_by_side_is_the_one_read_clip_by_clip(three_threads, monkeypatch):
    stages = DropoutConfig((DropStage(2, 0.75, "clipwise"), DropStage(4, 0.25, "attention")))
    reader = PromptReader(small.decoder(), stages, small.TOKENS_PER_CLIP, 0.125)
    random = torch.Generator().manual_seed(1)
    prefix, suffix = small.text(random, 3), small.text(random, 5)
    clips = [small.clip(random, marker=1) for _ in range(9)]
    at_once, one_by_one = History(reader, prefix), History(reader, prefix)
    for number, clip in enumerate(clips):
        one_by_one.extend(small.spans(1, number), [clip])
    sizes = []
    monkeypatch.setattr(histories, "_PART", 2 * len(clips[0].clip))
    monkeypatch.setattr(
        histories,
        "run_wavefront",
        lambda parts, hook: sizes.append(len(parts)) or run_wavefront(parts, hook),
    )
    at_once.extend(small.spans(4), clips[:4])
    at_once.extend(small.spans(5, 4), clips[4:])
    assert sizes == [2, 2]
    assert [clip.rows for clip in at_once.clips] == [clip.rows for clip in one_by_one.clips]
    ours, theirs = at_once.ask(suffix), one_by_one.ask(suffix)
    assert ours.kept[-1].tolist() == theirs.kept[-1].tolist()
    torch.testing.assert_close(ours.logits, theirs.logits, atol=1e-4, rtol=0)
