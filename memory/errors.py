"""What may go wrong in memory. The tree of all errors stands in `web/errors.py`."""

from model.errors import CodedError


class StoreError(CodedError):
    """Something that may go wrong in memory."""

    code = "store_error"


class StoreUnavailable(StoreError):
    """The store cannot be reached; nothing was written or read.

    Of our own Redis: it does not start, and the message says why. Where it did start, that ends in its
    last words.
    """

    code = "store_unavailable"


class StoreFull(StoreError):
    """The store has no room for another clip; it is not remembered for good."""

    code = "store_full"


class EncoderMismatch(StoreError):
    """These clip tokens were made by another vision encoder and cannot be read by this one."""

    code = "encoder_mismatch"


class StreamForgotten(StoreError, KeyError):
    """Somebody deleted the stream: it stays deleted until it is begun deliberately."""

    code = "stream_forgotten"


class PastChanged(StoreError):
    """The stream's past changed meanwhile: what was to be put in its place is out of date."""

    code = "past_changed"


class CorruptData(StoreError, ValueError):
    """These bytes are not a clip, or a backup, that this version can read; the message says why."""

    code = "corrupt_data"
