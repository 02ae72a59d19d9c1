"""The clips that a live stream makes of the sample film, without waiting for it to play."""

from collections.abc import Iterator
from fractions import Fraction

import av

from model.types import Clip
from stream.frames.clipper import Clipper
from stream.frames.frame import Frame
from stream.frames.sampler import FrameSampler
from stream.frames.scale import to_rgb
from training.sample_stream.sample_truth import LIST, SampleTruth

FILM = LIST.with_name("sample.mp4")


def sample_clips(frame_side: int, until: float, skip: float = 0.0) -> Iterator[Clip]:
    """Yield the clips that end before `until`, as the live path makes them; the film plays over and over.

    Args:
        frame_side: Shorter side of a frame, at most, in pixels.
        until: Media second.
        skip: Seconds of the film before the first frame that is looked at: other frames are sampled.
    """
    sampler, clipper = FrameSampler(1.0), Clipper(4, 3.0, cuts=True)
    sampler.burst(4, 10.0)
    length, begun = Fraction(round(SampleTruth().length)), Fraction(0)
    while begun < until:
        with av.open(str(FILM)) as opened:
            for frame in opened.decode(video=0):
                assert frame.pts is not None
                assert frame.time_base is not None
                at = float(begun + frame.pts * frame.time_base)
                if at >= skip and sampler.accepts(at):
                    for clip in clipper.add(Frame(to_rgb(frame, frame_side), at)):
                        if clip.end >= until:
                            return
                        yield clip
        begun += length
