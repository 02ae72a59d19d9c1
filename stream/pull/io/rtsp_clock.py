"""Recordings over RTSP whose times are those of the clock on the wall (`a=range:clock=…`), as recorders have them.

FFmpeg knows seconds from the beginning alone (`npt`). To it such a recording is live: it would be played
anew for ever, and after a break from its beginning. So one is written for the other on the way.
https://www.rfc-editor.org/rfc/rfc2326#section-3.7
"""

import re
from datetime import UTC, datetime, timedelta

_TIME = rb"(\d{8}T\d{6}(?:\.\d{1,6})?)Z?"
_SAID = re.compile(rb"(?im)^(a=range:)clock=" + _TIME + rb"-" + _TIME + rb"(?=\s*$)")
_ANSWERED = re.compile(rb"(?im)^(range:\s*)clock=" + _TIME + rb"-[^\s;]*")
_ASKED = re.compile(rb"(?im)^(range:\s*)npt=(\d+(?:\.\d+)?)-")
_FIRST_YEAR, _LAST_YEAR = 1970, 3000


class WallClock:
    """Says in seconds what a server says by the clock on the wall, and the other way round.

    Nothing is touched before a server has described a recording that begins and ends.
    """

    def __init__(self) -> None:
        """Know of no recording yet."""
        self._begin: datetime | None = None

    def described(self, body: bytes) -> bytes:
        """Return a description with seconds for times; the first that is named is the beginning."""
        return _SAID.sub(self._in_seconds, body)

    def asked(self, head: bytes) -> bytes:
        """Return a request to play that names a time, as the server names them."""
        if self._begin is None:
            return head
        begin = self._begin

        def by_the_clock(found: re.Match[bytes]) -> bytes:
            time = begin + timedelta(seconds=float(found[2]))
            parts = f"{time:%Y%m%dT%H%M%S}.{time.microsecond // 1000:03d}Z"
            return found[1] + b"clock=" + parts.replace(".000", "").encode() + b"-"

        return _ASKED.sub(by_the_clock, head)

    def answered(self, head: bytes) -> bytes:
        """Return an answer with the seconds from which on it is played."""
        if self._begin is None:
            return head
        begin = self._begin

        def in_seconds(found: re.Match[bytes]) -> bytes:
            time = _read(found[2])
            return found[0] if time is None else found[1] + b"npt=%.3f-" % _seconds(begin, time)

        return _ANSWERED.sub(in_seconds, head)

    def _in_seconds(self, found: re.Match[bytes]) -> bytes:
        begin, end = _read(found[2]), _read(found[3])
        if begin is None or end is None or end <= begin:
            return found[0]
        self._begin = self._begin or begin
        return found[1] + b"npt=0-%.3f" % _seconds(begin, end)


def _read(text: bytes) -> datetime | None:
    whole, _, part = text.decode().partition(".")
    try:
        time = datetime.strptime(whole, "%Y%m%dT%H%M%S")
    except ValueError:
        return None
    if not _FIRST_YEAR <= time.year <= _LAST_YEAR:  # no seconds lead out of what is known as a time
        return None
    return time.replace(microsecond=int((part or "0").ljust(6, "0")), tzinfo=UTC)


def _seconds(begin: datetime, time: datetime) -> float:
    return max((time - begin).total_seconds(), 0.0)
