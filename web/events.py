"""The words spoken on the WebSocket; `docs/protocol.md` is generated from this file.

The names are those of OpenAI's Realtime API, so that its clients can talk to us; what a live
stream needs beyond them is called `flashback.*`. Unknown events and unknown fields are refused
with the name of what was not understood, never ignored.
https://platform.openai.com/docs/api-reference/realtime
"""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from stream.status import SourceKind, State

MESSAGE_LIMIT = 256 * 1024
TEXT_LIMIT = 4000
PICTURE_PREFIX = "data:image/jpeg;base64,"

Identifier = Annotated[str, Field(min_length=1, max_length=128)]
Tokens = Annotated[int, Field(ge=1, le=1024)]
Temperature = Annotated[float, Field(ge=0, le=2)]
Share = Annotated[float, Field(gt=0, le=1)]
Seconds = Annotated[float, Field(ge=0, le=1e10)]
Text = Annotated[str, Field(min_length=1, max_length=TEXT_LIMIT)]


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _ClientEvent(_Wire):
    event_id: Identifier | None = None


class _ServerEvent(_Wire):
    event_id: str


# What both sides talk about.


class InputText(_Wire):
    """Words of the user."""

    type: Literal["input_text"] = "input_text"
    text: Text


class OutputText(_Wire):
    """Words of an earlier answer."""

    type: Literal["output_text"] = "output_text"
    text: Annotated[str, Field(max_length=TEXT_LIMIT)]


class InputImage(_Wire):
    """A picture of the stream as it is now, for those whom WebRTC does not reach.

    Attributes:
        image_url: `data:image/jpeg;base64,...`; the whole message at most 256 KB.
    """

    type: Literal["input_image"] = "input_image"
    image_url: Annotated[str, Field(pattern=f"^{PICTURE_PREFIX}", max_length=MESSAGE_LIMIT)]


Part = Annotated[InputText | OutputText | InputImage, Field(discriminator="type")]


class Message(_Wire):
    """One line of the conversation, or one picture for the stream.

    A picture is fed to the stream and is no part of the conversation.
    """

    id: Identifier | None = None
    type: Literal["message"] = "message"
    role: Literal["user", "assistant"]
    content: Annotated[tuple[Part, ...], Field(max_length=8)]

    @model_validator(mode="after")
    def _parts_suit_the_role(self) -> Self:
        allowed = OutputText if self.role == "assistant" else (InputText, InputImage)
        for part in self.content:
            if not isinstance(part, allowed):
                raise ValueError(f"{part.type} does not go with the role {self.role}")  # noqa: TRY004 - pydantic
        return self

    @property
    def text(self) -> str:
        """The words of all parts."""
        return "\n".join(part.text for part in self.content if not isinstance(part, InputImage))


def _not_empty(line: Message) -> Message:
    if not line.content:
        raise ValueError("content is empty")
    return line


Line = Annotated[Message, AfterValidator(_not_empty)]  # what a client may send


class SessionChange(_Wire):
    """What can be set for all answers of a connection; what is left out stays as it is.

    Attributes:
        type: Always `realtime`.
        output_modalities: Always `["text"]`.
        instructions: Said to the language model before every question.
        max_output_tokens: Longest answer, in tokens.
        temperature: 0 is greedy; higher is more varied.
        top_p: Choose among the likeliest tokens that together reach this probability.
    """

    type: Literal["realtime"] | None = None
    output_modalities: tuple[Literal["text"]] | None = None
    instructions: Annotated[str, Field(max_length=TEXT_LIMIT)] | None = None
    max_output_tokens: Tokens | Literal["inf"] | None = None
    temperature: Temperature | None = None
    top_p: Share | None = None


class ResponseWish(_Wire):
    """How this one answer is to be made; what is left out is as the session says.

    Attributes:
        conversation: `none` keeps question and answer out of the conversation, and the
            conversation out of the question.
        input: Lines to answer instead of the conversation; needs `conversation: none`.
        output_modalities: Always `["text"]`.
        instructions: As in the session.
        max_output_tokens: As in the session.
        temperature: As in the session.
        top_p: As in the session.
        since: Look only at what was shown from this media second on.
        until: Look only at what was shown up to this media second.
    """

    conversation: Literal["auto", "none"] = "auto"
    input: Annotated[tuple[Line, ...], Field(min_length=1, max_length=20)] | None = None
    output_modalities: tuple[Literal["text"]] | None = None
    instructions: Annotated[str, Field(max_length=TEXT_LIMIT)] | None = None
    max_output_tokens: Tokens | Literal["inf"] | None = None
    temperature: Temperature | None = None
    top_p: Share | None = None
    since: Seconds | None = None
    until: Seconds | None = None

    @model_validator(mode="after")
    def _input_stands_alone(self) -> Self:
        if self.input is not None and self.conversation != "none":
            raise ValueError("input needs conversation to be none")
        return self


# Client to server.


class SessionUpdate(_ClientEvent):
    """Change how answers are made from now on."""

    type: Literal["session.update"] = "session.update"
    session: SessionChange


class ItemCreate(_ClientEvent):
    """Add a line to the conversation, usually a question, or a picture to the stream."""

    type: Literal["conversation.item.create"] = "conversation.item.create"
    previous_item_id: None = None  # lines are added at the end; clients may say so
    item: Line


class ResponseCreate(_ClientEvent):
    """Answer the newest question of the conversation from what the stream has shown."""

    type: Literal["response.create"] = "response.create"
    response: ResponseWish = ResponseWish()


class ResponseCancel(_ClientEvent):
    """Stop the answer that is being written."""

    type: Literal["response.cancel"] = "response.cancel"
    response_id: Identifier | None = None


# Server to client.


class Session(_Wire):
    """How answers are made on this connection.

    Attributes:
        stream: The stream that is asked about.
        model: The model that answers.
    """

    id: str
    object: Literal["realtime.session"] = "realtime.session"
    type: Literal["realtime"] = "realtime"
    stream: str
    model: str
    output_modalities: tuple[Literal["text"]] = ("text",)
    instructions: str = ""
    max_output_tokens: Tokens | Literal["inf"] = 128
    temperature: Temperature = 0.0
    top_p: Share = 1.0


class SessionCreated(_ServerEvent):
    """The first event of every connection."""

    type: Literal["session.created"] = "session.created"
    session: Session


class SessionUpdated(_ServerEvent):
    """The session as it is after an update."""

    type: Literal["session.updated"] = "session.updated"
    session: Session


class ItemAdded(_ServerEvent):
    """A line is part of the conversation; for a picture: the next one may be sent."""

    type: Literal["conversation.item.added"] = "conversation.item.added"
    item: Message


class ItemDone(_ServerEvent):
    """The line is complete."""

    type: Literal["conversation.item.done"] = "conversation.item.done"
    item: Message


class ItemDeleted(_ServerEvent):
    """The oldest line was let go: a conversation holds at most 40 lines."""

    type: Literal["conversation.item.deleted"] = "conversation.item.deleted"
    item_id: str


class EvidencePart(_Wire):
    """How much the answer rests on one moment.

    Attributes:
        start: First media second of the moment.
        end: Last media second of the moment.
        score: Its share of the attention from the question; those of an answer sum to 1.
    """

    start: float
    end: float
    score: float


class InputDetails(_Wire):
    """What went in, by kind, in tokens."""

    text_tokens: int
    image_tokens: int


class UsageReport(_Wire):
    """What an answer was made from.

    Attributes:
        input_tokens: Tokens of the question, and the visual tokens kept for it.
        clips: Clips it could draw on.
        frames: Frames those clips stand for.
        visual_tokens: Visual tokens of those clips.
        tokens_kept: Visual tokens left after the last text-guided selection.
        start: Media second where the clips begin.
        end: Media second where the clips end.
    """

    total_tokens: int
    input_tokens: int
    output_tokens: int
    input_token_details: InputDetails
    clips: int
    frames: int
    visual_tokens: int
    tokens_kept: int
    start: float
    end: float


class Timings(_Wire):
    """How long the answer took, from `response.create`.

    Attributes:
        first_token_ms: Until the first words; null if there were none.
        total_ms: Until the end.
    """

    first_token_ms: float | None
    total_ms: float


class Failure(_Wire):
    """Why there is no answer: a code for programs, a sentence for people."""

    type: str
    code: str
    message: str


class StatusDetails(_Wire):
    """Why a response ended as it did."""

    type: Literal["completed", "cancelled", "incomplete", "failed"]
    reason: Literal["client_cancelled", "max_output_tokens"] | None = None
    error: Failure | None = None


ResponseStatus = Literal["in_progress", "completed", "cancelled", "incomplete", "failed"]


class Response(_Wire):
    """An answer, or the attempt.

    Attributes:
        evidence: The moments it rests on, oldest first; empty until it is done.
    """

    id: str
    object: Literal["realtime.response"] = "realtime.response"
    status: ResponseStatus
    status_details: StatusDetails | None = None
    output: tuple[Message, ...] = ()
    usage: UsageReport | None = None
    evidence: tuple[EvidencePart, ...] = ()
    timings: Timings | None = None


class ResponseCreated(_ServerEvent):
    """An answer is being made."""

    type: Literal["response.created"] = "response.created"
    response: Response


class TextDelta(_ServerEvent):
    """The next words: whole characters, never half of one."""

    type: Literal["response.output_text.delta"] = "response.output_text.delta"
    response_id: str
    item_id: str
    output_index: int = 0
    content_index: int = 0
    delta: str


class TextDone(_ServerEvent):
    """All words of the answer."""

    type: Literal["response.output_text.done"] = "response.output_text.done"
    response_id: str
    item_id: str
    output_index: int = 0
    content_index: int = 0
    text: str


class ResponseDone(_ServerEvent):
    """The answer is over: complete, cancelled, cut at its limit, or failed."""

    type: Literal["response.done"] = "response.done"
    response: Response


ErrorKind = Literal["invalid_request_error", "server_error"]


class ErrorDetails(_Wire):
    """What went wrong.

    Attributes:
        type: `invalid_request_error` (the client can do better) or `server_error`.
        code: A name for programs.
        message: A sentence for people.
        param: The field that was wrong.
        event_id: The client event that this is about, if it had an `event_id`.
    """

    type: ErrorKind
    code: str
    message: str
    param: str | None = None
    event_id: str | None = None


class Error(_ServerEvent):
    """Something was refused or failed. The connection lives on."""

    type: Literal["error"] = "error"
    error: ErrorDetails


class MomentReport(_Wire):
    """One remembered clip."""

    start: float
    end: float


class MomentRemembered(_ServerEvent):
    """A clip is in memory and can be asked about from now on."""

    type: Literal["flashback.moment"] = "flashback.moment"
    stream: str
    moment: MomentReport


class LossReport(_Wire):
    """Clips that never reached memory, by cause."""

    overload: int
    unwritten: int
    full: int


class StreamReport(_Wire):
    """What a stream tells of itself; also the body of `GET /v1/streams/{stream}`.

    Attributes:
        state: `connecting`, `live`, `stalled`, `retrying` or `ended`.
        reason: Why it is in this state, as a sentence.
        source: What feeds it, or fed it last.
        origin: Where a pulled source comes from, without credentials; null for others.
        began: Unix seconds of media time zero.
        end: Media second where the newest remembered clip ends.
        clips: Clips remembered.
        frames: Pictures that arrived since the stream was opened.
        sampled: Pictures of those that were looked at.
        rate: Pictures looked at per second, as it is now.
        lost: Clips that never reached memory, by cause.
        unwritten: Encoded clips that wait for memory to come back.
        frame_age_ms: From a picture's arrival to the encoder, newest clip.
        frame_age_p50_ms: The median of the newest clips.
        frame_age_p99_ms: The worst one in a hundred of the newest clips.
        encode_ms: What the newest clip took to encode, waiting included.
        memory: Null, or why what is seen cannot be remembered now.
    """

    name: str
    state: State
    reason: str
    source: SourceKind
    origin: str | None = None
    began: float
    end: float | None
    clips: int
    frames: int
    sampled: int
    rate: float
    lost: LossReport
    unwritten: int
    frame_age_ms: float | None
    frame_age_p50_ms: float | None
    frame_age_p99_ms: float | None
    encode_ms: float | None
    memory: str | None


class StreamChanged(_ServerEvent):
    """The stream's state is another one now; sent once at the start, and then every 2 s."""

    type: Literal["flashback.stream"] = "flashback.stream"
    stream: StreamReport


ClientEvent = Annotated[
    SessionUpdate | ItemCreate | ResponseCreate | ResponseCancel, Field(discriminator="type")
]
ServerEvent = Annotated[
    SessionCreated
    | SessionUpdated
    | ItemAdded
    | ItemDone
    | ItemDeleted
    | ResponseCreated
    | TextDelta
    | TextDone
    | ResponseDone
    | Error
    | MomentRemembered
    | StreamChanged,
    Field(discriminator="type"),
]
client_events: TypeAdapter[SessionUpdate | ItemCreate | ResponseCreate | ResponseCancel] = (
    TypeAdapter(ClientEvent)
)
server_events: TypeAdapter[ServerEvent] = TypeAdapter(ServerEvent)
