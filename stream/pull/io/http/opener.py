"""What PyAV calls to open what a playlist refers to: a file, a part of one, or an encrypted segment."""

from collections.abc import Callable
from typing import TypeAlias

from stream.pull.io.http.encrypted_segment import EncryptedSegment
from stream.pull.io.http.file import PartFile

_ENCRYPTED = ("crypto+", "crypto:")
"""Before the URL or the name of an encrypted segment, with `key` and `iv` among the options."""

OpenFile: TypeAlias = Callable[[str, int, int | None], PartFile]
"""Opens a URL from a byte on to before another."""
IoOpen: TypeAlias = Callable[[str, int, dict[str, str]], PartFile]


def opener_of(open_file: OpenFile) -> IoOpen:
    """Return what opens everything by `open_file`."""

    def open_part(url: str, _flags: int, options: dict[str, str]) -> PartFile:
        end = int(options.get("end_offset", 0))
        plain = url[len(_ENCRYPTED[0]) :] if url.startswith(_ENCRYPTED) else url
        file = open_file(plain, int(options.get("offset", 0)), end or None)
        if plain == url:
            return file
        return EncryptedSegment(file, options.get("key", ""), options.get("iv", ""))

    return open_part
