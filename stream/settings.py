"""A stream's settings: how often it samples its source, how closely, and how much may wait.

What of this people set is in `web/settings.py`; the rest is what a live stream needs to stay live.
"""

from dataclasses import dataclass

from stream.frames.blackout import Zone

_FEWEST_PIXELS = 360
"""Shorter side of a picture that people can watch, whatever little the encoder takes."""


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """How a stream samples its source.

    Attributes:
        rate: Frames sampled per second of media time while the encoder keeps up.
        slowest_rate: The fewest it goes down to under load before clips are lost.
        first_rate: Frames sampled per second for the first clip of a source that connects.
        stalled_after: Seconds without a frame after which a stream is shown as stalled.
        longest_gap: Seconds between two pictures beyond which they are not in one clip.
        waiting_clips: Clips that may wait for the encoder; the newest win.
        stale_after: Seconds after which a clip is lost rather than encoded late, once others
            had to be lost: then the encoder's time is better spent on what is happening now.
        unwritten_clips: Encoded clips kept while the store is away; the newest win.
        question_waits: Seconds that a question waits, at most, for clips that were given before it.
        retry_after: Seconds between two attempts to reach the store; also the first wait before what
            failed unexpectedly is begun again.
        longest_retry: Longest wait before what failed unexpectedly is begun again, in seconds.
        close_within: Seconds that closing may take to encode and write what is left.
        frame_side: Shorter side of the pictures that are kept in hand, in pixels: larger ones are
            scaled down to it. None is what the encoder takes, and enough for those who watch.
        second_look: Whether a question about a long stream is answered from the originals of the
            moments that it is about; None is where the model's tokens have words, which lead there.
        zones: What is painted black in whose pictures.
        blur_faces: Patterns of the streams in whose pictures faces are blurred.
        reel_seconds: Seconds of the newest pictures that are kept of a stream that is watched for
            something, for the film of an event; 0 keeps none.
        thumbnail_width: Width of a clip's picture in memory, in pixels.
    """

    rate: float = 2.0
    slowest_rate: float = 0.5
    first_rate: float = 10.0
    stalled_after: float = 3.0
    longest_gap: float = 5.0
    waiting_clips: int = 2
    stale_after: float = 0.3
    unwritten_clips: int = 256
    question_waits: float = 2.0
    retry_after: float = 1.0
    longest_retry: float = 60.0
    close_within: float = 5.0
    frame_side: int | None = None
    second_look: bool | None = None
    zones: tuple[Zone, ...] = ()
    blur_faces: tuple[str, ...] = ()
    reel_seconds: float = 0.0
    thumbnail_width: int = 160

    def side_for(self, image_size: int) -> int:
        """Return the shorter side of pictures for an encoder that takes squares of `image_size`."""
        return max(_FEWEST_PIXELS, image_size) if self.frame_side is None else self.frame_side
