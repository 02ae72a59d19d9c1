"""How the way of a stream's clips into memory is doing: what was lost, how old frames are, what is wrong."""

import logging
from collections import deque
from collections.abc import Callable
from typing import Literal

log = logging.getLogger(__name__)

Stage = Literal["store", "encoder"]

_AGES = 512
FAILURES_TOLD = 3
"""Clips in a row that the engine must fail on before the stream says so: one may be a bad clip."""


class PipelineHealth:
    """Counts and sentences of one stream's pipeline.

    Attributes:
        not_encoded: Clips that were too late for the engine, or that it refused.
        failed: Clips that something failed on.
        full: Clips that the store had no room for.
        ages: How long the newest frames of recent clips were under way when the network began, in
            seconds, but for their wait for other frames of their clips.
    """

    def __init__(self, name: str, on_trouble: Callable[[], None]) -> None:
        """Begin well.

        Args:
            name: The stream's, for the log.
            on_trouble: Is told when `trouble` changes.
        """
        self.not_encoded = self.failed = self.full = 0
        self.ages: deque[float] = deque(maxlen=_AGES)
        self._name = name
        self._on_trouble = on_trouble
        self._took: float | None = None
        self._failures_in_a_row = 0
        self._troubles: dict[Stage, str | None] = {"store": None, "encoder": None}

    @property
    def trouble(self) -> str | None:
        """None while what is seen is remembered; else the sentence that says why not."""
        return self._troubles["store"] or self._troubles["encoder"]

    @property
    def encode_ms(self) -> float | None:
        """How long the newest clip took to encode, waiting included; None before the first."""
        return None if self._took is None else _ms(self._took)

    def frame_ages_ms(self) -> tuple[float | None, float | None, float | None]:
        """Return the newest of `ages`, their median, and the worst one in a hundred."""
        if not self.ages:
            return None, None, None
        ordered = sorted(self.ages)
        median, worst = ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100]
        return _ms(self.ages[-1]), _ms(median), _ms(worst)

    def is_well(self, stage: Stage) -> bool:
        """Say whether nothing is wrong at `stage`."""
        return self._troubles[stage] is None

    def say(self, stage: Stage, trouble: str | None) -> None:
        """Tell what is wrong at `stage`; None if nothing is any more."""
        if trouble != self._troubles[stage]:
            self._troubles[stage] = trouble
            self._on_trouble()

    def note_encoded(self, took: float) -> None:
        """Note that a clip was encoded in `took` seconds."""
        self._failures_in_a_row = 0
        self._took = took
        self.say("encoder", None)

    def note_failure(self, error: BaseException) -> None:
        """Count a clip that could not be encoded."""
        self.failed += 1
        self._failures_in_a_row += 1
        if self._failures_in_a_row == 1:
            # A network that is broken fails every few seconds: one report is enough.
            log.error("a clip of stream %s could not be encoded", self._name, exc_info=error)
        if self._failures_in_a_row >= FAILURES_TOLD:
            self.say(
                "encoder",
                f"The encoder fails on every clip ({type(error).__name__}), so nothing new is "
                "remembered; the service's log says more.",
            )


def _ms(seconds: float) -> float:
    return round(1000 * seconds, 1)
