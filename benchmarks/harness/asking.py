"""One question over the real WebSocket, with a stopwatch: what someone at the page waits for."""

import json
import time
from dataclasses import dataclass

from websockets.asyncio.client import connect


class NoAnswer(RuntimeError):
    """The service answered with an error instead of words."""


@dataclass(frozen=True, slots=True)
class Timed:
    """An answer and how long it took, seen from the client.

    Attributes:
        text: The answer.
        words: Words in it.
        first_word_ms: From asking to the first words.
        total_ms: From asking to the end.
        clips: Clips it could draw on.
    """

    text: str
    words: int
    first_word_ms: float
    total_ms: float
    clips: int

    @property
    def words_per_second(self) -> float | None:
        """The pace after the first words; None if there was nothing after them."""
        writing = (self.total_ms - self.first_word_ms) / 1000
        return (self.words - 1) / writing if self.words > 1 and writing > 0 else None


async def ask(address: str, stream: str, question: str, *, tokens: int = 48) -> Timed:
    """Ask `question` about `stream` on a connection of its own.

    Raises:
        NoAnswer: If there are no words.
    """
    url = f"{address.replace('http', 'ws', 1)}/v1/realtime?stream={stream}"
    async with connect(url) as socket:
        text = [{"type": "input_text", "text": question}]
        item = {"type": "message", "role": "user", "content": text}
        await socket.send(json.dumps({"type": "conversation.item.create", "item": item}))
        began = time.perf_counter()
        wish = {"max_output_tokens": tokens}
        await socket.send(json.dumps({"type": "response.create", "response": wish}))
        first, words = None, ""
        async for message in socket:
            event = json.loads(message)
            match event["type"]:
                case "response.output_text.delta":
                    first = first or time.perf_counter()
                    words += event["delta"]
                case "error":
                    raise NoAnswer(event["error"]["message"])
                case "response.done":
                    break
        ended = time.perf_counter()
    response = event["response"]
    if first is None or response["usage"] is None:
        raise NoAnswer(json.dumps(response["status_details"]))
    return Timed(
        text=words,
        words=len(words.split()),
        first_word_ms=1000 * (first - began),
        total_ms=1000 * (ended - began),
        clips=response["usage"]["clips"],
    )
