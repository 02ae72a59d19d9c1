"""The streaming history is exact: however clips arrive, an answer is that of one pass."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from model.config import DropoutConfig, DropStage
from model.errors import HistoryFull
from model.history import History
from model.language import kv_cache
from model.language.dropout import Tokens
from model.reading import PromptReader
from tests.model import small_networks as small

DECODER = small.decoder()
TWO_STAGES = DropoutConfig((DropStage(2, 0.75, "clipwise"), DropStage(4, 0.25, "attention")))

exactly = settings(deadline=None, max_examples=20)
pytestmark = pytest.mark.usefixtures("block_rows")


class Scene:
    """A prompt of random clips, and the two ways of reading it."""

    def __init__(self, dropout, clips, seed, marker=0, step=1.0, decoder=DECODER):
        generator = torch.Generator().manual_seed(seed)
        self.reader = PromptReader(decoder, dropout, small.TOKENS_PER_CLIP, step)
        self.prefix, self.suffix = small.text(generator, 3), small.text(generator, 5)
        self.other = small.text(generator, 4)
        self.clips = [small.clip(generator, marker) for _ in range(clips)]

    def one_pass(self, suffix=None):
        numbered = [
            Tokens(c.hidden, torch.full_like(c.clip, n), c.place) for n, c in enumerate(self.clips)
        ]
        text = Tokens.of_text(self.suffix if suffix is None else suffix)
        return self.reader.read(Tokens.join([Tokens.of_text(self.prefix), *numbered, text]))

    def history(self, chunks=None):
        history = History(self.reader, self.prefix)
        for first, stop in chunks or [(0, len(self.clips))]:
            self.extend(history, first, stop)
        return history

    def extend(self, history, first, stop):
        history.extend(small.spans(stop - first, first), self.clips[first:stop])


def same(reader, ours, theirs, words=3):
    """Compare what was kept, the logits, and the logits of some words written after them."""
    kept_after_arrival = theirs.kept[len(theirs.kept) - len(ours.kept) :]
    assert [k.tolist() for k in ours.kept] == [k.tolist() for k in kept_after_arrival]
    for _ in range(words):
        close(ours, theirs)
        word = int(theirs.logits.argmax())
        reader.step([ours], [word])
        reader.step([theirs], [word])
    close(ours, theirs)


def close(ours, theirs):
    torch.testing.assert_close(ours.logits, theirs.logits, atol=1e-4, rtol=0)


@exactly
@given(
    data=st.data(),
    stages=small.dropouts(),
    clips=st.integers(1, 7),
    marker=st.integers(0, 2),
    step=st.sampled_from([1.0, 0.125]),
    seed=st.integers(0, 1000),
)
def test_any_chunking_of_arrivals_equals_one_pass(data, stages, clips, marker, step, seed):
    scene = Scene(small.dropout(stages), clips, seed, marker, step)
    history = scene.history(data.draw(small.chunkings(clips)))
    same(scene.reader, history.ask(scene.suffix), scene.one_pass())


@exactly
@given(clips=st.integers(1, 5), seed=st.integers(0, 1000))
def test_questions_do_not_disturb_the_history(clips, seed):
    scene = Scene(TWO_STAGES, clips, seed)
    asked, quiet = History(scene.reader, scene.prefix), scene.history()
    for number in range(clips):
        scene.extend(asked, number, number + 1)
        scene.reader.step([asked.ask(scene.other)], [7])
    same(scene.reader, asked.ask(scene.suffix), quiet.ask(scene.suffix))


def test_two_questions_at_once_equal_one_after_the_other():
    scene = Scene(TWO_STAGES, 4, seed=1)
    history = scene.history()
    both = [history.ask(scene.suffix), history.ask(scene.other)]
    for _ in range(4):
        scene.reader.step(both, [int(reading.logits.argmax()) for reading in both])
    for together, suffix in zip(both, (scene.suffix, scene.other), strict=True):
        alone = history.ask(suffix)
        for _ in range(4):
            scene.reader.step([alone], [int(alone.logits.argmax())])
        close(together, alone)


def test_extending_between_two_words_of_an_answer_changes_neither():
    scene = Scene(TWO_STAGES, 6, seed=2)
    interrupted, quiet = scene.history([(0, 3)]), scene.history([(0, 3)])
    ours, theirs = interrupted.ask(scene.suffix), quiet.ask(scene.suffix)
    for number in range(3, 6):
        word = int(theirs.logits.argmax())
        scene.reader.step([ours], [word])
        scene.extend(interrupted, number, number + 1)
        scene.reader.step([theirs], [word])
        assert torch.equal(ours.logits, theirs.logits)
    whole = scene.history()
    same(scene.reader, interrupted.ask(scene.other), whole.ask(scene.other))


@exactly
@given(clips=st.integers(1, 5), seed=st.integers(0, 1000))
def test_keeping_everything_equals_no_dropout(clips, seed):
    keep_all = DropoutConfig((DropStage(2, 1.0, "clipwise"), DropStage(4, 1.0, "attention")))
    kept, plain = Scene(keep_all, clips, seed), Scene(DropoutConfig(), clips, seed)
    close(kept.history().ask(kept.suffix), plain.one_pass())


def attention_within(allowed):
    """Causal attention in which the last rows see only the `allowed` columns before them."""

    def attend(queries, keys, values):
        return torch.nn.functional.scaled_dot_product_attention(
            queries, keys, values, attn_mask=allowed, enable_gqa=True
        )

    return attend


def test_a_question_about_a_range_reads_the_clips_of_that_range_alone():
    scene = Scene(DropoutConfig((DropStage(3, 1.0, "attention"),)), 5, seed=3)
    reading = scene.history().ask(scene.suffix, range(1, 3))
    hidden = torch.cat([scene.prefix, *(c.hidden for c in scene.clips), scene.suffix])
    count, question = len(hidden), len(hidden) - len(scene.suffix)
    clip = torch.tensor([-1] * 3 + [n for n in range(5) for _ in range(8)] + [-1] * 5)
    mask = torch.ones(count, count, dtype=torch.bool).tril()
    outside = (clip >= 0) & ((clip < 1) | (clip >= 3))
    mask[question:, outside] = False
    rotary = DECODER.rotary(torch.arange(float(count)))
    for layer in range(3):
        hidden = DECODER.layer(layer)(hidden, rotary, attention_within(mask))
    hidden = hidden[~outside]
    rotary = DECODER.rotary(torch.arange(float(len(hidden))))
    for layer in range(3, small.LAYERS):
        mask = torch.ones(len(hidden), len(hidden), dtype=torch.bool).tril()
        hidden = DECODER.layer(layer)(hidden, rotary, attention_within(mask))
    torch.testing.assert_close(reading.logits, DECODER.logits(hidden[-1]), atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("since", "until", "clips"),
    [
        (None, None, range(5)),
        (7.0, None, range(1, 5)),
        (7.1, 12.0, range(2, 4)),
        (90.0, 99.0, range(5, 5)),
    ],
)
def test_a_range_names_the_clips_that_touch_it(since, until, clips):
    history = Scene(TWO_STAGES, 5, seed=4).history()
    assert history.between(since, until) == clips


def test_a_history_grows_without_moving_what_was_there(monkeypatch):
    monkeypatch.setattr(kv_cache, "_FIRST", 3)
    monkeypatch.setattr(kv_cache, "_LARGEST", 11)
    scene = Scene(TWO_STAGES, 8, seed=5)
    history = scene.history([])
    where = [[] for _ in small.growing(history)]
    for number in range(8):
        scene.extend(history, number, number + 1)
        for blocks, before in zip(small.growing(history), where, strict=True):
            now = [block.data_ptr() for block in blocks.slices(0, blocks.length)]
            assert now[: len(before)] == before
            before[:] = now
    for blocks, pointers in zip(small.growing(history), where, strict=True):
        assert len(pointers) >= 4
        assert max(b - a for a, b in pairwise([*blocks._starts, blocks.length])) <= 11


def test_a_full_history_refuses_a_clip_and_stays_as_it_was():
    scene = Scene(TWO_STAGES, 3, seed=6)
    history = History(scene.reader, scene.prefix, reach=30.0, reserve=6.0)
    scene.extend(history, 0, 2)
    with pytest.raises(HistoryFull, match="2 clips fill the 24 positions"):
        scene.extend(history, 2, 3)
    two = Scene(TWO_STAGES, 2, seed=6)
    two.prefix, two.suffix, two.clips = scene.prefix, scene.suffix, scene.clips[:2]
    same(scene.reader, history.ask(scene.suffix), two.one_pass())


def test_the_references_rule_cannot_be_streamed_and_is_refused():
    uniform = DropoutConfig((DropStage(2, 0.75, "uniform"), DropStage(4, 0.25, "attention")))
    with pytest.raises(ValueError, match="needs clip-wise stages"):
        History(PromptReader(DECODER, uniform, 8), torch.zeros(1, small.HIDDEN))
