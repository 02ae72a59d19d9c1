"""Everything that may go wrong in memory, as one tree; every error has a code for programs.

    StoreError
    ├── StoreUnavailable     store_unavailable    it cannot be reached: nothing was written or read
    ├── StoreFull            store_full           there is no room for another clip
    ├── EncoderMismatch      encoder_mismatch     another vision encoder made these clips
    ├── StreamForgotten      stream_forgotten     somebody deleted the stream
    ├── PastChanged          past_changed         the stream's past changed meanwhile
    ├── CorruptClip          corrupt_clip         these bytes are no clip
    ├── DocumentTooLarge     document_too_large   a document is larger than may be kept
    ├── NoRedis              no_redis             there is no server program
    ├── RedisFailed          redis_failed         the embedded server does not start
    ├── DirectoryInUse       directory_in_use     another service keeps its data there
    ├── DirectoryUnsafe      directory_unsafe     the directory is another user's
    ├── BadArchive           bad_archive          a backup cannot be read
    ├── NotRestored          not_restored         nothing was restored from a backup
    └── NotBackedUp          not_backed_up        there is no backup

Each stands beside what raises it. What a caller did wrong in code is a `ValueError`, and not here.
"""

from typing import ClassVar


class StoreError(Exception):
    """Something that may go wrong in memory.

    Attributes:
        code: For programs: names the kind, whatever the words; stays the same over versions.
    """

    code: ClassVar[str] = "store_error"
