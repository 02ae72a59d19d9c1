"""How streams sample their sources under the settings."""

from stream.settings import StreamSettings
from web.settings import Settings

_SLOWEST_RATE = 0.5
_PERIODS_IN_A_GAP = 2.5


def stream_settings(settings: Settings) -> StreamSettings:
    """Return them; what looks seldom anyway looks no less often under load, and its clips last."""
    slowest = min(_SLOWEST_RATE, settings.sample_rate)
    return StreamSettings(
        rate=settings.sample_rate,
        slowest_rate=slowest,
        stalled_after=settings.stall_seconds,
        frame_side=settings.frame_side,
        second_look=settings.second_look,
        zones=settings.blackout,
        blur_faces=settings.blur_faces,
        reel_seconds=settings.event_clip_seconds,
        # Else every picture would be a clip of its own.
        longest_gap=_PERIODS_IN_A_GAP / slowest,
    )
