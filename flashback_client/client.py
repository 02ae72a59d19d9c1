"""Speaks the service's HTTP interface. Calls block; in a coroutine, call from a thread."""

from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from flashback_client.types import Answer, Moment, Stream

_PAGE = 1000
DEFAULT_URL = "http://127.0.0.1:8700"


class FlashbackError(Exception):
    """The service cannot be reached, or refused; the message says why.

    Attributes:
        status: The HTTP status; None if there was no answer.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Flashback:
    """A running service.

    Args:
        url: Where it is, without `/v1`.
        token: What lets in; None where none is needed.
        timeout: Seconds until an answer must have begun.
        transport: How bytes are sent, if not over the network.
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
        self._url = url
        self._model: str | None = None
        self._http = httpx.Client(
            base_url=f"{url.rstrip('/')}/v1/",
            headers=headers,
            timeout=timeout,
            transport=transport,
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

    @property
    def model(self) -> str:
        """The name of the model that answers.

        Raises:
            FlashbackError: If the service cannot be reached, or refuses.
        """
        if self._model is None:
            self._model = str(self._json("GET", "models")["data"][0]["id"])
        return self._model

    def streams(self) -> Iterator[Stream]:
        """Yield all streams, live or remembered, in order of name.

        Raises:
            FlashbackError: If the service cannot be reached, or refuses.
        """
        after = ""
        while True:
            page = self._json("GET", "streams", params={"after": after, "limit": _PAGE})
            for entry in page["streams"]:
                yield Stream.model_validate(entry)
            if len(page["streams"]) < _PAGE:
                return
            after = page["streams"][-1]["name"]

    def stream(self, name: str) -> Stream:
        """Return one stream.

        Raises:
            FlashbackError: If there is none of that name, or the service refuses.
        """
        return Stream.model_validate(self._json("GET", f"streams/{quote(name, safe='')}"))

    def ask(
        self,
        stream: str,
        question: str,
        *,
        since: float | None = None,
        until: float | None = None,
        timezone: str | None = None,
        max_tokens: int | None = None,
    ) -> Answer:
        """Return the answer to a question about a stream.

        Args:
            stream: Its name.
            question: In words; words of time in it count, where no range is given.
            since: Look only at what was shown from this media second on.
            until: Look only at what was shown up to this media second.
            timezone: Of whoever asks, such as `Europe/Berlin`; None is the service's own.
            max_tokens: Longest answer.

        Raises:
            FlashbackError: If there is no answer.
        """
        about = {"stream": stream, "since": since, "until": until, "timezone": timezone}
        request = {
            "model": self.model,
            "messages": [{"role": "user", "content": question}],
            "max_completion_tokens": max_tokens,
            "flashback": about,
        }
        said = self._json("POST", "chat/completions", json=request)
        text = said["choices"][0]["message"]["content"]
        return Answer.model_validate({"text": text} | said["flashback"])

    def moments(self, stream: str, after: float | None = None, limit: int = 500) -> list[Moment]:
        """Return the newest `limit` moments that start after a media second, oldest first.

        Raises:
            FlashbackError: If there is no such stream, or the service refuses.
        """
        params = {"limit": limit} | ({} if after is None else {"after": after})
        path = f"streams/{quote(stream, safe='')}/moments"
        found = self._json("GET", path, params=params)["moments"]
        return [Moment.model_validate(entry) for entry in found]

    def picture(self, stream: str, moment: Moment) -> bytes:
        """Return the JPEG of a moment.

        Raises:
            FlashbackError: If there is none, or the service refuses.
        """
        path = f"streams/{quote(stream, safe='')}/thumbnails/{moment.start!r}.jpg"
        return self._send("GET", path).content

    def forget(self, stream: str) -> None:
        """End a stream and have everything forgotten that it has shown.

        Raises:
            FlashbackError: If the service cannot be reached, or refuses.
        """
        self._send("DELETE", f"streams/{quote(stream, safe='')}")

    def _json(self, method: str, path: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - httpx's own
        response = self._send(method, path, **more)
        try:
            found = response.json()
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise FlashbackError(f"{self._url} is no Flashback service: it answered no JSON.")
        return found

    def _send(self, method: str, path: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        try:
            response = self._http.request(method, path, **more)
        except httpx.InvalidURL as error:
            raise FlashbackError(f"{self._url} is no address: {error}") from None
        except httpx.HTTPError as error:
            raise FlashbackError(f"{self._url} cannot be reached: {error}") from None
        if response.is_error:
            raise FlashbackError(_why(response), response.status_code)
        return response


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
