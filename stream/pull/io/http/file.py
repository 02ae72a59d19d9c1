"""A file over HTTP that FFmpeg reads: sought in where the server can, taken up again after a break."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import httpx

from stream.errors import BadSource
from stream.file.first_bytes import ENOUGH_OF_A_STREAM, longest
from stream.pull.io.http.answer import (
    first_byte,
    is_compressed,
    last_byte,
    whole_length,
    why_not,
)

# What servers answer to a request for a range, if they do not know any.
_NO_RANGES = {400, 416, 501}


_LONGEST_WITHOUT_PICTURE = 64 * 1024 * 1024
"""Bytes; the index of a film of a day is smaller, and so is every honest picture."""
_ENDLESS = (
    "{} MiB came from the source in a row that hold no picture: it is not video, or damaged video."
)


class Appetite:
    """Bounds what is read of a source without a picture coming of it.

    FFmpeg puts together what belongs together, however long it gets: data that never comes to an
    end takes memory without an end.
    """

    def __init__(self) -> None:
        self._taken = 0
        self._bounded = True

    def take(self, size: int) -> None:
        """Count bytes that were read.

        Raises:
            BadSource: If they are too many.
        """
        self._taken += size
        if self._bounded and self._taken > _LONGEST_WITHOUT_PICTURE:
            raise BadSource(_ENDLESS.format(_LONGEST_WITHOUT_PICTURE // 2**20))

    def satisfy(self) -> None:
        """Begin anew: a picture came."""
        self._taken = 0

    def lift(self) -> None:
        """Bound nothing any more: it ends by itself."""
        self._bounded = False


class FileObject(Protocol):
    """What FFmpeg reads from."""

    def read(self, size: int = -1, /) -> bytes:
        """Return at most `size` bytes; none at the end."""
        ...


class PartFile(FileObject, Protocol):
    """What FFmpeg opens and closes while it reads something else: a segment."""

    def close(self) -> None:
        """Let go of it."""
        ...


class NamedFile(PartFile, Protocol):
    """What a playlist refers to, opened.

    Attributes:
        name: Its URL.
    """

    name: str

    def peek(self, size: int) -> bytes:
        """Return the next bytes without taking them: at least `size`, or all until the end."""
        ...


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Raise httpx's errors as the ones every file may raise.

    Raises:
        TimeoutError: If the server is silent for too long.
        SSLError: If its certificate is refused.
        ConnectionRefusedError: If nobody answers at its address.
        ConnectionError: If anything else goes wrong on the way.
        BadSource: If it redirects too often or to no URL.
    """
    try:
        yield
    except httpx.TimeoutException as error:
        raise TimeoutError from error
    except httpx.ConnectError as error:
        if (refusal := _tls_error(error)) is not None:
            raise refusal from error
        raise ConnectionRefusedError from error
    except (httpx.TooManyRedirects, httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
        raise BadSource("The source redirects too often, or to an invalid target.") from error
    except httpx.HTTPError as error:
        raise ConnectionError from error


def _tls_error(error: BaseException | None) -> ssl.SSLError | None:
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error


class HttpFile:
    """A file object over HTTP.

    It asks for a range from the start: many servers send ranges and announce none.

    Attributes:
        name: Its URL, without credentials; FFmpeg resolves what it refers to against it.
        content_type: As the server says, in lower case.
        length: In bytes, if the server says; else it may go on for ever.
    """

    def __init__(
        self,
        client: httpx.Client,
        url: str,
        start: int = 0,
        end: int | None = None,
        *,
        appetite: Appetite,
    ) -> None:
        self._client = client
        self._appetite = appetite
        self._end = end
        self._start = self._position = start
        self._begun = False
        self._longest: int | None = None
        self._buffer = b""
        self._response = self._request(url, start)
        self.name = str(self._response.url)
        self.content_type: str = self._response.headers.get("content-type", "").lower()
        self._seekable = (
            "content-range" in self._response.headers
            or self._response.headers.get("accept-ranges", "") == "bytes"
        )
        self.length = whole_length(self._response)
        # As it comes: a size here would hold back a camera's picture until others fill it up.
        self._chunks: Iterator[bytes] = self._response.iter_raw()

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes, as soon as there are some; none at the end.

        Raises:
            BadSource: If it is text that does not end, or too much came that holds no picture.
            OSError: If the connection is lost or silent for too long.
        """
        if not self._begun:
            self._begun = True
            self._longest = self._bound()
        if self._longest is not None and self._position - self._start > self._longest:
            self.close()
            raise BadSource(f"The source is a text of more than {self._longest} bytes, not video.")
        if not self._buffer:
            self._buffer = self._next_chunk()
        taken = self._buffer if size < 0 else self._buffer[:size]
        self._buffer = self._buffer[len(taken) :]
        self._position += len(taken)
        self._appetite.take(len(taken))
        return taken

    def peek(self, size: int) -> bytes:
        """Return the next bytes without taking them: at least `size`, or all until the end.

        Raises:
            OSError: If the connection is lost or silent for too long.
        """
        while len(self._buffer) < size and (chunk := self._next_chunk()):
            self._buffer += chunk
        return self._buffer

    def seekable(self) -> bool:
        """Say whether the server can send from the middle."""
        return self._seekable and self.length is not None

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go on from elsewhere.

        Raises:
            OSError: If the server cannot do that.
        """
        if not self.seekable() or self.length is None:
            raise OSError("this source cannot be read from the middle")
        target = (0, self._position, self.length)[whence] + offset
        if target != self._position:
            self._response.close()
            self._chunks, self._buffer = iter(()), b""
            if target < self.length:  # else a server answers that there is nothing to send
                self._response = self._request(self.name, target)
                self._chunks = self._response.iter_raw()
            self._position = target
        return target

    def tell(self) -> int:
        """Return the position of the next byte."""
        return self._position

    def close(self) -> None:
        """Give the connection back."""
        self._response.close()

    def _bound(self) -> int | None:
        """Return how much may be read of what it is by its first bytes; None for any amount."""
        if "multipart/" in self.content_type:
            return None
        return longest(self.peek(ENOUGH_OF_A_STREAM))

    def _next_chunk(self) -> bytes:
        at = self._position + len(self._buffer)
        try:
            with _plain_errors():
                chunk = next(self._chunks, b"")
        except OSError:
            if self._end is not None or not self.seekable() or at >= (self.length or 0):
                raise
            return self._resume(at)
        if chunk or not self._is_part(at):
            return chunk
        self._response = self._request(self.name, at)
        self._chunks = self._response.iter_raw()
        with _plain_errors():
            return next(self._chunks, b"")

    def _resume(self, at: int) -> bytes:
        """Go on at byte `at` over a new connection, once the old one was lost.

        Raises:
            OSError: If what comes is not the rest, or nothing does.
        """
        self._response.close()
        response = self._request(self.name, at)
        if whole_length(response) != self.length:
            response.close()
            raise OSError("the file is another one now")
        self._response, self._chunks = response, response.iter_raw()
        with _plain_errors():
            return next(self._chunks, b"")

    def _is_part(self, end: int) -> bool:
        """Say whether the server sent what it promised, to `end`, and there is more."""
        more = self.length is not None and end < self.length and self._end is None
        return more and last_byte(self._response) == end - 1

    def _request(self, url: str, start: int) -> httpx.Response:
        end = "" if self._end is None else self._end - 1
        response = self._send(url, {"Range": f"bytes={start}-{end}"})
        if start == 0 and response.status_code in _NO_RANGES:
            response.close()
            response = self._send(url, {})
        if first_byte(response) == start and not is_compressed(response):
            return response
        response.close()
        raise why_not(response)

    def _send(self, url: str, headers: dict[str, str]) -> httpx.Response:
        with _plain_errors():
            request = self._client.build_request("GET", url, headers=headers)
            return self._client.send(request, stream=True)
