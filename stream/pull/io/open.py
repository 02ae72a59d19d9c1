"""Opens a source for reading, with everything FFmpeg may do to reach it decided here.

HTTP goes through our own guarded client; RTSP and all that is encrypted go through a pipe of
ours; what FFmpeg dials by itself it dials at the address that was checked. Protocols
FFmpeg may use are listed.
"""

import errno
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import av
from av import VideoFrame
from av.container import InputContainer
from av.stream import Discard
from av.video.stream import VideoStream

from stream.errors import BadSource
from stream.file.container import open_input
from stream.file.film import open_container
from stream.file.first_bytes import is_playlist
from stream.file.joined import left_out
from stream.file.tracks import choose_video, is_decodable
from stream.pull.errors import AT_ITS_END, CannotOpen, Refused, explain
from stream.pull.io.http.snapshots import Snapshots
from stream.pull.io.network import comes_by_udp, follow, is_rtsp, open_network, source_of
from stream.pull.io.opened import Opening
from stream.pull.io.tcp_proxy import Pipe
from stream.pull.messages import Place, ReaderConfig

if TYPE_CHECKING:
    from stream.pull.io.http.file import Appetite

_MARK_OF_A_PLAYLIST = 16
_LARGEST_PICTURE = 8192 * 8192
_LONGEST_RECORDING = 7 * 24 * 3600.0
_NEAR_END = 2.0
"""Seconds: the last picture lies before the end, and what servers round does, too."""
_LIVE = {"rtsp", "rtsps", "rtmp", "rtmps", "srt"}


@dataclass(frozen=True, slots=True)
class OpenSource:
    """A source that is open.

    Attributes:
        container: To read from.
        video: What to read.
        paced: Whether it must be held back to real time: it would come as fast as it can be read.
        timed: Whether its times mean something; else the time of arrival does.
        finite: Whether it has an end.
        has_ended: Says, once nothing more comes, whether that was the end, and not a loss.
        lasts: Seconds from its beginning to its end, of what a server plays in real time and says that
            of; None of everything else.
        place: Says how far a playlist was read.
        snapshots: Where pictures come from if each must be asked for; None if they come.
        appetite: Bounds what is read without a picture coming of it; None where FFmpeg reads by itself.
        left_out: Says what is not read of it, once it was read, in a sentence; nothing if all is.
        close: Lets go of everything.
    """

    container: InputContainer
    video: VideoStream
    paced: bool
    timed: bool
    finite: bool
    has_ended: Callable[[], bool]
    lasts: float | None
    place: Callable[[], Place | None]
    snapshots: Snapshots | None
    appetite: "Appetite | None"
    left_out: Callable[[], str]
    close: Callable[[], None]


def open_source(order: ReaderConfig, clock: Callable[[], float]) -> OpenSource:
    """Open what `order` names. Blocks, at most about `order.open_within` seconds.

    Args:
        order: What to open.
        clock: Monotonic seconds.

    Raises:
        CannotOpen: If that fails; with the reason in words.
    """
    while isinstance(found := _open_once(order, clock), ReaderConfig):
        order = found
    return found


def _open_once(order: ReaderConfig, clock: Callable[[], float]) -> OpenSource | ReaderConfig:
    """Open what `order` names, where it is; or return what to open instead, if that is known.

    Raises:
        CannotOpen: If that fails; with the reason in words.
    """
    closers: list[Callable[[], None]] = []
    pipes: list[Pipe] = []
    began = clock()
    try:
        opening = _open(order, clock, closers, pipes)
        closers.append(opening.container.close)
        _refuse_seen(order, opening)
        return _choose(order, opening, closers)
    except CannotOpen:
        _close_all(closers)
        raise
    except (av.FFmpegError, OSError, Refused, BadSource, ValueError) as error:
        _close_all(closers)
        trouble = next((pipe.trouble for pipe in pipes if pipe.trouble is not None), None)
        if (other := _other_way(order, trouble or error)) is not None:
            return other
        if trouble is not None:
            raise CannotOpen(explain(trouble, order)) from error
        # FFmpeg calls an RTSP answer that it gave up waiting for an invalid one.
        late = order.scheme in _LIVE and clock() - began >= order.open_within
        raise CannotOpen(explain(TimeoutError() if late else error, order)) from error


def _other_way(order: ReaderConfig, error: Exception) -> ReaderConfig | None:
    """Return what to open instead after `error`: elsewhere, or over TCP; None if there is nothing.

    Raises:
        CannotOpen: If it is elsewhere and may not be opened there.
    """
    # What FFmpeg makes of 461, "Unsupported Transport".
    if getattr(error, "errno", None) == errno.EPROTONOSUPPORT and comes_by_udp(order):
        return replace(order, transport="tcp")
    elsewhere = error.location if isinstance(error, Refused) else None
    if elsewhere is not None and order.trusted and order.redirects:
        try:
            return follow(order, elsewhere)
        except BadSource as refusal:
            raise CannotOpen(explain(refusal, order)) from refusal
    return None


def _open(
    order: ReaderConfig,
    clock: Callable[[], float],
    closers: list[Callable[[], None]],
    pipes: list[Pipe],
) -> Opening:
    if source_of(order).is_device:
        # What FFmpeg makes up itself (lavfi) ends once and for all; a camera is unplugged.
        made_up = order.scheme == "lavfi"
        return Opening(_open_device(order), has_ended=lambda: made_up)
    if order.scheme in {"http", "https"}:
        # Not for every reader: it doubles the time one takes to start.
        from stream.pull.io.http.open import open_http

        return open_http(order, source_of(order), clock, closers)
    if order.scheme == "file":
        if _is_playlist(Path(order.path)):
            from stream.pull.io.local_playlist import open_local_playlist

            return open_local_playlist(order, clock, closers)
        return _open_file(order)
    container = open_network(order, closers, pipes)
    lasts = _length_of_recording(container)
    # By RTSP it is the server's word, by RTMP that of whoever published it: perhaps it is live.
    return Opening(container, finite=lasts is not None and is_rtsp(order), lasts=lasts)


def _length_of_recording(container: InputContainer) -> float | None:
    """Return how long a server says that a recording is (`a=range:npt=0-12.5`); None of live video."""
    length = (container.duration or 0) / av.time_base
    return length if 0 < length < _LONGEST_RECORDING else None


def is_at_end(position: float | None, lasts: float | None) -> bool:
    """Say whether a recording that lasts so long, and was read so far, is at its end."""
    return position is not None and lasts is not None and abs(position - lasts) <= _NEAR_END


def _refuse_seen(order: ReaderConfig, opening: Opening) -> None:
    """Refuse a recording of which nothing is left.

    Raises:
        CannotOpen: If it is one.
    """
    seen = None if order.after is None else order.after.position
    if opening.finite and is_at_end(seen, opening.lasts):
        raise CannotOpen(AT_ITS_END)


def _is_playlist(path: Path) -> bool:
    if not path.is_file():  # what is read from a pipe is gone
        return False
    with path.open("rb") as file:
        return is_playlist(file.read(_MARK_OF_A_PLAYLIST))


def _open_file(order: ReaderConfig) -> Opening:
    path = Path(order.path)
    options = {"protocol_whitelist": "file"}
    container = open_container(path, options, (order.open_within, order.silence))
    finite = path.is_file()  # whoever writes into a pipe may come back
    return Opening(
        container,
        finite=finite,
        has_ended=lambda: finite,
        left_out=lambda: left_out(path) if finite else "",
    )


def _open_device(order: ReaderConfig) -> InputContainer:
    try:
        av.ContainerFormat(order.scheme, "r")
    except ValueError:
        raise BadSource(f"This machine's FFmpeg cannot read {order.scheme} devices.") from None
    name, _, options = order.path.partition("?")
    return open_input(name, order.scheme, dict(parse_qsl(options)))


def _choose(order: ReaderConfig, opening: Opening, closers: list[Callable[[], None]]) -> OpenSource:
    container = opening.container
    video = choose_video(container)
    if video is None:
        raise BadSource("The source holds no video.")
    if not is_decodable(video):
        raise BadSource("This machine's FFmpeg has no decoder for the source's video.")
    check_size(video)
    for other in container.streams:
        if other is not video:
            other.discard = Discard.all
    video.thread_count = 1  # many sources share the machine, and threads hold pictures back
    # A device's clock may be anything; what FFmpeg makes up itself (lavfi) would come too fast.
    device = source_of(order).is_device and order.scheme != "lavfi"
    arrives = device or container.format.name == "mpjpeg" or opening.snapshots is not None
    return OpenSource(
        container=container,
        video=video,
        paced=order.scheme not in _LIVE and not arrives,
        timed=not arrives,
        finite=opening.finite,
        has_ended=opening.has_ended,
        lasts=opening.lasts,
        place=opening.place,
        snapshots=opening.snapshots,
        appetite=opening.appetite,
        left_out=opening.left_out,
        close=lambda: _close_all(closers),
    )


def _close_all(closers: list[Callable[[], None]]) -> None:
    for close in reversed(closers):
        close()


def check_size(picture: VideoStream | VideoFrame) -> None:
    """Refuse pictures that are too large to be honest; a stream may change to them at any time.

    Raises:
        BadSource: If it is so large.
    """
    if picture.width * picture.height > _LARGEST_PICTURE:
        raise BadSource(f"Pictures of {picture.width} by {picture.height} pixels are too large.")
