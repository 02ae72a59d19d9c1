"""Which video track of a source to watch: the one a player would show.

Containers hold covers, stills, previews and auxiliary layers beside the video, in any order; the
first track is only by habit the right one.
"""

import math
from collections.abc import Iterator
from typing import TypeAlias, cast

from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.stream import VideoStream

VideoPacket: TypeAlias = "Packet[VideoStream]"  # generic for the type checker alone

_IMAGE_CODECS = {"mjpeg", "png", "bmp", "gif", "tiff", "webp", "jpeg2000", "libopenjpeg"}
_AUXILIARY = (
    Disposition.still_image
    | Disposition.timed_thumbnails
    | Disposition.dependent
    | Disposition.metadata
)


def choose_video(container: InputContainer) -> VideoStream | None:
    """Return the video track to watch; None if there is none.

    A cover is not a video. A video goes before a still, what can be decoded before what cannot, then
    the container's default before the rest; of equals the first.
    """
    tracks = [t for t in container.streams.video if not t.disposition & Disposition.attached_pic]
    return min(tracks, key=_rank, default=None)


def packets_of(container: InputContainer, video: VideoStream) -> Iterator[VideoPacket]:
    """Yield the packets of `video` to the end, the one at last that empties a decoder included.

    A track may come up in the middle: sound that begins later, a program that changes. PyAV does not
    know it, and fails at the end, behind the last packet of those that it knows.
    """
    furthest = -math.inf
    try:
        for packet in container.demux(video):
            if packet.is_discard and packet.dts is not None and packet.dts <= furthest:
                yield _to_show(packet)
                continue
            furthest = max(furthest, -math.inf if packet.dts is None else packet.dts)
            yield packet
    except IndexError:
        return


def _to_show(packet: VideoPacket) -> VideoPacket:
    """Return a packet of which pictures are made, though it is marked that none are to be.

    At the beginning of a film such marks are right: it is cut there. FFmpeg also gives them to fragments
    of MP4 whose clock starts again.
    """
    shown = cast(VideoPacket, Packet(bytes(packet)))
    shown.stream = packet.stream
    shown.time_base, shown.pts, shown.dts = packet.time_base, packet.pts, packet.dts
    shown.duration, shown.is_keyframe = packet.duration or 0, packet.is_keyframe
    return shown


def is_decodable(track: VideoStream) -> bool:
    """Say whether this machine's FFmpeg has a decoder for `track`."""
    return track.codec_context is not None  # whatever its type says


def _rank(track: VideoStream) -> tuple[bool, bool, bool, bool]:
    auxiliary = bool(track.disposition & _AUXILIARY)
    default = bool(track.disposition & Disposition.default)
    return not is_decodable(track), auxiliary, _is_still(track), not default


def _is_still(track: VideoStream) -> bool:
    """Say whether `track` is one picture; where its container does not count, by its codec."""
    if track.frames:
        return track.frames == 1
    return track.codec_context is not None and track.codec_context.name in _IMAGE_CODECS
