"""The language model with dropout, against what the reference's own code computed."""

import pytest
import torch

from model.config import DropoutConfig
from model.history import History
from model.language.kv_cache import KeyValues
from model.reading import PromptReader
from tests.model.golden_network import NAMES, greedy, load

pytestmark = pytest.mark.usefixtures("block_rows")


@pytest.fixture(params=NAMES)
def golden(request):
    return load(request.param)


def close(ours, theirs):
    torch.testing.assert_close(ours, theirs, atol=1e-3, rtol=0)


def check(golden, reader, reading, kind):
    tensors = {k.removeprefix(kind): v for k, v in golden.tensors.items() if k.startswith(kind)}
    close(reading.logits, tensors["prefill_logits"][-1])
    tokens, logits = greedy(reader, reading, len(tensors["decode_tokens"]))
    close(logits, tensors["decode_logits"])
    assert tokens.tolist() == tensors["decode_tokens"].tolist()


@pytest.mark.parametrize(("rule", "kind"), [("uniform", ""), ("clipwise", "clipwise_")])
def test_one_pass_equals_the_reference(golden, rule, kind):
    reader = PromptReader(golden.decoder, golden.dropout(rule), 64)
    reading = reader.read(golden.prompt)
    for stage in (0, 1):
        assert torch.equal(reading.kept[stage], golden.tensors[f"{kind}kept_{stage}"])
    check(golden, reader, reading, kind)


class Recording(PromptReader):
    """Remembers what was left after the last stage."""

    def _drop(self, *where):
        self.left = super()._drop(*where)
        return self.left


@pytest.mark.parametrize(("rule", "kind"), [("uniform", ""), ("clipwise", "clipwise_")])
def test_every_token_that_stays_has_the_references_logits(golden, rule, kind):
    reader = Recording(golden.decoder, golden.dropout(rule), 64)
    reading = reader.read(golden.prompt)
    fresh = [KeyValues() for _ in reading.caches]
    segments = reader.plan.segments
    every = reader.advance(fresh, [0.0] * len(segments), segments[-1], reader.left)
    close(golden.decoder.logits(every.hidden), golden.tensors[f"{kind}prefill_logits"])


def test_without_dropout_one_pass_is_the_plain_model(golden):
    reader = PromptReader(golden.decoder, DropoutConfig(), 64)
    close(reader.read(golden.prompt).logits, golden.tensors["nocompress_logits_last"])


@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_the_history_equals_the_reference_with_the_clipwise_rule(golden, at_once):
    reader = PromptReader(golden.decoder, golden.dropout("clipwise"), 64)
    history = History(reader, golden.prefix)
    clips = golden.clips
    for first in range(0, len(clips), at_once):
        arriving = clips[first : first + at_once]
        history.extend(
            [(4.0 * n, 4.0 * n + 3) for n in range(first, first + len(arriving))], arriving
        )
    reading = history.ask(golden.suffix)
    assert torch.equal(reading.kept[0], golden.tensors["clipwise_kept_1"])
    check(golden, reader, reading, "clipwise_")
