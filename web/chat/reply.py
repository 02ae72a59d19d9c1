"""What a client of OpenAI's chat completions hears: answers, models and refusals.

The names are OpenAI's; what it has no name for stands under `flashback`.
https://platform.openai.com/docs/api-reference/chat
"""

from typing import Literal

from pydantic import BaseModel, model_serializer

from web.realtime.server_events import EvidencePart, TimeUnderstood, Timings


class Rests(BaseModel):
    """What an answer rests on.

    Attributes:
        stream: The stream that was asked; null if only pictures were.
        start: Media second from which on the answer could look.
        end: Media second up to which it could.
        behind: Seconds of video that came before the question, after `end`, and were not read yet.
        frames: Frames that were seen in between.
        evidence: The moments the answer rests on, oldest first.
        time: The words of time in the question, and the range that they were taken for.
    """

    stream: str | None
    start: float
    end: float
    behind: float = 0.0
    frames: int
    evidence: tuple[EvidencePart, ...]
    time: TimeUnderstood | None
    timings: Timings


class AnswerMessage(BaseModel):
    """The answer as a line of the conversation."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None


FinishReason = Literal["stop", "length"]


class Choice(BaseModel):
    """The one answer."""

    index: Literal[0] = 0
    message: AnswerMessage
    logprobs: None = None
    finish_reason: FinishReason


class TokenUsage(BaseModel):
    """What went in and came out, in tokens; visual ones are part of the prompt."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Completion(BaseModel):
    """A whole answer."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: tuple[Choice]
    usage: TokenUsage
    flashback: Rests


class Delta(BaseModel):
    """The next words; the first piece has the role, the last has neither."""

    role: Literal["assistant"] | None = None
    content: str | None = None

    @model_serializer(mode="plain")
    def _what_there_is(self) -> dict[str, str]:
        return {name: value for name, value in self if value is not None}


class ChunkChoice(BaseModel):
    """A piece of the one answer."""

    index: Literal[0] = 0
    delta: Delta
    logprobs: None = None
    finish_reason: FinishReason | None = None


class Chunk(BaseModel):
    """A piece of an answer; the one that ends it says what it rests on."""

    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str
    choices: tuple[ChunkChoice, ...]
    usage: TokenUsage | None = None
    flashback: Rests | None = None


class ModelReport(BaseModel):
    """Something that can be asked: the model, or the model about one stream."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: Literal["flashback"] = "flashback"


class ModelList(BaseModel):
    """The model, and it again with every stream: `lite`, `lite@front-door`."""

    object: Literal["list"] = "list"
    data: tuple[ModelReport, ...]


class ErrorBody(BaseModel):
    """Why there is no answer."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class OpenAiError(BaseModel):
    """A refusal as clients of OpenAI read it."""

    error: ErrorBody
