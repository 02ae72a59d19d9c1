"""Everything that may go wrong in memory, as one tree; every error has a code for programs.

    StoreError
    ├── StoreUnavailable     store_unavailable    it cannot be reached: nothing was written or read
    ├── StoreFull            store_full           there is no room for another clip
    ├── EncoderMismatch      encoder_mismatch     another vision encoder made these clips
    ├── StreamForgotten      stream_forgotten     somebody deleted the stream
    ├── PastChanged          past_changed         the stream's past changed meanwhile
    ├── CorruptData          corrupt_data         these bytes are no clip, or no backup
    ├── RedisFailed          redis_failed         the embedded server does not start: also no_redis (no
    │                                             program), directory_in_use, directory_unsafe
    └── BackupFailed         not_backed_up        there is no backup, or nothing was restored: not_restored

A document that is larger than may be kept is a `StoreError` with the code document_too_large. What a
caller did wrong in code is a `ValueError`, and not here.
"""

from model.errors import CodedError


class StoreError(CodedError):
    """Something that may go wrong in memory."""

    code = "store_error"


class StoreUnavailable(StoreError):
    """The store cannot be reached; nothing was written or read."""

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


class RedisFailed(StoreError, RuntimeError):
    """There is no embedded Redis: no program, no directory, or it does not start; the message says why.

    Where it did start, the message ends in its last words.
    """

    code = "redis_failed"


class BackupFailed(StoreError):
    """There is no backup, or nothing was restored; the message says why and what to do."""

    code = "not_backed_up"
