"""The way in of every question: there is a place for it, and its token may ask so often."""

from collections.abc import Iterator
from contextlib import contextmanager

from web.access.allowances import Allowances
from web.access.quotas import Quota
from web.access.tokens import Caller
from web.operations.traces.contract import NoTracing, Tracing


class Admission:
    """Lets questions in.

    Args:
        places: Counts those that are answered, or wait for it.
        allowances: What each token has used.
        tracing: Follows them from here.
    """

    def __init__(
        self, places: Quota, allowances: Allowances, tracing: Tracing | None = None
    ) -> None:
        self._places = places
        self._allowances = allowances
        self._tracing = tracing or NoTracing()

    @contextmanager
    def question(self, caller: Caller) -> Iterator[None]:
        """Hold a place for a question of `caller`.

        Raises:
            Full: If there is none.
            Full: If the token has asked as often as it may.
        """
        with self._tracing.question(), self._places.acquire(object(), caller):
            self._allowances.ask(caller)
            yield
