"""SSRF-safe HTTP input for FFmpeg.

FFmpeg's own HTTP follows redirects and playlists anywhere. Here every connection, of the first
request, of a redirect, of a segment that a playlist names, is resolved, checked and then made
to the very address that was checked. FFmpeg gets file objects and never a socket.
"""

from collections.abc import Generator, Sequence
from urllib.parse import urlsplit

import httpx

from stream.address.dns import Resolver
from stream.address.reachable import Network, check_addresses, resolve
from stream.address.source_url import SourceUrl
from stream.errors import BadSource
from stream.pull.io.challenges import Login, authorize, strongest
from stream.pull.io.http.file import Appetite, HttpFile
from stream.pull.io.http.heads import TidyTransport
from stream.pull.io.tls import tls_context

_REDIRECTS = 5


class _GuardedTransport(httpx.BaseTransport):
    """Dials only addresses that may be reached."""

    def __init__(
        self,
        allowed: Sequence[Network],
        resolver: Resolver = resolve,
        certificates: str | None = None,
        own: Sequence[str] = (),
    ) -> None:
        self._inner = TidyTransport(tls_context(certificates))
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


class _Credentials(httpx.Auth):
    """Answers the challenge of the source's own host, basic or digest, and of no other."""

    def __init__(self, host: str, login: Login) -> None:
        self._host = host
        self._login = login

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send as it is; after a challenge, once more with credentials."""
        response = yield request
        asked_by = response.request.url.host
        if response.status_code != 401 or {asked_by, request.url.host} != {self._host}:
            return
        challenge = strongest(response.headers.get_list("www-authenticate"))
        if challenge is None:
            return
        path = request.url.raw_path.decode("ascii")
        request.headers["Authorization"] = authorize(
            challenge, self._login, request.method, path, 1
        )
        yield request


class HttpSource:
    """One source over HTTP: its first file and whatever that one refers to.

    Attributes:
        url: The source's, without credentials.
        appetite: Bounds what is read without a picture coming of it.
    """

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
            certificates: A PEM file of certificates to trust beside the system's.
        """
        auth = None
        if source.username is not None:
            auth = _Credentials(source.host, Login(source.username, source.password or ""))
        self._client = httpx.Client(
            transport=_GuardedTransport(allowed, resolver, certificates, own),
            auth=auth,
            timeout=timeout,
            follow_redirects=True,
            max_redirects=_REDIRECTS,
            trust_env=False,
            # Compressed answers could be bombs, and no video needs them.
            headers={"User-Agent": "flashback", "Accept-Encoding": "identity"},
        )
        self.url = source.at(source.host, secret=False)
        self.appetite = Appetite()

    def open(self, url: str | None = None, start: int = 0, end: int | None = None) -> HttpFile:
        """Open the source, or a `url` that it refers to, from byte `start` to before `end`.

        Raises:
            BadSource: If it may not be reached or is no HTTP.
            Refused: If the server says no.
            OSError: If it cannot be reached.
        """
        url = self.url if url is None else url
        if urlsplit(url).scheme not in {"http", "https"}:
            raise BadSource("The source refers to something that is not HTTP.")
        return HttpFile(self._client, url, start, end, appetite=self.appetite)

    def close(self) -> None:
        """Close all connections."""
        self._client.close()
