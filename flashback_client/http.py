"""Sends requests to a service and puts what goes wrong into words. Calls block."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

import httpx

DEFAULT_URL = "http://127.0.0.1:8700"
_DIRECT = dict.fromkeys(("all://localhost", "all://127.0.0.1", "all://[::1]"))
"""No proxy of the environment knows the way back to this machine."""


class FlashbackError(Exception):
    """The service cannot be reached, or refused; the message says why.

    Attributes:
        status: The HTTP status; None if there was no answer.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status

    @property
    def temporary(self) -> bool:
        """Whether the service may answer later: it is away, or fails itself."""
        return self.status is None or self.status >= HTTPStatus.INTERNAL_SERVER_ERROR


class ServiceConnection:
    """A service, spoken to over HTTP.

    Args:
        url: Where it is, without `/v1`.
        token: What lets in; None where none is needed.
        timeout: Seconds until an answer must have begun.
        transport: How bytes are sent, if not over the network.

    Raises:
        FlashbackError: If `url` is not an address.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        token: str | None = None,
        *,
        timeout: float = 120.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._shown = _without_user(url)
        try:
            base = httpx.URL(f"{url.rstrip('/')}/v1/")
        except httpx.InvalidURL:
            raise FlashbackError(_no_address(self._shown)) from None
        if base.scheme not in {"http", "https"} or not base.host:
            raise FlashbackError(_no_address(self._shown))
        self._http = httpx.Client(
            base_url=base, headers=headers, timeout=timeout, transport=transport, mounts=_DIRECT
        )

    def __enter__(self) -> Self:
        """Return the client."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close its connections."""
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def _json(self, method: str, path: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - httpx's own
        response = self._send(method, path, **more)
        return self._read(response.content, response.status_code)

    def _lines(self, method: str, path: str, **more: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - httpx's own
        """Yield the lines of an answer, each JSON, as they come.

        Raises:
            FlashbackError: If the service cannot be reached, or refuses.
        """
        with self._reaching(), self._http.stream(method, path, **more) as response:
            if response.is_error:
                response.read()
                raise FlashbackError(_why(response), response.status_code)
            for line in response.iter_lines():
                yield self._read(line, response.status_code)

    def _read(self, text: str | bytes, status: int) -> dict[str, Any]:
        """Return the JSON in what the service answered.

        Raises:
            FlashbackError: If there is none.
        """
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            message = f"{self._shown} is no Flashback service: it answered no JSON."
            raise FlashbackError(message, status)
        return found

    def _send(self, method: str, path: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        with self._reaching():
            response = self._http.request(method, path, **more)
        if response.is_error:
            raise FlashbackError(_why(response), response.status_code)
        return response

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        """Say in a sentence why the service cannot be reached.

        Raises:
            FlashbackError: In place of the client's own error.
        """
        try:
            yield
        except httpx.InvalidURL:
            raise FlashbackError(_no_address(self._shown)) from None
        except httpx.HTTPError as error:
            raise FlashbackError(f"{self._shown} cannot be reached: {error}") from None


def _without_user(url: str) -> str:
    """Return `url` as it may be shown: what stands before an @ may be a password."""
    _, at, rest = url.rpartition("@")
    scheme = re.match(r"https?://", url)
    return url if not at else f"{scheme[0] if scheme else ''}…@{rest}"


def _no_address(shown: str) -> str:
    return f"{shown} is not the address of a service: give one such as {DEFAULT_URL}."


def _why(response: httpx.Response) -> str:
    """Return the sentence in a refusal, whichever of the service's shapes it has."""
    try:
        said = response.json()
    except ValueError:
        said = {}
    if isinstance(said, dict):
        error = said.get("error")
        message = error.get("message") if isinstance(error, dict) else said.get("detail")
        if message:
            return str(message)
    return f"the service answered {response.status_code} {response.reason_phrase}"
