"""How far a network can look back: its positions, and YaRN's stretching of them."""

from dataclasses import replace

import pytest
import torch

from model.config import RopeScaling
from model.engine.history_cache import HistoryCache
from model.errors import HistoryFull, ModelUnavailable
from model.language.decoder import Decoder
from model.types import ClipTokens, Question
from model.video_chat import RESERVED, VideoChat
from model.zoo.tiny import tiny

TRAINED = 1700
"""Positions that the small network pretends to have been trained on."""


def chat(scaling):
    """A network whose visual tokens take whole positions, as the released ones' do."""
    parts = tiny()
    language = replace(parts.config.language, max_positions=TRAINED, rope_scaling=scaling)
    decoder = Decoder(language).eval().requires_grad_(False)
    decoder.load_state_dict(parts.decoder.state_dict())
    config = replace(parts.config, language=language, visual_step=1.0)
    return VideoChat(replace(parts, config=config, decoder=decoder))


def clips(count):
    generator = torch.Generator().manual_seed(1)
    values = torch.randn(count, 16, 32, generator=generator)
    return [ClipTokens(v, 4.0 * n, 4.0 * n + 3) for n, v in enumerate(values)]


@pytest.mark.parametrize(
    ("scaling", "reach"),
    [(None, 1700), (RopeScaling(1.0, 1700), 1700), (RopeScaling(4.0, 1700), 6800)],
)
def test_positions_reach_as_far_as_yarn_stretches_them(scaling, reach):
    assert chat(scaling).reach == reach


def test_without_stretching_a_history_is_full_where_the_training_ends():
    small, seen = chat(None), clips(100)
    history = small.open()
    with pytest.raises(HistoryFull):
        small.extend(history, seen)
    for clip in seen:
        try:
            small.extend(history, [clip])
        except HistoryFull:
            break
    assert 0.8 < history.fullness <= 1
    taken = len(small.prompt.prefix()) + sum(
        16 + len(small.prompt.marker(clip.start)) for clip in history.clips
    )
    assert taken <= TRAINED - RESERVED < taken + 16 + 8


def test_stretched_positions_are_used_and_read_like_one_pass():
    wide, seen = chat(RopeScaling(4.0, TRAINED)), clips(100)
    history = wide.open()
    for first in range(0, 100, 7):
        wide.extend(history, seen[first : first + 7])
    assert history.fullness * (wide.reach - RESERVED) > TRAINED
    asked = wide.ask(history, question := Question("What?"))
    once = wide.read_once(seen, question)
    assert asked.reading.kept[0].tolist() == once.kept[-1].tolist()
    torch.testing.assert_close(asked.reading.logits, once.logits, atol=1e-4, rtol=0)


def test_a_network_with_too_few_positions_for_a_stream_is_refused_in_words():
    parts = chat(None).parts
    enough = replace(parts.config.language, max_positions=TRAINED + 48)
    few = replace(enough, max_positions=1600)
    roomy, narrow = (
        VideoChat(replace(parts, config=replace(parts.config, language=language)))
        for language in (enough, few)
    )
    assert HistoryCache(roomy, 1 << 30).clips_at_most >= 1
    with pytest.raises(ModelUnavailable, match="1600 positions apart, of which 1536"):
        HistoryCache(narrow, 1 << 30)
