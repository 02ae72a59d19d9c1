"""Which events are new, look after look: nothing is left out, and nothing yielded twice."""

from collections.abc import Callable, Iterator, Sequence

from flashback_client.http import FlashbackError
from flashback_client.types import WatchEvent

MOST_EVENTS = 500
_TOLD_LATE = 120.0
"""Seconds by which an event may be told after it fired: the model was asked, or the service started anew."""


def following(
    newest: Callable[[float], Sequence[WatchEvent]],
    told: Sequence[WatchEvent],
    on_away: Callable[[FlashbackError], None],
) -> Iterator[Sequence[WatchEvent]]:
    """Yield, again and again, the events that were not `told` yet, oldest first; also over a restart.

    An event may be told later than one that fired after it: what fired shortly before the newest is
    looked at again.

    Args:
        newest: Returns the newest events after a Unix second, oldest first.
        told: What is known already.
        on_away: Is told that the service does not answer, once each time.

    Raises:
        FlashbackError: If `newest` fails otherwise.
    """
    known = {one.id: one.at for one in told}
    silent = False
    while True:
        after = max(known.values(), default=0.0) - _TOLD_LATE
        try:
            found = newest(after)
        except FlashbackError as error:
            if not error.temporary:
                raise
            if not silent:
                on_away(error)
            found, silent = [], True
        else:
            silent = False
        fresh = [one for one in found if one.id not in known]
        known |= {one.id: one.at for one in fresh}
        known = {key: at for key, at in known.items() if at > after}
        yield fresh
