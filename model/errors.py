"""Everything that may go wrong in the model, as one tree; every error has a code for programs.

    ModelError
    ├── EngineError              engine_error        the engine cannot do what it was asked
    │   ├── NothingSeen          nothing_seen        there is no clip to answer from
    │   │   ├── NothingInRange   nothing_seen        none in the time asked about
    │   │   └── HistoryGone      history_gone        none is in the network: the engine asks memory again
    │   ├── QuestionTooLong      question_too_long   more tokens than can be read at once
    │   ├── EngineBusy           engine_busy         a queue is full
    │   └── EngineFailed         engine_failed       the network failed on this
    ├── HistoryFull              history_full        the next clip has no position left
    └── ModelUnavailable         model_unavailable   the network cannot be loaded

`HistoryGone` stands beside what raises it. What a caller did wrong in code (a clip of the wrong shape)
is a `ValueError`, and not here.
"""

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
    """The network cannot be loaded; the message says why and what to do.

    Weights are not here and not to be fetched, a file is wrong, tensors are not those of the network, or
    a checkpoint describes one that this code does not build.
    """

    code = "model_unavailable"
