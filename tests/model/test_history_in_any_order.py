"""The streaming history in any order of arrivals, questions and words, over any small network.

Whatever happened before and in between, a question reads and an answer goes on as one pass says
(`plain_pass.py`, which shares no code with the history) over the clips there were when it was asked.
"""

import pytest
import torch
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from model.history import History
from model.language import kv_cache
from model.reading import PromptReader
from tests.model import small_networks as small
from tests.model.plain_pass import PlainPass

BLOCK_ROWS = [(3, 11), (kv_cache._FIRST, kv_cache._LARGEST)]
"""Rows of a cache's first block and of its largest; the small ones have many borders to cross."""


@st.composite
def networks(draw):
    layers, kv_heads = draw(st.integers(2, 7)), draw(st.sampled_from([1, 2]))
    shape = {
        "layers": layers,
        "kv_heads": kv_heads,
        "heads": kv_heads * draw(st.integers(1, 3)),
        "head_dim": draw(st.sampled_from([4, 8])),
    }
    return shape, draw(small.dropouts(layers))


class Answer:
    """An answer that is being written, and all that it may depend on."""

    def __init__(self, reading, clips, suffix, seen):
        self.reading, self.clips, self.suffix, self.seen = reading, clips, suffix, seen
        self.words = []


class Watching(RuleBasedStateMachine):
    @initialize(
        network=networks(),
        seed=st.integers(0, 10_000),
        tokens=st.integers(4, 12),
        marker=st.integers(0, 2),
        step=st.sampled_from([1.0, 0.125]),
        prefix=st.integers(1, 4),
        rows=st.sampled_from(BLOCK_ROWS),
    )
    def begin(self, network, seed, tokens, marker, step, prefix, rows):
        shape, stages = network
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(kv_cache, "_FIRST", rows[0])
        self.patch.setattr(kv_cache, "_LARGEST", rows[1])
        decoder, dropout = small.decoder(seed, **shape), small.dropout(stages)
        self.random = torch.Generator().manual_seed(seed)
        self.tokens, self.marker = tokens, marker
        self.prefix = small.text(self.random, prefix)
        self.reader = PromptReader(decoder, dropout, tokens, step)
        self.plain = PlainPass(decoder, dropout, tokens, step)
        self.history = History(self.reader, self.prefix)
        self.clips, self.answers = [], []

    @rule(count=st.integers(1, 3))
    def clips_arrive(self, count):
        first = len(self.clips)
        for number in range(first, first + count):
            self.clips.append(small.clip(self.random, self.marker, self.tokens, number))
        self.history.extend(small.spans(count, first), self.clips[first:])

    @precondition(lambda self: self.clips)
    @rule(length=st.integers(1, 6), data=st.data())
    def someone_asks(self, length, data):
        times = st.floats(0, 4.0 * len(self.clips))
        since, until = sorted((data.draw(times, label="from"), data.draw(times, label="to")))
        since, until = data.draw(st.sampled_from([(None, None), (since, until), (since, None)]))
        spans = small.spans(len(self.clips))
        seen = [
            number
            for number, (start, end) in enumerate(spans)
            if (since is None or end >= since) and (until is None or start <= until)
        ]
        within = self.history.between(since, until)
        assert list(within) == seen
        if not seen:
            return
        suffix = small.text(self.random, length)
        reading = self.history.ask(suffix, None if len(seen) == len(spans) else within)
        answer = Answer(reading, list(self.clips), suffix, seen)
        if not self.one_pass(answer).undecided:
            self.check(answer)
            self.answers.append(answer)

    @precondition(lambda self: self.answers)
    @rule(data=st.data())
    def some_answers_go_on_by_a_word(self, data):
        some = data.draw(st.sets(st.sampled_from(range(len(self.answers))), min_size=1))
        writing = [self.answers[n] for n in some]
        word = st.integers(0, self.reader.decoder.config.vocab - 1)
        words = [data.draw(word) for _ in writing]
        self.reader.step([answer.reading for answer in writing], words)
        for answer, chosen in zip(writing, words, strict=True):
            answer.words.append(chosen)
            self.check(answer)

    @precondition(lambda self: len(self.answers) > 2)
    @rule(data=st.data())
    def an_answer_is_given_up(self, data):
        del self.answers[data.draw(st.integers(0, len(self.answers) - 1))]

    def teardown(self):
        if hasattr(self, "patch"):
            self.patch.undo()

    def one_pass(self, answer):
        return self.plain.read(
            self.prefix, answer.clips, answer.suffix, answer.words, seen=answer.seen
        )

    def check(self, answer):
        once, kept = self.one_pass(answer), [k.tolist() for k in answer.reading.kept]
        assert kept == once.kept[len(once.kept) - len(kept) :]
        assert answer.reading.tokens_kept == once.tokens_kept
        torch.testing.assert_close(answer.reading.logits, once.logits[-1], atol=1e-4, rtol=0)
        if once.scores is not None:
            scores = answer.reading.selection.scores
            torch.testing.assert_close(scores, once.scores, atol=1e-5, rtol=1e-3)


TestWatching = Watching.TestCase
TestWatching.settings = settings(deadline=None, max_examples=40, stateful_step_count=20)
