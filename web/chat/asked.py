"""From a request to what is asked of what: the stream or the pictures, and the question."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, replace

from model.types import Question, Sampling, Turn
from web.chat.request import MOST_LINES, MOST_PICTURES, ChatRequest, ImagePart, Said, VideoPart
from web.errors import BadRequest
from web.realtime.conversation import INSTRUCTING, OF_A_PICTURE

_INVALID = "invalid_value"


@dataclass(frozen=True, slots=True)
class ChatAsked:
    """A request, understood.

    Attributes:
        question: What is asked, with the conversation before it.
        stream: Whose name stands in the request; None if no stream's does.
        pictures: JPEG and PNG files to answer from, instead of a stream.
    """

    question: Question
    stream: str | None
    pictures: tuple[bytes, ...]


def read(request: ChatRequest, answerer: str, sampling: Sampling) -> ChatAsked:
    """Return what `request` asks.

    Args:
        request: What the client sent.
        answerer: The name of the model that answers here.
        sampling: How it writes unless the client says otherwise.

    Raises:
        BadRequest: If it asks for another model, for two streams, or for nothing.
    """
    model, _, stream = request.model.partition("@")
    if model != answerer:
        message = f"The model {request.model} does not exist here; this service has {answerer}."
        raise BadRequest("model_not_found", message, "model")
    named = [stream, request.flashback.stream or "", *_streams(request.messages)]
    streams = list(dict.fromkeys(filter(None, named)))
    if len(streams) > 1:
        message = f"One stream a question: this names {' and '.join(streams)}."
        raise BadRequest(_INVALID, message, "model")
    pictures = _pictures(request.messages)
    if streams and pictures:
        message = "A question is about a stream or about pictures, not both: leave one out."
        raise BadRequest(_INVALID, message, "messages")
    question = _question(request, bool(pictures), sampling)
    return ChatAsked(question, streams[0] if streams else None, pictures)


def _streams(messages: Sequence[Said]) -> list[str]:
    """Return the streams that parts of the newest message with such parts name."""
    for said in reversed(messages):
        urls = [part.video_url.url for part in said.parts if isinstance(part, VideoPart)]
        if urls:
            return [url.removeprefix("stream:") for url in urls]
    return []


def _pictures(messages: Sequence[Said]) -> tuple[bytes, ...]:
    each = [[p.image_url.url for p in said.parts if isinstance(p, ImagePart)] for said in messages]
    if any(len(urls) > MOST_PICTURES for urls in each):
        message = f"A message may have {MOST_PICTURES} pictures at most."
        raise BadRequest(_INVALID, message, "messages")
    # Of a long conversation the newest: clients send all that was ever shown.
    urls = [url for one in each for url in one][-MOST_PICTURES:]
    try:
        return tuple(base64.b64decode(url.partition(",")[2], validate=True) for url in urls)
    except binascii.Error:
        raise BadRequest(_INVALID, "A picture is not valid base64.", "messages") from None


def _question(request: ChatRequest, pictured: bool, sampling: Sampling) -> Question:
    told = [said.text for said in request.messages if said.role in INSTRUCTING]
    lines = [said for said in request.messages if said.role not in INSTRUCTING]
    if not lines or lines[-1].role != "user":
        raise BadRequest(_INVALID, "The last message must be the user's: the question.", "messages")
    asked = lines[-1].text.strip() or (OF_A_PICTURE if pictured else "")
    if not asked:
        raise BadRequest(_INVALID, "The question is empty.", "messages")
    return Question(
        text="\n".join(filter(None, (*told, asked))),
        conversation=tuple(
            Turn("assistant" if said.role == "assistant" else "user", said.text)
            for said in lines[-MOST_LINES:-1]
            if said.text
        ),
        tokens=request.tokens,
        sampling=_sampling(request, sampling),
        since=request.flashback.since,
        until=request.flashback.until,
    )


def _sampling(request: ChatRequest, otherwise: Sampling) -> Sampling:
    names = ("temperature", "top_p", "top_k", "repetition_penalty")
    said = request.model_dump(include=set(names), exclude_none=True)
    return replace(otherwise, **said)
