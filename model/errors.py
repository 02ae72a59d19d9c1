"""What may go wrong in the model. The tree of all errors stands in `web/errors.py`."""


class CodedError(Exception):
    """Something that may go wrong in a package; each has one kind that all of its own are of.

    Args:
        message: A sentence for people.
        code: If it is another one than that of the class.

    Attributes:
        code: For programs: names the kind, whatever the words; stays the same over versions.
    """

    code = "error"

    def __init__(self, message: str = "", *, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code or self.code


class ModelError(CodedError):
    """Something that may go wrong in the model."""

    code = "model_error"


class NothingSeen(ModelError):
    """There is no clip to answer from: none has arrived, or none in the time asked about.

    Attributes:
        held: From which to which media second something is remembered instead, if that is known.
    """

    code = "nothing_seen"
    held: tuple[float, float] | None = None

    @classmethod
    def in_range(cls, message: str, held: tuple[float, float]) -> "NothingSeen":
        """Return the error for a time in which no clip lies; the message says what is remembered."""
        error = cls(message, code="nothing_in_range")
        error.held = held
        return error


class EngineBusy(ModelError):
    """More is waiting for the network than it may hold; try again soon."""

    code = "engine_busy"


class HistoryFull(ModelError):
    """The next clip would stand at a position the language model was not trained for."""

    code = "history_full"


class ModelUnavailable(ModelError):
    """The network cannot be loaded; the message says why and what to do.

    Weights are not here and not to be fetched, a file is wrong, tensors are not those of the network, or
    a checkpoint describes one that this code does not build.
    """

    code = "model_unavailable"
