"""Segments of HLS that are encrypted with AES-128, decrypted as they come.

FFmpeg would open them through a protocol of its own, which dials by itself; here only bytes pass.
https://datatracker.ietf.org/doc/html/rfc8216#section-4.3.2.4
"""

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

if TYPE_CHECKING:
    from stream.pull.io.http.file import PartFile

_BLOCK = 128  # bits


class EncryptedSegment:
    """A file object: what was encrypted, from its beginning to its end."""

    def __init__(self, file: "PartFile", key: str, iv: str) -> None:
        """Take the file, and key and initialization vector as hexadecimal digits.

        Raises:
            ValueError: If they are no such.
        """
        self._file = file
        self._cipher = Cipher(
            algorithms.AES128(bytes.fromhex(key)), modes.CBC(bytes.fromhex(iv))
        ).decryptor()
        self._padding = padding.PKCS7(_BLOCK).unpadder()
        self._rest = b""
        self._begun = False
        self._over = False

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes; none at the end.

        Raises:
            OSError: If the connection is lost or silent for too long, or the segment was cut short
                or encrypted by another key.
        """
        while not self._rest and not self._over:
            data = self._file.read()
            self._begun = self._begun or bool(data)
            self._rest = self._padding.update(self._cipher.update(data)) if data else self._last()
        taken = self._rest if size < 0 else self._rest[:size]
        self._rest = self._rest[len(taken) :]
        return taken

    def _last(self) -> bytes:
        self._over = True
        if not self._begun:
            return b""  # it is missing, and passed over
        try:
            return self._padding.update(self._cipher.finalize()) + self._padding.finalize()
        except ValueError as error:
            raise OSError("this segment cannot be decrypted") from error
