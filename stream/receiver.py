"""What a live service needs of aiortc's video receiver and aiortc has no public way to.

Everything that relies on its inside is here, and tests/stream/test_webrtc.py fails if it changes
(written for 1.14 to 1.16, https://github.com/aiortc/aiortc/blob/1.14.0/src/aiortc/rtcrtpreceiver.py).
"""

import asyncio
import queue
import threading
from collections.abc import Callable

from aiortc import RTCRtpReceiver

from stream.keyframes import is_keyframe

INSIDE = "_RTCRtpReceiver__"
# Encoded pictures that may wait for aiortc's decoder: a second at 30 pictures per second.
LONGEST_BACKLOG = 30


class _Gate(queue.Queue[object]):
    """aiortc's queue of encoded pictures, which lets only those in that are to be decoded."""

    def __init__(self, decodes: Callable[[bool], bool]) -> None:
        super().__init__()
        self._decodes = decodes

    def put(self, item: object, block: bool = True, timeout: float | None = None) -> None:
        """Take `item`, None (the end) or a codec and a whole encoded picture, if it is wanted."""
        if isinstance(item, tuple):
            codec, picture = item
            if not self._decodes(is_keyframe(codec.name, picture.data)):
                return
        super().put(item, block, timeout)


def decode_only(receiver: RTCRtpReceiver, decodes: Callable[[bool], bool]) -> None:
    """Have `receiver` decode no other pictures than those that `decodes` says yes to.

    To be called before the connection stands.

    Args:
        receiver: Of a video.
        decodes: Asked of every whole picture that arrives; told whether it is a keyframe.
    """
    setattr(receiver, f"{INSIDE}decoder_queue", _Gate(decodes))


async def ask_for_keyframe(receiver: RTCRtpReceiver) -> None:
    """Tell the sender that we cannot show anything before its next whole picture.

    Picture loss indication: https://www.rfc-editor.org/rfc/rfc4585#section-6.3.1
    """
    for source in receiver.getSynchronizationSources():
        await receiver._send_rtcp_pli(source.source)


def is_behind(receiver: RTCRtpReceiver) -> bool:
    """Say whether more pictures wait to be decoded than may."""
    return _waiting(receiver).qsize() > LONGEST_BACKLOG


def skip_to_now(receiver: RTCRtpReceiver) -> None:
    """Throw away what waits to be decoded; what comes next needs a keyframe.

    aiortc's queue has no bound: on a busy machine the picture would lag more and more.
    """
    _empty(_waiting(receiver))


async def stop_decoding(receiver: RTCRtpReceiver) -> None:
    """End the decoder's thread without blocking the event loop, as aiortc's own `stop` would."""
    thread: threading.Thread | None = getattr(receiver, f"{INSIDE}decoder_thread")
    if thread is None:
        return
    receiver._enabled = False
    waiting = _waiting(receiver)
    _empty(waiting)
    waiting.put(None)
    await asyncio.to_thread(thread.join)


def _waiting(receiver: RTCRtpReceiver) -> "queue.Queue[object]":
    waiting: queue.Queue[object] = getattr(receiver, f"{INSIDE}decoder_queue")
    return waiting


def _empty(waiting: "queue.Queue[object]") -> None:
    try:
        while True:
            waiting.get_nowait()
    except queue.Empty:
        return
