"""HTTP for FFmpeg, on a leash.

FFmpeg's own HTTP follows redirects and playlists anywhere. Here every connection, of the first
request, of a redirect, of a segment that a playlist names, is resolved, checked and then made
to the very address that was checked. FFmpeg gets file objects and never a socket.
"""

import re
import ssl
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol
from urllib.parse import urlsplit

import httpx

from stream.address.dns import Resolver
from stream.address.source_url import BadSource, Network, SourceUrl, check_addresses, resolve
from stream.file.first_bytes import ENOUGH_OF_A_STREAM, longest
from stream.pull.errors import Refused
from stream.pull.io.encrypted_segment import EncryptedSegment
from stream.pull.io.tls import tls_context

REDIRECTS = 5
ENCRYPTED = "crypto+"
"""Before the URL of an encrypted segment, with `key` and `iv` among the options."""
CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
# What servers answer to a request for a range, if they do not know any.
NO_RANGES = {400, 416, 501}


class FileObject(Protocol):
    """What FFmpeg reads from."""

    def read(self, size: int = -1, /) -> bytes:
        """Return at most `size` bytes; none at the end."""
        ...


OpenFile = Callable[[str, int, int | None], FileObject]
"""Opens a URL from a byte on to before another."""


class GuardedTransport(httpx.BaseTransport):
    """Dials only addresses that may be reached."""

    def __init__(
        self,
        allowed: Sequence[Network],
        resolver: Resolver = resolve,
        certificates: str | None = None,
        own: Sequence[str] = (),
    ) -> None:
        self._inner = httpx.HTTPTransport(verify=tls_context(certificates), trust_env=False)
        self._allowed = allowed
        self._own = own
        self._resolver = resolver

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request` to the address that was checked, under the name that was asked for.

        Raises:
            BadSource: If the name is not known or leads where it must not.
        """
        host = request.url.host
        found = self._resolver(host, request.url.port or 0)
        pinned = httpx.Request(
            request.method,
            request.url.copy_with(host=check_addresses(host, found, self._allowed, self._own)),
            headers=request.headers,  # `Host` in it still names the host
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": host},
        )
        return self._inner.handle_request(pinned)

    def close(self) -> None:
        """Close all connections."""
        self._inner.close()


class Credentials(httpx.Auth):
    """Answers the challenge of the source's own host, basic or digest, and of no other."""

    def __init__(self, host: str, username: str, password: str) -> None:
        self._host = host
        self._basic = httpx.BasicAuth(username, password)
        self._digest = httpx.DigestAuth(username, password)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send as it is; after a challenge, once more with credentials."""
        response = yield request
        asked_by = response.request.url.host
        if response.status_code != 401 or {asked_by, request.url.host} != {self._host}:
            return
        challenge = response.headers.get("www-authenticate", "").lower()
        digest = challenge.startswith("digest")
        yield from (self._digest if digest else self._basic).auth_flow(request)


class HttpSource:
    """One source over HTTP: its first file and whatever that one refers to."""

    def __init__(
        self,
        source: SourceUrl,
        allowed: Sequence[Network],
        timeout: float,
        resolver: Resolver = resolve,
        *,
        own: Sequence[str] = (),
        certificates: str | None = None,
    ) -> None:
        """Take what to read.

        Args:
            source: An `http` or `https` URL.
            allowed: Networks that may be reached although they are private.
            timeout: Seconds without an answer or without data.
            resolver: Finds addresses.
            own: Addresses that lead to this machine, beside those that it has.
            certificates: A PEM file of certificates to believe beside the system's.
        """
        auth = None
        if source.username is not None:
            auth = Credentials(source.host, source.username, source.password or "")
        self._client = httpx.Client(
            transport=GuardedTransport(allowed, resolver, certificates, own),
            auth=auth,
            timeout=timeout,
            follow_redirects=True,
            max_redirects=REDIRECTS,
            trust_env=False,
            # Compressed answers could be bombs, and no video needs them.
            headers={"User-Agent": "flashback", "Accept-Encoding": "identity"},
        )
        self.url = source.at(source.host, secret=False)

    def open(self, url: str | None = None, start: int = 0, end: int | None = None) -> "HttpFile":
        """Open the source, or a `url` that it refers to, from byte `start` to before `end`.

        Raises:
            BadSource: If it may not be reached or is no HTTP.
            Refused: If the server says no.
            OSError: If it cannot be reached.
        """
        url = self.url if url is None else url
        if urlsplit(url).scheme not in {"http", "https"}:
            raise BadSource("The source refers to something that is not HTTP.")
        return HttpFile(self._client, url, start, end)

    def opener(
        self, open_file: OpenFile | None = None
    ) -> Callable[[str, int, dict[str, str]], FileObject]:
        """Return what PyAV calls to open what a playlist refers to, perhaps a part of a file.

        Args:
            open_file: Stands between; None for nothing.
        """
        open_file = open_file or self.open

        def open_part(url: str, _flags: int, options: dict[str, str]) -> FileObject:
            end = int(options.get("end_offset", 0))
            plain = url.removeprefix(ENCRYPTED)
            file = open_file(plain, int(options.get("offset", 0)), end or None)
            if plain == url:
                return file
            return EncryptedSegment(file, options.get("key", ""), options.get("iv", ""))

        return open_part

    def close(self) -> None:
        """Close all connections."""
        self._client.close()


@contextmanager
def plain_errors() -> Iterator[None]:
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
        raise BadSource("The source redirects to nowhere.") from error
    except httpx.HTTPError as error:
        raise ConnectionError from error


def _tls_error(error: BaseException | None) -> ssl.SSLError | None:
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error


class HttpFile:
    """A file object over HTTP; seeks where the server can.

    It asks for a range from the start: many servers send ranges and announce none.

    Attributes:
        name: Its URL, without credentials; FFmpeg resolves what it refers to against it.
        content_type: As the server says, in lower case.
        length: In bytes, if the server says; else it may go on for ever.
    """

    def __init__(
        self, client: httpx.Client, url: str, start: int = 0, end: int | None = None
    ) -> None:
        self._client = client
        self._end = end
        self._start = self._position = start
        self._begun = False
        self._longest: int | None = None
        self._buffer = b""
        self._response = self._request(url, start)
        self.name = str(self._response.url)
        self.content_type: str = self._response.headers.get("content-type", "").lower()
        self._seekable = (
            self._response.status_code == httpx.codes.PARTIAL_CONTENT
            or self._response.headers.get("accept-ranges", "") == "bytes"
        )
        self.length = _whole_length(self._response)
        # As it comes: a size here would hold back a camera's picture until others fill it up.
        self._chunks: Iterator[bytes] = self._response.iter_raw()

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes, as soon as there are some; none at the end.

        Raises:
            BadSource: If it is text that does not end.
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
            with plain_errors():
                chunk = next(self._chunks, b"")
        except OSError:
            if self._end is not None or not self.seekable() or at >= (self.length or 0):
                raise
            return self._resume(at)
        if chunk or not self._is_part(at):
            return chunk
        self._response = self._request(self.name, at)
        self._chunks = self._response.iter_raw()
        with plain_errors():
            return next(self._chunks, b"")

    def _resume(self, at: int) -> bytes:
        """Go on at byte `at` over a new connection, once the old one was lost.

        Raises:
            OSError: If what comes is not the rest, or nothing does.
        """
        self._response.close()
        response = self._request(self.name, at)
        if _whole_length(response) != self.length:
            response.close()
            raise OSError("the file is another one now")
        self._response, self._chunks = response, response.iter_raw()
        with plain_errors():
            return next(self._chunks, b"")

    def _is_part(self, end: int) -> bool:
        """Say whether the server sent what it promised, to `end`, and there is more."""
        found = CONTENT_RANGE.fullmatch(self._response.headers.get("content-range", ""))
        more = self.length is not None and end < self.length and self._end is None
        return more and found is not None and int(found[2]) + 1 == end

    def _request(self, url: str, start: int) -> httpx.Response:
        end = "" if self._end is None else self._end - 1
        response = self._send(url, {"Range": f"bytes={start}-{end}"})
        if start == 0 and response.status_code in NO_RANGES:
            response.close()
            response = self._send(url, {})
        if _first_byte(response) == start:
            return response
        response.close()
        if response.is_success:
            raise OSError("this source cannot be read from the middle")
        raise Refused(response.status_code)

    def _send(self, url: str, headers: dict[str, str]) -> httpx.Response:
        with plain_errors():
            request = self._client.build_request("GET", url, headers=headers)
            return self._client.send(request, stream=True)


def _first_byte(response: httpx.Response) -> int | None:
    """Return where in the file begins what comes; None if it is no answer that holds any of it."""
    match response.status_code:
        case httpx.codes.OK:
            return 0
        case httpx.codes.PARTIAL_CONTENT:
            found = CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
            return None if found is None else int(found[1])
        case _:
            return None


def _whole_length(response: httpx.Response) -> int | None:
    """Return how long the whole file is, not the part of it that comes; None if nobody says."""
    if response.status_code == httpx.codes.PARTIAL_CONTENT:
        found = CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
        return int(found[3]) if found is not None and found[3] != "*" else None
    length = response.headers.get("content-length", "")
    return int(length) if length.isdigit() else None
