"""What travels between hosts and replicas is read as carefully as what lies in Redis."""

import pytest
import torch

from memory.errors import CorruptData, EncoderMismatch
from model.types import ClipTokens
from web.cluster.messages import pack_tokens, unpack_tokens

CLIPS = [ClipTokens(torch.full((2, 8), n + 0.5).half(), 4.0 * n, 4.0 * n + 3) for n in range(2)]


def test_clips_arrive_as_they_were_sent():
    [first, second] = unpack_tokens(pack_tokens(CLIPS, "one"), "one")
    assert (first.start, second.end) == (0.0, 7.0)
    assert torch.equal(second.values, CLIPS[1].values)


@pytest.mark.parametrize("harm", [lambda sent: sent[:-1], lambda sent: b"\x80\x04K" + sent[3:]])
def test_clips_that_were_changed_on_their_way_are_refused(harm):
    whole, other = pack_tokens(CLIPS, "one")
    with pytest.raises(CorruptData):
        unpack_tokens([whole, harm(other)], "one")


def test_clips_of_another_encoder_are_refused():
    with pytest.raises(EncoderMismatch):
        unpack_tokens(pack_tokens(CLIPS, "one"), "another")
