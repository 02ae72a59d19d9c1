"""Everything that may go wrong in memory, as one tree; every error has a code for programs.

    StoreError
    ├── StoreUnavailable     store_unavailable    it cannot be reached: nothing was written or read; also,
    │                                             of our own Redis, no_redis (there is no program),
    │                                             directory_in_use, directory_unsafe
    ├── StoreFull            store_full           there is no room for another clip
    ├── EncoderMismatch      encoder_mismatch     another vision encoder made these clips
    ├── StreamForgotten      stream_forgotten     somebody deleted the stream
    ├── PastChanged          past_changed         the stream's past changed meanwhile
    └── CorruptData          corrupt_data         these bytes are no clip, or no backup

A `StoreError` of no kind: there is no backup, or nothing was restored (not_restored), or a document is
larger than may be kept (document_too_large). What a caller did wrong in code is a `ValueError`, and not
here.
"""

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
