"""What the service says on the WebSocket; `docs/protocol.md` is generated from these types.

The names are those of OpenAI's Realtime API, so that its clients can listen to us.
https://platform.openai.com/docs/api-reference/realtime
"""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from model.types import ANSWER_TOKENS
from web.realtime.stream_events import MomentRemembered, ServerMessage, StreamAbsent, StreamChanged
from web.realtime.watch_events import Alert
from web.realtime.wire_items import Message, MostLikely, Penalty, Share, Temperature, Tokens, Wire


class Session(Wire):
    """How answers are made on this connection.

    Attributes:
        stream: The stream that is asked about.
        model: The model that answers.
        timezone: Of whoever asks, for words of time; null is the service's own.
        temperature: 0 is greedy; higher is more varied. This and what follows begin as the service
            is set up.
        top_p: Choose among the likeliest tokens that together reach this probability.
        top_k: Choose among so many of the likeliest tokens at most; 0 is all.
        repetition_penalty: Above 1, what the answer says already is less likely to be said again.
    """

    id: str
    object: Literal["realtime.session"] = "realtime.session"
    type: Literal["realtime"] = "realtime"
    stream: str
    model: str
    output_modalities: tuple[Literal["text"]] = ("text",)
    instructions: str = ""
    max_output_tokens: Tokens | Literal["inf"] = ANSWER_TOKENS
    timezone: str | None = None
    temperature: Temperature = 0.0
    top_p: Share = 1.0
    top_k: MostLikely = 0
    repetition_penalty: Penalty = 1.0


class SessionCreated(ServerMessage):
    """The first event of every connection."""

    type: Literal["session.created"] = "session.created"
    session: Session


class SessionUpdated(ServerMessage):
    """The session as it is after an update."""

    type: Literal["session.updated"] = "session.updated"
    session: Session


class ItemAdded(ServerMessage):
    """A line is part of the conversation; for a picture: the next one may be sent.

    Attributes:
        previous_item_id: The line before it, if there is one.
    """

    type: Literal["conversation.item.added"] = "conversation.item.added"
    previous_item_id: str | None = None
    item: Message


class ItemDone(ServerMessage):
    """The line is complete.

    Attributes:
        previous_item_id: The line before it, if there is one.
    """

    type: Literal["conversation.item.done"] = "conversation.item.done"
    previous_item_id: str | None = None
    item: Message


class ItemRetrieved(ServerMessage):
    """A line that was asked for."""

    type: Literal["conversation.item.retrieved"] = "conversation.item.retrieved"
    item: Message


class ItemDeleted(ServerMessage):
    """A line is gone: it was deleted, or was the oldest of more than 40."""

    type: Literal["conversation.item.deleted"] = "conversation.item.deleted"
    item_id: str


class EvidencePart(Wire):
    """How much the answer rests on one moment.

    Attributes:
        start: First media second of the moment.
        end: Last media second of the moment.
        score: Its share of the attention from the question; those of an answer sum to 1.
        clock: What a clock in the session's time zone showed when it began, in ISO 8601.
    """

    start: float
    end: float
    score: float
    clock: str | None = None


class TimeUnderstood(Wire):
    """What was understood of words of time in a question, such as "ten minutes ago".

    Attributes:
        words: As they stand in the question.
        since: First media second that was looked at; null is from the beginning.
        until: Last media second that was looked at; null is up to the present.
        since_clock: What a clock in the session's time zone showed at `since`, in ISO 8601.
        until_clock: The same at `until`.
        question: What the model was asked about that range: the question without those words.
    """

    words: str
    since: float | None
    until: float | None
    since_clock: str | None
    until_clock: str | None
    question: str


class InputDetails(Wire):
    """What went in, by kind, in tokens."""

    text_tokens: int
    image_tokens: int


class UsageReport(Wire):
    """What an answer was made from.

    Attributes:
        input_tokens: Tokens of the question, and the visual tokens kept for it.
        clips: Clips it could draw on.
        frames: Frames that were seen in those clips, repeated ones not counted.
        visual_tokens: Visual tokens of those clips.
        tokens_kept: Visual tokens left after the last text-guided selection.
        start: Media second where the clips begin.
        end: Media second where the clips end.
        behind: Seconds of video that came before the question, after `end`, and were not read yet: a question
            waits for what is being encoded, two seconds at most.
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
    behind: float


class Timings(Wire):
    """How long the answer took, from `response.create`.

    Attributes:
        first_token_ms: Until the first words; null if there were none.
        total_ms: Until the end.
    """

    first_token_ms: float | None
    total_ms: float


class Failure(Wire):
    """Why there is no answer: a code for programs, a sentence for people."""

    type: str
    code: str
    message: str


class StatusDetails(Wire):
    """Why a response ended as it did."""

    type: Literal["completed", "cancelled", "incomplete", "failed"]
    reason: Literal["client_cancelled", "max_output_tokens"] | None = None
    error: Failure | None = None


ResponseStatus = Literal["in_progress", "completed", "cancelled", "incomplete", "failed"]


class Response(Wire):
    """An answer, or the attempt.

    Attributes:
        metadata: As it came with `response.create`.
        evidence: The moments it rests on, oldest first; empty until it is done.
        time: The words of time in the question, and the range that they were taken for; null if it
            had none, or the client gave a range.
    """

    id: str
    object: Literal["realtime.response"] = "realtime.response"
    status: ResponseStatus
    status_details: StatusDetails | None = None
    output: tuple[Message, ...] = ()
    usage: UsageReport | None = None
    metadata: dict[str, str] | None = None
    evidence: tuple[EvidencePart, ...] = ()
    time: TimeUnderstood | None = None
    timings: Timings | None = None


class ResponseCreated(ServerMessage):
    """An answer is being made."""

    type: Literal["response.created"] = "response.created"
    response: Response


class OutputItemAdded(ServerMessage):
    """The answer begins: a line of the conversation, still without words."""

    type: Literal["response.output_item.added"] = "response.output_item.added"
    response_id: str
    output_index: int = 0
    item: Message


class OutputItemDone(ServerMessage):
    """The line that is the answer, with all its words."""

    type: Literal["response.output_item.done"] = "response.output_item.done"
    response_id: str
    output_index: int = 0
    item: Message


class TextPart(Wire):
    """The words of an answer."""

    type: Literal["text"] = "text"
    text: str


class ContentPartAdded(ServerMessage):
    """Words are about to come."""

    type: Literal["response.content_part.added"] = "response.content_part.added"
    response_id: str
    item_id: str
    output_index: int = 0
    content_index: int = 0
    part: TextPart


class ContentPartDone(ServerMessage):
    """All words have come."""

    type: Literal["response.content_part.done"] = "response.content_part.done"
    response_id: str
    item_id: str
    output_index: int = 0
    content_index: int = 0
    part: TextPart


class TextDelta(ServerMessage):
    """The next words: whole characters, never half of one."""

    type: Literal["response.output_text.delta"] = "response.output_text.delta"
    response_id: str
    item_id: str
    output_index: int = 0
    content_index: int = 0
    delta: str


class TextDone(ServerMessage):
    """All words of the answer."""

    type: Literal["response.output_text.done"] = "response.output_text.done"
    response_id: str
    item_id: str
    output_index: int = 0
    content_index: int = 0
    text: str


class ResponseDone(ServerMessage):
    """The answer is over: complete, cancelled, cut at its limit, or failed."""

    type: Literal["response.done"] = "response.done"
    response: Response


ErrorKind = Literal["invalid_request_error", "server_error"]


class ErrorDetails(Wire):
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


class Error(ServerMessage):
    """Something was refused or failed. The connection lives on."""

    type: Literal["error"] = "error"
    error: ErrorDetails


ServerEvent = Annotated[
    SessionCreated
    | SessionUpdated
    | ItemAdded
    | ItemDone
    | ItemRetrieved
    | ItemDeleted
    | ResponseCreated
    | OutputItemAdded
    | ContentPartAdded
    | TextDelta
    | TextDone
    | ContentPartDone
    | OutputItemDone
    | ResponseDone
    | Error
    | MomentRemembered
    | StreamChanged
    | StreamAbsent
    | Alert,
    Field(discriminator="type"),
]
server_events: TypeAdapter[ServerEvent] = TypeAdapter(ServerEvent)
