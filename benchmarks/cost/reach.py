"""How many frames a history of the service reaches over, and what makes it reach further.

A benchmark may count or measure states that the service as it comes never gets into. Its report says so, and
names the settings with which it does.
"""

import math
from dataclasses import replace

from benchmarks.cost.meter import Meter
from model.config import FlashConfig
from model.engine.folded_history import CLIPS_AT_ONCE
from model.engine.history_cache import FULL_AT
from model.language.clip_markers import NOTE_POSITIONS, SPARE_POSITIONS
from model.video_chat import RESERVED

BYTES_PER_VALUE = 2
LATE_MARKER = 9 + NOTE_POSITIONS
"""Tokens before a clip of `lite`, after eleven days."""
PREFIX = 14
"""Text tokens before the first clip."""


def frames_at_most(config: FlashConfig, marker: int, stretch: float = 1.0, spare: int = 0) -> int:
    """Return the frames that a live history holds before old ones are folded.

    Args:
        config: The network.
        marker: Tokens that say when a clip was.
        stretch: `FLASHBACK_STRETCH`.
        spare: Tokens besides that the markers of a history may have in all.
    """
    per_clip = config.vision.tokens_per_clip * config.visual_step + marker
    room = (config.language.max_positions * stretch - RESERVED - PREFIX - spare) / per_clip
    return max(0, int(room * FULL_AT) - CLIPS_AT_ONCE) * config.vision.frames_per_clip


def stretch_for(config: FlashConfig, marker: int, frames: int, spare: int = 0) -> float:
    """Return the least `FLASHBACK_STRETCH`, in tenths, with which a history holds `frames`."""
    tenths = 10
    while frames_at_most(config, marker, tenths / 10, spare) < frames:
        tenths += 1
    return tenths / 10


def history_mb_for(config: FlashConfig, marker: int, frames: int) -> int:
    """Return the least `FLASHBACK_HISTORY_MB` with which a history holds `frames`."""
    vision = config.vision
    clips = math.ceil(frames / vision.frames_per_clip) + CLIPS_AT_ONCE
    tokens = 2 * vision.tokens_per_clip * vision.width
    cache = Meter(config, 0, 0, marker, BYTES_PER_VALUE).ingest(0).cache_bytes
    # Half of it, as two histories of one stream stand side by side for a while.
    return math.ceil(2 * (clips / FULL_AT + 1) * (cache + tokens) / 2**20)


def sentence(name: str, config: FlashConfig, marker: int, frames: int) -> str:
    """Return what the service needs to get to `frames` with the network called `name`."""
    plain = replace(config, language=replace(config.language, rope_scaling=None))
    spare = SPARE_POSITIONS if name == "lite" else 0
    within = frames_at_most(plain, marker, spare=spare)
    if frames <= within:
        return f"{name}: the service reaches {within:,} frames as it comes."
    return (
        f"{name}: the service reaches {within:,} frames as it comes; {frames:,} need "
        f"FLASHBACK_STRETCH={stretch_for(plain, marker, frames, spare):g} (YaRN: positions beyond those that were "
        f"trained) and FLASHBACK_HISTORY_MB={history_mb_for(plain, marker, frames)}."
    )
