"""What a client of OpenAI's chat completions says.

The names are OpenAI's; what it has no name for stands under `flashback`. What changes nothing here is
taken and ignored; what would change an answer and is not done is refused by its name.
https://platform.openai.com/docs/api-reference/chat
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from model.engine.generation import MAX_ANSWER_TOKENS
from model.types import ANSWER_TOKENS
from web.realtime.wire_items import (
    TEXT_LIMIT,
    MostLikely,
    Penalty,
    Seconds,
    Share,
    Temperature,
)

_MOST_MESSAGES = 2000
"""Clients send all that was ever said; `MOST_LINES` of it are read."""
MOST_LINES = 100
MOST_PICTURES = 8
_MOST_STOPS = 4


def _nothing(value: Any) -> Any:  # noqa: ANN401 - whatever the client sent
    if value not in (None, [], (), {}, 0, 0.0, False, "none", "auto"):
        raise ValueError("is not supported; leave it out")
    return value


def _one(value: int) -> int:
    if value != 1:
        raise ValueError("one answer is given to a request; ask again for another")
    return value


def _only_text(value: Any) -> Any:  # noqa: ANN401 - whatever the client sent
    asked = value.get("type") if isinstance(value, dict) else value
    if asked not in ("text", ["text"]):
        raise ValueError("answers are text alone; leave it out")
    return value


def _embedded(url: str) -> str:
    if not url.startswith(_PICTURES):
        raise ValueError(
            "send a picture itself, as data:image/jpeg;base64,… or data:image/png;base64,…: no address is fetched"
        )
    return url


def _listed(stop: str | list[str]) -> list[str]:
    return [stop] if isinstance(stop, str) else stop


_PICTURES = ("data:image/jpeg;base64,", "data:image/jpg;base64,", "data:image/png;base64,")
Unsupported = Annotated[Any, AfterValidator(_nothing)]


class Given(BaseModel):
    """The base of what a client sends: nothing unknown is let in."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class WordsPart(Given):
    """Words."""

    type: Literal["text"]
    text: Annotated[str, Field(max_length=TEXT_LIMIT)]


class ImageUrl(Given):
    """A picture.

    Attributes:
        url: `data:image/jpeg;base64,...` or `data:image/png;base64,...`; nothing is fetched.
        detail: Taken and ignored.
    """

    url: Annotated[str, AfterValidator(_embedded)]
    detail: Literal["auto", "low", "high", "original"] | None = None


class ImagePart(Given):
    """A picture to answer from, without any stream."""

    type: Literal["image_url"]
    image_url: ImageUrl


class VideoUrl(Given):
    """A stream of this service: `stream:NAME`."""

    url: Annotated[str, Field(pattern=r"^stream:[A-Za-z0-9_-]{1,64}$")]


class VideoPart(Given):
    """The stream to answer from."""

    type: Literal["video_url"]
    video_url: VideoUrl


Part = Annotated[WordsPart | ImagePart | VideoPart, Field(discriminator="type")]


class Said(Given):
    """One line of the conversation.

    Attributes:
        content: In words, or in parts.
        name: Taken and ignored.
        refusal: Taken and ignored, for those who send an answer back.
        annotations: The same.
        audio: The same.
        function_call: The same.
        tool_calls: Empty: there are no tools.
    """

    role: Literal["system", "developer", "user", "assistant"]
    content: Annotated[str, Field(max_length=TEXT_LIMIT)] | tuple[Part, ...] | None = None
    name: str | None = None
    refusal: str | None = None
    annotations: Unsupported = None
    audio: Unsupported = None
    function_call: Unsupported = None
    tool_calls: Unsupported = None

    @property
    def parts(self) -> tuple[WordsPart | ImagePart | VideoPart, ...]:
        """The content in parts."""
        if isinstance(self.content, str):
            return (WordsPart(type="text", text=self.content),)
        return self.content or ()

    @property
    def text(self) -> str:
        """The words of all parts."""
        return "\n".join(part.text for part in self.parts if isinstance(part, WordsPart))


class StreamOptions(Given):
    """How the answer is sent in pieces.

    Attributes:
        include_usage: Whether the last piece says what the answer was made from.
        include_obfuscation: Taken and ignored.
    """

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class About(Given):
    """What the answer is to be about.

    Attributes:
        stream: Name of the stream; it may also stand in `model` or in a part of a message.
        since: Look only at what was shown from this media second on. Where this or `until` is given,
            words of time in the question count for nothing.
        until: Look only at what was shown up to this media second.
        timezone: Where whoever asks is, such as `Europe/Berlin`; the answer then says times by the
            clock there.
    """

    stream: Annotated[str, Field(max_length=64)] | None = None
    since: Seconds | None = None
    until: Seconds | None = None
    timezone: Annotated[str, Field(max_length=64)] | None = None


class Ignored(Given):
    """What clients send as a matter of course, and what changes nothing here.

    Attributes:
        n: Only 1: one answer.
        tools: Empty: there are none.
        response_format: Only text.
    """

    n: Annotated[int, AfterValidator(_one)] | None = None
    user: str | None = None
    seed: int | None = None
    store: bool | None = None
    metadata: dict[str, Any] | None = None
    service_tier: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: dict[str, Any] | None = None
    prompt_cache_retention: str | None = None
    parallel_tool_calls: bool | None = None
    reasoning_effort: str | None = None
    verbosity: str | None = None
    prediction: dict[str, Any] | None = None
    modalities: Annotated[list[str], AfterValidator(_only_text)] | None = None
    response_format: Annotated[dict[str, Any], AfterValidator(_only_text)] | None = None
    audio: Unsupported = None
    frequency_penalty: Unsupported = None
    presence_penalty: Unsupported = None
    logit_bias: Unsupported = None
    logprobs: Unsupported = None
    top_logprobs: Unsupported = None
    tools: Unsupported = None
    tool_choice: Unsupported = None
    functions: Unsupported = None
    function_call: Unsupported = None
    web_search_options: Unsupported = None


Length = Annotated[int, Field(ge=1)]
_Stop = Annotated[str, Field(min_length=1, max_length=256)]


class ChatRequest(Ignored):
    """A question about a stream, or about pictures.

    Attributes:
        model: The model that answers, alone or with a stream: `lite@front-door`.
        messages: The conversation; it ends with the question. What a system or a developer says
            stands before it as an instruction; of other lines the newest 100 are read.
        stream: Whether the answer comes in pieces, as server-sent events.
        max_completion_tokens: Longest answer; no longer one is ever written than 512 tokens.
        max_tokens: The same by its older name.
        temperature: 0 is greedy; higher is more varied.
        top_p: Choose among the likeliest tokens that together reach this probability.
        top_k: Choose among so many of the likeliest tokens at most; 0 is all.
        repetition_penalty: Above 1, what the answer says already is less likely to be said again.
        stop: Words, up to four; the first of them that comes ends the answer before it.
        flashback: What the answer is to be about.
    """

    model: Annotated[str, Field(max_length=300)]
    messages: Annotated[tuple[Said, ...], Field(min_length=1, max_length=_MOST_MESSAGES)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_completion_tokens: Length | None = None
    max_tokens: Length | None = None
    temperature: Temperature | None = None
    top_p: Share | None = None
    top_k: MostLikely | None = None
    repetition_penalty: Penalty | None = None
    stop: Annotated[_Stop | Annotated[list[_Stop], Field(max_length=_MOST_STOPS)], AfterValidator(_listed)] | None = None  # fmt: skip
    flashback: About = About()

    @property
    def tokens(self) -> int:
        """Longest answer, in tokens."""
        return min(
            self.max_completion_tokens or self.max_tokens or ANSWER_TOKENS, MAX_ANSWER_TOKENS
        )
