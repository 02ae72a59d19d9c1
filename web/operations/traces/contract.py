"""What may follow questions and clips on their way: the contract, and nobody who does.

Off by default, and then it costs nothing: nothing wraps the engine, nothing is imported. With
`FLASHBACK_TRACES` set, `web/operations/traces/otel.py` takes its place.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from model.engine.contract import Engine
from model.types import ClipTokens


class Tracing(Protocol):
    """Follows each question and each clip; never waits, never fails what it follows."""

    def traced(self, engine: Engine, *, reads_here: bool) -> Engine:
        """Return `engine`, followed.

        Args:
            engine: Encodes and answers.
            reads_here: Whether it reads the past through this process, so that this can be followed.
        """
        ...

    def question(self) -> AbstractContextManager[None]:
        """Follow a question from here to the last word; what this task asks of an engine is part of it."""
        ...

    def encoded(self, stream: str, clip: ClipTokens) -> None:
        """Note of which stream a clip is that the engine has just encoded."""
        ...

    def close(self) -> None:
        """Send what was seen last, within seconds. Blocks meanwhile."""
        ...


class NoTracing:
    """Follows nothing; see `Tracing`."""

    def traced(self, engine: Engine, *, reads_here: bool) -> Engine:
        """Return `engine` as it is."""
        return engine

    def question(self) -> AbstractContextManager[None]:
        """Follow nothing."""
        return nullcontext()

    def encoded(self, stream: str, clip: ClipTokens) -> None:
        """Note nothing."""

    def close(self) -> None:
        """Have nothing to send."""
