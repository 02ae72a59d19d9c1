"""How much of its limits each token has used: questions in a time, bytes of the day.

Counted in this process and from its start on; as many tokens are known as may stand in the file.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from web.access.limits import Rate, said_size
from web.access.tokens import MOST_TOKENS, Caller
from web.errors import Full

_DAY = 86_400.0


@dataclass(slots=True)
class _Used:
    """What one token used.

    Attributes:
        free_at: Monotonic second from which on it may ask as often at once as its rate allows.
        day: Days since 1970 that `sent` is of.
        sent: Bytes.
    """

    free_at: float = 0.0
    day: int = 0
    sent: int = 0


class Allowances:
    """Knows what each token has used.

    Args:
        wall: Unix seconds.
        monotonic: Seconds that never go back.
    """

    def __init__(self, wall: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._of: dict[str, _Used] = {}  # the one that used something last at the end

    def ask(self, caller: Caller) -> None:
        """Count a question.

        Raises:
            Full: If it comes too soon; then it is not counted.
        """
        rate = caller.limits.questions
        if rate is None:
            return
        used, now = self._used(caller), self._monotonic()
        free_at, wait = _after_one_more(rate, used.free_at, now)
        if wait > 0:
            text = f"This token may ask {rate}; ask again in {math.ceil(wait)} seconds."
            raise Full(text, of_token=True, retry_after=wait)
        used.free_at = free_at

    def send(self, caller: Caller, size: int) -> None:
        """Count bytes of video or pictures that came.

        Raises:
            Full: If they are more than are left of the day.
        """
        most = caller.limits.bytes_a_day
        if most is None:
            return
        used, (day, second) = self._used(caller), divmod(self._wall(), _DAY)
        if used.day != day:
            used.day, used.sent = int(day), 0
        used.sent += size
        if used.sent > most:
            text = f"This token has sent its {said_size(most)} of the day; it may again at midnight UTC."
            raise Full(text, of_token=True, retry_after=_DAY - second)

    def _used(self, caller: Caller) -> _Used:
        used = self._of[caller.name] = self._of.pop(caller.name, _Used())
        if len(self._of) > 2 * MOST_TOKENS:
            del self._of[next(iter(self._of))]
        return used


def _after_one_more(rate: Rate, free_at: float, now: float) -> tuple[float, float]:
    """Return what `free_at` becomes by one more question, and how long that must wait first.

    The generic cell rate algorithm: as many at once as the rate allows in its time, then one at a
    time. https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
    """
    each = rate.seconds / rate.count
    after = max(free_at, now) + each
    return after, max(0.0, after - now - rate.seconds)
