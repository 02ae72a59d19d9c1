"""Everything that may go wrong in the model, as one tree; every error has a code for programs.

    ModelError
    ├── EngineError              the engine cannot do what it was asked
    │   ├── NothingSeen          nothing_seen        there is no clip to answer from
    │   │   ├── NothingInRange   nothing_seen        none in the time asked about
    │   │   └── HistoryGone      history_gone        no history is held: inside an engine, it asks memory again
    │   ├── QuestionTooLong      question_too_long   more tokens than can be read at once
    │   ├── EngineBusy           engine_busy         a queue is full
    │   └── EngineFailed         engine_failed       the network failed on this
    ├── HistoryFull              history_full        the next clip has no position left
    └── ModelUnavailable         model_unavailable   the network cannot be loaded
        ├── WeightsMissing                           the weights of `lite` are not here
        ├── CheckpointUnusable                       not here and not to be fetched, or a file is wrong
        │   └── TokenizerUnreadable                  the tokenizer is
        ├── CheckpointMismatch                       its tensors are not those of its network
        └── UnsupportedCheckpoint                    it is a network that this code does not build

What a caller did wrong in code (a clip of the wrong shape) is a `ValueError`, and not here.
"""

from collections.abc import Mapping
from typing import ClassVar


class ModelError(Exception):
    """Something that may go wrong in the model.

    Attributes:
        code: For programs: names the kind, whatever the words; stays the same over versions.
    """

    code: ClassVar[str] = "model_error"


class EngineError(ModelError):
    """The engine cannot do what it was asked."""

    code = "engine_error"


class NothingSeen(EngineError):
    """There is no clip to answer from: none has arrived, or none in the time asked about."""

    code = "nothing_seen"


class NothingInRange(NothingSeen):
    """No clip lies in the time asked about; the message says what is remembered.

    Attributes:
        held: From which to which media second something is; None if nothing is.
    """

    def __init__(self, message: str, held: tuple[float, float] | None = None) -> None:
        super().__init__(message)
        self.held = held


class HistoryGone(NothingSeen):
    """No history is held (any more): an engine reads memory again, and nobody else is told."""

    code = "history_gone"


class QuestionTooLong(EngineError):
    """A question has more tokens than can be read at once; the message has the numbers."""

    code = "question_too_long"


class EngineBusy(EngineError):
    """More is waiting for the network than it may hold; try again soon."""

    code = "engine_busy"


class EngineFailed(EngineError):
    """The network failed on this, others are not affected; the log says more."""

    code = "engine_failed"


class HistoryFull(ModelError):
    """The next clip would stand at a position the language model was not trained for."""

    code = "history_full"


class ModelUnavailable(ModelError):
    """The network cannot be loaded; the message says what to do."""

    code = "model_unavailable"


class WeightsMissing(ModelUnavailable):
    """Weights of `lite`, published or trained here, are missing or cannot be read."""


class CheckpointUnusable(ModelUnavailable):
    """There is no checkpoint to read: it cannot be fetched, or a file is missing, cut short or wrong."""


class TokenizerUnreadable(CheckpointUnusable):
    """The tokenizer of a checkpoint is missing or is not of a kind we know."""


class CheckpointMismatch(ModelUnavailable):
    """The checkpoint's tensors are not those of the network it describes.

    Attributes:
        missing: Names that the network needs and no file has.
        unexpected: Names that a file has and the network does not know.
        misshapen: Names whose shape in the file is not the network's.
    """

    def __init__(
        self, missing: list[str], unexpected: list[str], misshapen: Mapping[str, str]
    ) -> None:
        self.missing, self.unexpected, self.misshapen = missing, unexpected, dict(misshapen)
        parts = [
            _listing("missing", missing),
            _listing("unexpected", unexpected),
            _listing("misshapen", [f"{name} {shapes}" for name, shapes in misshapen.items()]),
        ]
        super().__init__("the tensors do not fit the network: " + "; ".join(filter(None, parts)))


class UnsupportedCheckpoint(ModelUnavailable):
    """A checkpoint describes a network that this code does not build."""


def _listing(what: str, names: list[str]) -> str:
    if not names:
        return ""
    return f"{len(names)} {what} ({', '.join(names)})"
