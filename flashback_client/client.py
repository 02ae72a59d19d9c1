"""What can be asked of a running service. Calls block; in a coroutine, call from a thread."""

from collections.abc import Iterator, Sequence
from urllib.parse import quote

import httpx

from flashback_client.http import DEFAULT_URL, FlashbackError
from flashback_client.types import (
    AllAnswers,
    Answer,
    Moment,
    SearchResult,
    Stream,
    StreamAnswer,
    Summary,
    Unanswered,
)
from flashback_client.watches import Watching

_PAGE = 1000
_ASK_ALL_SECONDS = 600.0
"""Until the next answer: cameras are asked behind whoever asks one alone."""


class Flashback(Watching):
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
        super().__init__(url, token, timeout=timeout, transport=transport)
        self._model: str | None = None

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

    def ask_all(
        self, question: str, streams: Sequence[str] = (), *, timezone: str | None = None
    ) -> AllAnswers:
        """Return what several streams answer to one question, the one that counts most first.

        Args:
            question: In words; words of time in it count.
            streams: Which; none is every one.
            timezone: Of whoever asks, such as `Europe/Berlin`; None is the service's own.

        Raises:
            FlashbackError: If the service refuses.
        """
        request = {"question": question, "streams": list(streams), "timezone": timezone}
        said = self._json("POST", "ask", json=request, timeout=_ASK_ALL_SECONDS)
        return AllAnswers.model_validate(said)

    def ask_each(
        self, question: str, streams: Sequence[str] = (), *, timezone: str | None = None
    ) -> Iterator[StreamAnswer | Unanswered | AllAnswers]:
        """Ask as `ask_all` does, and yield what each stream answers as it comes; then all of it.

        Raises:
            FlashbackError: If the service refuses, or ends before all have answered.
        """
        request = {"question": question, "streams": list(streams), "timezone": timezone}
        lines = self._lines(
            "POST", "ask", json=request | {"stream": True}, timeout=_ASK_ALL_SECONDS
        )
        for line in lines:
            if "answer" in line:
                yield StreamAnswer.model_validate(line["answer"])
            elif "unanswered" in line:
                yield Unanswered.model_validate(line["unanswered"])
            elif "done" in line:
                yield AllAnswers.model_validate(line["done"])
                return
        raise FlashbackError("The service ended before all streams had answered.")

    def moments(
        self,
        stream: str,
        after: float | None = None,
        limit: int = 500,
        *,
        until: float | None = None,
    ) -> list[Moment]:
        """Return the newest `limit` moments that start after a media second, oldest first.

        Args:
            stream: Its name.
            after: Media second; None is from the first.
            limit: How many at most.
            until: Only those that start up to this media second.

        Raises:
            FlashbackError: If there is no such stream, or the service refuses.
        """
        asked = {"limit": limit, "after": after, "until": until}
        params = {name: value for name, value in asked.items() if value is not None}
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

    def metrics(self) -> str:
        """Return the service in numbers, in Prometheus' text format.

        Raises:
            FlashbackError: If the token may not read them, or the service counts nothing.
        """
        return self._send("GET", "../metrics").text

    def search(
        self,
        text: str,
        streams: Sequence[str] = (),
        *,
        after: float | None = None,
        before: float | None = None,
        limit: int = 24,
    ) -> SearchResult:
        """Return the moments that show what `text` names, such as "red car"; the surest first.

        Args:
            text: Things, with colours, counts, places and directions.
            streams: Where to look; none is everywhere.
            after: Only what was shown after this Unix second.
            before: Only what was shown before it.
            limit: How many at most.

        Raises:
            FlashbackError: If nothing in `text` can be looked for, or the service refuses.
        """
        asked = {"q": text, "streams": ",".join(streams), "after": after, "before": before}
        params = {name: value for name, value in asked.items() if value not in {None, ""}}
        return SearchResult.model_validate(
            self._json("GET", "search", params=params | {"limit": limit})
        )

    def summary(
        self,
        stream: str,
        *,
        since: float | None = None,
        until: float | None = None,
        day: str | None = None,
        timezone: str | None = None,
    ) -> Summary:
        """Return what happened on a stream, in order.

        Args:
            stream: Its name.
            since: From this media second on.
            until: Up to this media second.
            day: Instead of both: a day, such as 2026-11-27, or `today`.
            timezone: By whose clock, such as `Europe/Berlin`; None is the service's own.

        Raises:
            FlashbackError: If there is no such stream, or the service refuses.
            ValueError: If both are given.
        """
        asked: dict[str, str | float | None]
        if day is not None and (since is not None or until is not None):
            raise ValueError(f"a summary is of {day} or of a range, not of both")
        if day is None:
            kind, asked = "summary", {"since": since, "until": until}
        else:
            kind, asked = "digest", {"day": None if day == "today" else day}
        params = {n: v for n, v in (asked | {"timezone": timezone}).items() if v is not None}
        path = f"streams/{quote(stream, safe='')}/{kind}"
        return Summary.model_validate(self._json("GET", path, params=params))
