"""Groups sampled frames into clips, the encoder's input.

A clip never spans a gap, nor a change of picture size: what lies in it belongs together. For encoders
that say one thing of a clip it does not span a cut either.
"""

import numpy as np
import torch

from memory.store import Moment
from model.types import Clip
from stream.frames.frame import Frame
from stream.frames.scene_cut import SceneCuts


class Clipper:
    """Collects frames until they make a clip."""

    def __init__(self, frames: int, longest_gap: float, *, cuts: bool = False) -> None:
        """Start empty.

        Args:
            frames: Frames of a full clip.
            longest_gap: Seconds between two frames beyond which they are not put together.
            cuts: Whether a clip ends where the scene changes.

        Raises:
            ValueError: If one of them is not positive.
        """
        if frames < 1 or longest_gap <= 0:
            raise ValueError(f"both must be positive: {frames=} {longest_gap=}")
        self._frames_per_clip = frames
        self._longest_gap = longest_gap
        self._frames: list[Frame] = []
        self._last = float("-inf")
        self._cuts = SceneCuts() if cuts else None

    def add(self, frame: Frame) -> list[Clip]:
        """Take `frame` and return the clips it finishes: mostly none, at most two.

        A frame that is not later than the one before it is passed over, so that times never
        go back and no two clips start together.
        """
        if frame.time <= self._last:
            return []
        done = self.flush() if self._breaks(frame) else []
        self._frames.append(frame)
        self._last = frame.time
        if len(self._frames) == self._frames_per_clip:
            done += self.flush()
        return done

    @property
    def begun(self) -> Moment | None:
        """When the frames were seen that wait for others to make a clip; None if there are none."""
        return Moment(self._frames[0].time, self._frames[-1].time) if self._frames else None

    def flush(self) -> list[Clip]:
        """Return the clip begun, shorter than the others; nothing if none was begun."""
        if not self._frames:
            return []
        frames, self._frames = self._frames, []
        pixels = torch.from_numpy(np.stack([frame.pixels for frame in frames]))
        return [Clip(pixels=pixels, start=frames[0].time, end=frames[-1].time)]

    def _breaks(self, frame: Frame) -> bool:
        cut = self._cuts is not None and self._cuts.is_cut(frame.pixels)
        if not self._frames:
            return False
        before = self._frames[-1]
        gap = frame.time - before.time > self._longest_gap
        return cut or gap or frame.pixels.shape != before.pixels.shape
