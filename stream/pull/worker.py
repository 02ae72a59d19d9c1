"""The process that reads one pulled source: `python -m stream.pull.worker`.

FFmpeg may hang, crash or eat memory on what a stranger's server sends. It does so here, where it
can be killed and takes nothing with it. The order comes on standard input, not on the command
line where every user of the machine could read its password; pictures go through shared memory,
reports to standard output. The process ends when its parent does.
"""

import ctypes
import os
import resource
import signal
import sys
import threading
import time
from dataclasses import replace
from types import TracebackType
from typing import BinaryIO

import av

from stream.errors import BadSource
from stream.frames.scale import to_rgb
from stream.pull.decode import NoKeyframe, Picked, Picker
from stream.pull.errors import AT_ITS_END, CannotOpen, Refused, explain_loss
from stream.pull.frame_ring import PictureRing
from stream.pull.io.open import OpenSource, is_at_end, open_source
from stream.pull.messages import (
    FrameReady,
    FramesSkipped,
    Opened,
    Place,
    ReaderConfig,
    Report,
    SourceEnded,
    Waiting,
    report_to_line,
)

_MEMORY_LIMIT = 4 * 1024**3
_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Read the order, then the source, until it ends."""
    _apply_process_limits()
    order = ReaderConfig.from_line(sys.stdin.buffer.readline())
    reports = _Reports(sys.stdout.fileno())
    sys.excepthook = reports.send_error
    ring = PictureRing(order.memory, order.side)
    try:
        source = open_source(order, time.monotonic)
    except CannotOpen as failure:
        reports.send(failure.over)
        return
    try:
        reports.send(_describe(source))
        seen = (order.after and order.after.position) or 0.0
        picker = Picker(
            source, order.rate, time.monotonic, time.sleep, seen, sample_rate=order.sample_rate
        )
        threading.Thread(
            target=_apply_commands, args=(sys.stdin.buffer, picker), daemon=True
        ).start()
        reports.send(_read(picker, source, order, ring, reports))
    finally:
        source.close()


class _Reports:
    """Standard output, which is never waited for: a report that finds no room is lost."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        os.set_blocking(descriptor, False)

    def send(self, report: Report) -> bool:
        """Send `report`; False if there was no room. Lines are short enough to go whole."""
        try:
            os.write(self._descriptor, report_to_line(report))
        except BlockingIOError:
            return False
        return True

    def send_error(
        self, kind: type[BaseException], _error: BaseException, trace: TracebackType | None
    ) -> None:
        """Report an error nobody expected by its kind and place: its text may hold the URL."""
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = "" if trace is None else f" at {trace.tb_frame.f_code.co_name}:{trace.tb_lineno}"
        self.send(SourceEnded(f"The reader of this source failed: {kind.__name__}{place}."))


def _read(
    picker: Picker, source: OpenSource, order: ReaderConfig, ring: PictureRing, reports: _Reports
) -> SourceEnded:
    reported, place = 0, None
    try:
        for one in picker.events():
            seen = picker.seen - reported
            if isinstance(one, Picked):
                report: Report = _show(one, seen, ring, order.side)
            elif isinstance(one, NoKeyframe):
                report = Waiting()
            else:
                report = FramesSkipped(one, seen)
            if reports.send(report) and not isinstance(report, Waiting):
                reported = picker.seen
            if place != (place := _place(picker, source)) and place is not None:
                reports.send(place)
    except (av.FFmpegError, OSError, Refused, BadSource) as error:
        return explain_loss(error, order)
    if source.has_ended() or is_at_end(picker.position, source.lasts):
        return replace(AT_ITS_END, reason=f"{AT_ITS_END.reason} {source.left_out()}".rstrip())
    return SourceEnded("The source stopped sending.")


def _place(picker: Picker, source: OpenSource) -> Place | None:
    """Return how far the source was read, if that can be told."""
    place = source.place()
    if place is None and picker.position is not None and source.finite:
        place = Place(position=picker.position)
    return place


def _show(picked: Picked, seen: int, ring: PictureRing, side: int) -> FrameReady:
    pixels = to_rgb(picked.picture, side)
    number = ring.write(pixels)
    height, width, _ = pixels.shape
    return FrameReady(number, height, width, picked.time, picked.captured, seen, picked.sampled)


def _describe(source: OpenSource) -> Opened:
    video = source.video
    rate = float(video.average_rate) if video.average_rate else None
    duration = source.container.duration if source.finite else None
    return Opened(
        codec=video.codec_context.name,
        width=video.width,
        height=video.height,
        rate=rate,
        length=duration / av.time_base if duration else None,
        live=not source.finite,
    )


def _apply_commands(orders: BinaryIO, picker: Picker) -> None:
    """Follow changes of the rates; the end of the orders is the end of the parent."""
    for line in orders:
        picker.rate, picker.sample_rate = map(float, line.split())
    os._exit(0)


def _apply_process_limits() -> None:
    """Give way to the service, die with it, and never take the machine's memory."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends us
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_LIMIT, _MEMORY_LIMIT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(5)


if __name__ == "__main__":
    main()
