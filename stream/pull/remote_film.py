"""A film over HTTP, read as fast as it comes, for who asks about it once and waits.

What is pulled into a service is read by a process of its own and held back to real time. Here a
command reads it like a file of this machine: to its end, twice, through the same guarded HTTP.
"""

import time
from dataclasses import replace

from stream.errors import BadSource, NoVideo
from stream.file.film import OpenFilm
from stream.pull.errors import CannotOpen, Refused, explain_loss
from stream.pull.io.open import open_source
from stream.pull.messages import ReaderConfig

LOST = (OSError, Refused, BadSource)
"""What reading may raise once it is open."""
_ALL_CORES = 0


class RemoteFilm:
    """A film or a playlist with an end, over HTTP.

    Args:
        order: How to read it.
        shown: Its URL for people.
    """

    def __init__(self, order: ReaderConfig, shown: str) -> None:
        self._order = order
        self._shown = shown

    def __str__(self) -> str:
        return self._shown

    def open(self) -> OpenFilm:
        """Open it at its beginning. Blocks.

        Raises:
            NoVideo: If it cannot be read or holds no video.
        """
        try:
            source = open_source(replace(self._order, after=None), time.monotonic)
        except CannotOpen as failure:
            raise NoVideo(failure.over.reason) from None
        source.video.thread_count = _ALL_CORES
        if source.appetite is not None:
            source.appetite.lift()
        return OpenFilm(source.container, source.video, source.close, left_out=source.left_out)

    def explain(self, error: Exception) -> str:
        """Return what to tell people about `error`, which ended it before its end."""
        return f"{self._shown} stopped in its middle. {explain_loss(error, self._order).reason}"
