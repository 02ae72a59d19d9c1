"""What strangers do wrong, counted, and told to the log in one line a minute at most.

Anyone who reaches the port can make the server say something about every one of a million
connections. A log that grows with them is a second attack.
"""

import logging
from collections import Counter
from collections.abc import Callable

log = logging.getLogger(__name__)

PAUSE_SECONDS = 60.0


class Rejections:
    """Counts what was refused before anybody had shown a token.

    Args:
        monotonic: Seconds that never go back.

    Attributes:
        total: How many since the start.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self.total = 0
        self._monotonic = monotonic
        self._untold: Counter[str] = Counter()
        self._told: float | None = None

    def add(self, what: str) -> None:
        """Count one; `what` says it in a few words, of which there are few kinds."""
        self.total += 1
        self._untold[what] += 1
        now = self._monotonic()
        if self._told is None or now - self._told >= PAUSE_SECONDS:
            self._told = now
            log.warning("refused: %s", ", ".join(f"{k} ({n})" for k, n in self._untold.items()))
            self._untold.clear()


class ServerComplaints(logging.Filter):
    """Lets through what the HTTP server logs, except for what clients do to their own connections.

    Args:
        rejections: Where that is counted instead.
    """

    _OF_CLIENTS = {  # noqa: RUF012 - a constant
        "Invalid HTTP request received.": "not HTTP",
        "Unsupported upgrade request.": "an unknown protocol to upgrade to",
        "Invalid UTF-8 sequence received from client.": "text that is not UTF-8",
        "ASGI callable returned without completing handshake.": "gone during the handshake",
    }

    def __init__(self, rejections: Rejections) -> None:
        super().__init__()
        self._rejections = rejections

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether `record` is to be logged."""
        what = self._OF_CLIENTS.get(record.msg) if isinstance(record.msg, str) else None
        if what is not None:
            self._rejections.add(what)
        return what is None
