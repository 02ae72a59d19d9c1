"""Which pictures of a WebRTC sender are decoded: every one, or only those asked for.

Decoding costs more than all the rest of receiving. A sender makes a keyframe within moments of being
asked for one (picture loss indication, RFC 4585), and a keyframe needs no other picture. So where only a
picture a second is looked at, one keyframe a second is asked for, and nothing else is decoded.
Some senders do not listen (OBS has a fixed interval): each is tried first.
"""

KEYFRAMES_AT_MOST = 2.0
"""Pictures per second up to which keyframes are asked for: more of them would cost the sender."""
PROMPT = 0.5
"""Seconds within which a sender that listens answers; also the time between two requests."""
TRUSTED_AFTER = 3
DISTRUSTED_AFTER = 3
REST = 60.0
"""Seconds after which a sender that did not listen is tried again."""

_H264_KEYFRAME, _H264_SLICES = 5, {1, 2, 3, 4}


class Decoding:
    """Decides for one sender. Time is monotonic seconds.

    Attributes:
        everything: Whether more pictures are wanted than keyframes can be asked for.
    """

    def __init__(self) -> None:
        self.everything = True
        self._arrived = 0
        self._trusted = False
        self._in_a_row = 0
        self._asked = float("-inf")
        self._waiting = False
        self._rests_until = float("-inf")
        # What came before is missing: no picture but a keyframe can be decoded.
        self._broken = True

    @property
    def thrifty(self) -> bool:
        """Whether nothing but keyframes is decoded now."""
        return self._trusted and not self.everything

    def decodes(self, keyframe: bool, now: float) -> bool:
        """Say whether the picture that has arrived is decoded."""
        self._arrived += 1
        if keyframe:
            self._keyframe_came(now)
            self._broken = False
        elif self.thrifty:
            self._broken = True
        return not self._broken

    def taken(self) -> int:
        """Return how many pictures arrived since the last call, whatever became of them."""
        arrived, self._arrived = self._arrived, 0
        return arrived

    def lost(self) -> None:
        """Note that pictures were thrown away undecoded."""
        self._broken = True

    def asks(self, due: bool, now: float) -> bool:
        """Say whether to ask for a keyframe now, and take it as asked.

        Args:
            due: Whether it is time for the next picture.
            now: Monotonic seconds.
        """
        if now - self._asked < PROMPT:
            return False
        if self._waiting:
            self._not_answered(now)
        in_need = self._broken and not self.thrifty
        economical = not self.everything and due and now >= self._rests_until
        if not (in_need or economical):
            return False
        self._asked, self._waiting = now, True
        return True

    def asks_again_in(self, now: float) -> float:
        """Return the seconds for which `asks` says no whatever comes, from `now` on."""
        return max(self._asked + PROMPT - now, 0.0)

    def _keyframe_came(self, now: float) -> None:
        if not self._waiting:
            return
        self._waiting = False
        if now - self._asked > PROMPT:
            return
        self._in_a_row = max(self._in_a_row, 0) + 1
        if self._in_a_row >= TRUSTED_AFTER:
            self._trusted = True

    def _not_answered(self, now: float) -> None:
        self._waiting = False
        self._in_a_row = min(self._in_a_row, 0) - 1
        if self._in_a_row <= -DISTRUSTED_AFTER:
            self._in_a_row = 0
            self._trusted = False
            self._rests_until = now + REST


def is_keyframe(codec: str, data: bytes) -> bool:
    """Say whether an encoded picture can be decoded without any other.

    Args:
        codec: `VP8` (RFC 6386, section 9.1) or `H264` (Annex B; RFC 6184, section 1.3).
        data: Of the whole picture.
    """
    if codec.upper() == "VP8":
        return bool(data) and not data[0] & 1
    at = data.find(b"\0\0\1")
    while 0 <= at < len(data) - 3:
        kind = data[at + 3] & 0x1F
        if kind == _H264_KEYFRAME or kind in _H264_SLICES:
            return kind == _H264_KEYFRAME
        at = data.find(b"\0\0\1", at + 3)
    return False
