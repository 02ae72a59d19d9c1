"""Opens a source over HTTP: a film, a live stream, a playlist, motion JPEG, or one picture a request.

Whether it has an end is the server's word, never the container's: FFmpeg makes up a duration for
what goes on for ever and has none for many a film. It ends if the server said how long it is, by a
length or by the playlist's last line, and all of it came.
"""

import time
from collections.abc import Callable

import av
from av.container import InputContainer

from stream.address.reachable import read_networks
from stream.address.source_url import SourceUrl
from stream.errors import BadSource
from stream.file.container import Readable, open_input
from stream.file.film import BROADCAST
from stream.file.first_bytes import (
    ENOUGH_OF_A_STREAM,
    has_late_index,
    is_playlist,
    playlist_options,
    refuse_document,
    refuse_text,
)
from stream.file.joined import changed
from stream.pull.io.http.anew import Continuous
from stream.pull.io.http.changing import UpToChange, watch_for, watched
from stream.pull.io.http.file import HttpFile
from stream.pull.io.http.guarded import HttpSource
from stream.pull.io.http.hls import PlaylistGuide
from stream.pull.io.http.hls_maps import LEFT_OUT
from stream.pull.io.http.joined import as_read
from stream.pull.io.http.motion_jpeg import MotionJpeg
from stream.pull.io.http.opener import opener_of
from stream.pull.io.http.snapshots import Snapshots, open_snapshot
from stream.pull.io.opened import QUICK, Opening
from stream.pull.messages import ReaderConfig

_BUFFERED = 32 * 1024
"""Bytes of a file that FFmpeg holds: so far back it may go without asking anybody."""
_NEEDS_RANGES = (
    "The index of this film is at its end, and the server sends no parts of files: put the index "
    "first (ffmpeg -i FILM -c copy -movflags +faststart NEW), or use a server that knows ranges."
)


def open_http(
    order: ReaderConfig,
    source: SourceUrl,
    clock: Callable[[], float],
    closers: list[Callable[[], None]],
) -> Opening:
    """Open `source`.

    Args:
        order: How.
        source: What `order` names.
        clock: Monotonic seconds.
        closers: Gets what must be called to let go of it.

    Raises:
        CannotOpen: If it is a playlist of which nothing is left.
        BadSource: If it may not be reached or is no video.
        FFmpegError: If it is nothing that FFmpeg can read.
        OSError: If it cannot be reached.
        Refused: If the server says no.
    """
    http = HttpSource(
        source,
        read_networks(order.allowed),
        order.open_within,
        own=order.own,
        certificates=order.certificates,
    )
    closers.append(http.close)
    began = clock()
    file = http.open()
    closers.append(file.close)
    head = file.peek(ENOUGH_OF_A_STREAM)
    if not head:
        raise BadSource("The source sent nothing.")
    refuse_document(head, file.content_type)
    if is_playlist(head):
        return _open_playlist(order, http, file, clock)
    if "multipart/" in file.content_type:
        return Opening(_open(MotionJpeg(file), order, http, "mpjpeg"), appetite=http.appetite)
    picture = open_snapshot(file, late=lambda: clock() - began > order.open_within)
    if picture is not None:
        file.close()
        return Opening(picture, snapshots=Snapshots(picture, http.open), appetite=http.appetite)
    if has_late_index(head) and not file.seekable() and (file.length or 0) > _BUFFERED:
        raise BadSource(_NEEDS_RANGES)
    finite = file.length is not None
    whole, left_out = _as_watched(http, file, head)
    return Opening(
        _open_film(whole, order, http, head, live=not finite),
        finite=finite,
        has_ended=lambda: finite,
        appetite=http.appetite,
        left_out=left_out,
    )


def _open_film(
    file: Readable, order: ReaderConfig, http: HttpSource, head: bytes, *, live: bool
) -> InputContainer:
    try:
        return _open(file, order, http, options=QUICK if live else None)
    except av.error.InvalidDataError:
        refuse_text(head)
        raise


def _as_watched(
    http: HttpSource, file: HttpFile, head: bytes
) -> tuple[Readable, Callable[[], str]]:
    """Return what to read of what is no playlist and begins with `head`, and what says what is left out.

    Raises:
        OSError: If the connection is lost or silent for too long.
        Refused: If the server says no.
    """
    if (watch := watch_for(head)) is not None:
        up_to = UpToChange(file, watch)
        return up_to, lambda: changed(up_to.unread, up_to.end)
    if file.length is None:
        return Continuous(file), lambda: ""
    whole, unread = as_read(http, file, head)
    return whole, lambda: unread


def _open_playlist(
    order: ReaderConfig, http: HttpSource, file: HttpFile, clock: Callable[[], float]
) -> Opening:
    guide = PlaylistGuide(
        http.open,
        order.after,
        within=min(order.open_within, order.silence),
        clock=clock,
        sleep=time.sleep,
    )
    try:
        first = guide.take(file)
        options = playlist_options() | ({} if guide.declared else QUICK)
        container = _open(first, order, http, "hls", options, guide)
    except (av.FFmpegError, OSError, BadSource):
        if guide.trouble is not None:  # FFmpeg has other words for it
            raise guide.trouble from None
        raise
    if not container.streams and guide.trouble is not None:
        container.close()
        raise guide.trouble
    return Opening(
        container,
        finite=guide.ended,
        has_ended=lambda: guide.ended and not guide.is_cut,
        place=lambda: guide.place,
        appetite=http.appetite,
        left_out=lambda: LEFT_OUT if guide.is_cut else "",
    )


def _open(
    file: Readable,
    order: ReaderConfig,
    http: HttpSource,
    kind: str | None = None,
    options: dict[str, str] | None = None,
    guide: PlaylistGuide | None = None,
) -> InputContainer:
    return open_input(
        file,
        kind,
        {"protocol_whitelist": "http,https,crypto,data"} | BROADCAST | (options or {}),
        timeout=(order.open_within, order.silence),
        io_open=opener_of(http.open) if guide is None else watched(opener_of(guide.open), guide),
    )
