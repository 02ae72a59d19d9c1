"""What a live service needs of aiortc's video receiver and aiortc has no public way to.

Its two queues, of encoded pictures and of decoded ones, have no bound and would lag more and more on
a busy machine. Ours take their place: the newest wins in both.

Everything that relies on its inside is here, and tests/stream/test_receiver.py fails if it changes
(written for 1.14 to 1.16, https://github.com/aiortc/aiortc/blob/1.14.0/src/aiortc/rtcrtpreceiver.py).
"""

import asyncio
import queue
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from aiortc import RTCRtpCodecParameters, RTCRtpReceiver
from aiortc.jitterbuffer import JitterFrame

from stream.webrtc.keyframes import is_keyframe

INSIDE = "_RTCRtpReceiver__"
_DECODED = "_queue"
_VIDEO_CLOCK = 90_000
"""RTP timestamps of video in a second (RFC 6184, RFC 7741)."""
# Encoded pictures that may wait for aiortc's decoder: a second at 30 pictures per second.
LONGEST_BACKLOG = 30
# More than can be between arrival and `arrival` at once: the backlog, and what a decoder holds back.
ARRIVALS_NOTED = 2 * LONGEST_BACKLOG


class Gate(queue.Queue[object]):
    """aiortc's queue of encoded pictures, which lets only those in that are to be decoded.

    Filled by the event loop, emptied by the decoder's thread.
    """

    def __init__(
        self, decodes: Callable[[bool], bool], lost: Callable[[], None], now: Callable[[], float]
    ) -> None:
        """Take what decides; see `decode_only`."""
        super().__init__()
        self._decodes = decodes
        self._lost = lost
        self._now = now
        self._arrivals: dict[int, float] = {}

    def put(self, item: object, block: bool = True, timeout: float | None = None) -> None:
        """Take `item`, None (the end) or a codec and a whole encoded picture, if it is wanted."""
        if not isinstance(item, tuple):
            # aiortc waits on the event loop until the decoder has ended: let it have nothing to do.
            _empty(self)
        elif not self._wants(*item):
            return
        super().put(item, block, timeout)

    def arrival(self, timestamp: int | None) -> float:
        """Return when the picture of this RTP timestamp arrived, once; now if that is not known."""
        arrived = None if timestamp is None else self._arrivals.pop(timestamp, None)
        return self._now() if arrived is None else arrived

    def _wants(self, codec: RTCRtpCodecParameters, picture: JitterFrame) -> bool:
        if self.qsize() >= LONGEST_BACKLOG:
            _empty(self)
            self._lost()
        if not self._decodes(is_keyframe(codec.name, picture.data)):
            return False
        self._arrivals[picture.timestamp] = self._now()
        if len(self._arrivals) > ARRIVALS_NOTED:
            del self._arrivals[next(iter(self._arrivals))]
        return True


class Newest(asyncio.Queue[object]):
    """aiortc's queue of decoded pictures, which holds the newest one, and after it the end."""

    async def put(self, item: object) -> None:
        """Take `item`, a picture or None (the end). Never waits."""
        if item is not None and not self.empty():
            self.get_nowait()
        self.put_nowait(item)


def decode_only(
    receiver: RTCRtpReceiver,
    decodes: Callable[[bool], bool],
    *,
    now: Callable[[], float],
    lost: Callable[[], None] = lambda: None,
) -> Gate:
    """Have `receiver` decode no other pictures than those that `decodes` says yes to.

    To be called before the connection stands. Of the decoded pictures the newest can be received.

    Args:
        receiver: Of a video, with its track.
        decodes: Asked of every whole picture that arrives; told whether it is a keyframe.
        now: Monotonic seconds, for `Gate.arrival`.
        lost: Called when more pictures waited for the decoder than may, and all were thrown away:
            what comes next needs a keyframe.
    """
    gate = Gate(decodes, lost, now)
    setattr(receiver, f"{INSIDE}decoder_queue", gate)
    setattr(receiver.track, _DECODED, Newest())
    return gate


@dataclass(frozen=True, slots=True)
class Reception:
    """How RTP packets arrive.

    Attributes:
        lost: Packets that never came.
        jitter: By how much they come unevenly, in seconds (RFC 3550, section 6.4.1).
    """

    lost: int
    jitter: float


async def reception(receivers: Iterable[RTCRtpReceiver]) -> Reception:
    """Return how packets arrived at `receivers` of video so far."""
    reports = [await receiver.getStats() for receiver in receivers]
    told = [one for report in reports for one in report.values() if one.type == "inbound-rtp"]
    jitter = max((one.jitter for one in told), default=0)
    return Reception(sum(max(0, one.packetsLost) for one in told), jitter / _VIDEO_CLOCK)


async def ask_for_keyframe(receiver: RTCRtpReceiver) -> None:
    """Tell the sender that we cannot show anything before its next whole picture.

    Picture loss indication: https://www.rfc-editor.org/rfc/rfc4585#section-6.3.1
    """
    for source in receiver.getSynchronizationSources():
        await receiver._send_rtcp_pli(source.source)


async def stop_decoding(receiver: RTCRtpReceiver) -> None:
    """End the decoder's thread without blocking the event loop, as aiortc's own `stop` would."""
    thread: threading.Thread | None = getattr(receiver, f"{INSIDE}decoder_thread")
    if thread is None:
        return
    receiver._enabled = False
    waiting: queue.Queue[object] = getattr(receiver, f"{INSIDE}decoder_queue")
    _empty(waiting)
    waiting.put(None)
    await asyncio.to_thread(thread.join)


def _empty(waiting: "queue.Queue[object]") -> None:
    try:
        while True:
            waiting.get_nowait()
    except queue.Empty:
        return
