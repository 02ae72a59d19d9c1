"""What a report says of the service's reach is what the service reaches."""

from dataclasses import replace

import pytest

from benchmarks.cost.reach import frames_at_most, history_mb_for, sentence, stretch_for
from model.config import RopeScaling
from model.engine.history_cache import HistoryCache
from model.language.clip_markers import LATE
from model.video_chat import VideoChat
from model.zoo.lite import CONFIG as LITE
from model.zoo.presets import stretched
from model.zoo.released import RELEASED
from model.zoo.tiny import tiny

FLASH = RELEASED["flash-7b-res224"].config


@pytest.mark.parametrize("stretch", [1.0, 3.0])
def test_the_frames_are_those_that_a_history_holds_before_it_is_folded(stretch):
    parts = tiny()
    marker = len(parts.prompt.marker(LATE))
    cache = HistoryCache(VideoChat(stretched(parts, stretch) if stretch > 1 else parts), 1 << 40)
    said = frames_at_most(tiny().config, marker, stretch)
    # The prompt of `tiny` is of bytes, and so some sixty positions longer.
    assert said == pytest.approx(4 * cache.clips_at_most, rel=0.02)


def test_what_is_asked_of_memory_is_enough_and_not_much_more():
    parts = tiny()
    chat = VideoChat(stretched(parts, 8.0))
    enough = history_mb_for(parts.config, len(parts.prompt.marker(LATE)), 4000)
    # `tiny` keeps its caches in float32, twice what is counted with.
    assert 4 * HistoryCache(chat, 2 * enough * 2**20).clips_at_most >= 4000
    assert 4 * HistoryCache(chat, int(1.5 * enough * 2**20)).clips_at_most < 4000


def test_the_needle_tests_ten_thousand_frames_have_settings_with_which_they_are_reached():
    assert frames_at_most(FLASH, 0) < 2000
    factor = stretch_for(FLASH, 0, 10_000)
    assert frames_at_most(FLASH, 0, factor) >= 10_000 > frames_at_most(FLASH, 0, factor - 0.1)
    assert sentence("flash", FLASH, 0, 1000) == (
        f"flash: the service reaches {frames_at_most(FLASH, 0):,} frames as it comes."
    )
    assert f"FLASHBACK_STRETCH={factor:g} (YaRN" in sentence("flash", FLASH, 0, 10_000)


def test_the_factor_is_counted_from_the_positions_that_were_trained():
    scaled = replace(FLASH, language=replace(FLASH.language, rope_scaling=RopeScaling(4.0, 32_768)))
    assert sentence("flash", scaled, 0, 10_000) == sentence("flash", FLASH, 0, 10_000)
    assert "4,096 need FLASHBACK_STRETCH=" in sentence("lite", LITE, 6, 4096)
