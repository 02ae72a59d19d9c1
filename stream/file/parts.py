"""Joined files (`cat a.mp4 b.mp4`) whose parts each have an index of their own, played one after another.

FFmpeg reads the first part, or two, and takes the rest for something else. Its `concat` demuxer plays
them through `subfile`, each as a file by itself. It goes on with the first part's decoder: a part that
needs another one ends what is played; `stream.file.joined` says so.
https://ffmpeg.org/ffmpeg-formats.html#concat-1
"""

import os
from dataclasses import dataclass
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from stream.file.container import open_input
from stream.file.part_heads import MOST_PARTS, begins_of
from stream.file.tracks import choose_video, packets_of
from stream.frames.scale import turn_of

CONCAT = "concat"
OPTIONS = {"safe": "0", "protocol_whitelist": "file,subfile"}
_LEFT_OUT = (
    "More of the file is not read: its last {:,.1f} MB are another film that was joined to it and "
    "cannot be played on from the first. Give each by itself."
)
# Codecs that say with every keyframe what a decoder must know, or are made to by FFmpeg here.
_SELF_CONTAINED = {"h264", "av1", "vp8", "vp9", "mjpeg", "mpeg2video", "prores", "dnxhd"}
_Part = tuple[int, int]


@dataclass(frozen=True, slots=True)
class JoinedParts:
    """A file of several parts.

    Attributes:
        played: Where those begin and end that can be played one after another.
        lengths: Of each of them its seconds, where FFmpeg must be told.
        left_out: Bytes behind them.
        dispositions: Of the tracks, which FFmpeg forgets.
    """

    played: tuple[_Part, ...]
    lengths: tuple[float | None, ...]
    left_out: int
    dispositions: tuple[Disposition, ...]


def parts_of(path: Path) -> JoinedParts | None:
    """Return the parts of a file that was joined; None of any other. Blocks."""
    if not path.is_file():  # of a pipe nothing may be read ahead
        return None
    with path.open("rb") as file:
        size = path.stat().st_size
        begins = begins_of(file, size)
    if len(begins) < 2:
        return None
    parts = list(zip(begins, [*begins[1:], size], strict=True))
    first = _kind(path, parts[0])
    if first is None:
        return None
    played = {parts[0]: first}
    for part in parts[1:MOST_PARTS]:
        other = _kind(path, part)
        if other is None or not _fits(first, other) or b"\n" in os.fsencode(path):
            break
        played[part] = other
    lengths = tuple(kind.length for kind in played.values())
    return JoinedParts(tuple(played), lengths, size - max(played)[1], first.dispositions)


def script_of(path: Path, parts: JoinedParts) -> bytes:
    """Return what tells FFmpeg to play the `parts` of the file at `path`."""
    name = os.fsencode(path).replace(b"'", b"'\\''")
    lines = [b"ffconcat version 1.0"]
    for part, length in zip(parts.played, parts.lengths, strict=True):
        lines.append(b"file '%s'" % _url(name, part))
        if length is not None and part != parts.played[-1]:  # else it would seek by them
            lines.append(b"duration %f" % length)
    return b"\n".join(lines) + b"\n"


def unread(size: int) -> str:
    """Say that so many bytes at the end of a joined file are not played; nothing if there are none."""
    return _LEFT_OUT.format(max(size / 1e6, 0.1)) if size else ""


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a part holds: of the track that is watched, how it is encoded and what its decoder is told.

    Attributes:
        turn: How its pictures are turned to be shown.
        length: Seconds, where FFmpeg must be told.
    """

    dispositions: tuple[Disposition, ...]
    track: int
    codec: str
    told: bytes
    turn: tuple[int, int, int, int] | None
    length: float | None


def _kind(path: Path, part: _Part) -> _Kind | None:
    try:
        container = open_input(os.fsdecode(_url(os.fsencode(path), part)))
    except (av.FFmpegError, OSError):
        return None
    with container:
        video = choose_video(container)
        if video is None or video.codec_context is None:
            return None
        return _Kind(
            tuple(Disposition(stream.disposition) for stream in container.streams),
            video.index,
            video.codec_context.name,
            bytes(video.codec_context.extradata or b""),
            turn=_turn(container, video),
            length=_measured(container, video),
        )


def _turn(container: InputContainer, video: VideoStream) -> tuple[int, int, int, int] | None:
    try:
        first = next(container.decode(video), None)
    except av.FFmpegError:
        return None
    return None if first is None else turn_of(first)


def _measured(container: InputContainer, video: VideoStream) -> float | None:
    """Return how long a part is that does not say so; None where FFmpeg knows, or finds out.

    Of frames that are decoded in another order than they are shown it would begin the next part
    before the last ones of this.
    """
    if container.duration is not None or not video.codec_context.has_b_frames:
        return None
    shown = (p.pts + (p.duration or 0) for p in packets_of(container, video) if p.pts is not None)
    try:
        return float(max(shown, default=0) * (video.time_base or 0))
    except av.FFmpegError:
        return None


def _fits(first: _Kind, other: _Kind) -> bool:
    """Say whether a part is decoded as the first one is."""
    return (
        len(other.dispositions) == len(first.dispositions)
        and (other.track, other.codec, other.turn) == (first.track, first.codec, first.turn)
        and (other.told == first.told or other.codec in _SELF_CONTAINED)
    )


def _url(name: bytes, part: _Part) -> bytes:
    return b"subfile,,start,%d,end,%d,,:file:%s" % (*part, name)
