"""What a client may say on the WebSocket; `docs/protocol.md` is generated from these types.

The names are those of OpenAI's Realtime API. Unknown events and unknown fields are refused with the
name of what was not understood, never ignored.
https://platform.openai.com/docs/api-reference/realtime
"""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, TypeAdapter, model_validator

from web.realtime.wire_items import (
    TEXT_LIMIT,
    Identifier,
    Line,
    MostLikely,
    Penalty,
    Seconds,
    Share,
    Temperature,
    Tokens,
    Wire,
)

Word = Annotated[str, Field(max_length=512)]


def _none_of_them(tools: tuple[Any, ...]) -> tuple[Any, ...]:
    if tools:
        raise ValueError("there are no tools here; send an empty list, or leave it out")
    return tools


class Unused(Wire):
    """What clients of OpenAI's Realtime API say as a matter of course, and what changes nothing here.

    Attributes:
        audio: Taken and ignored: answers are text.
        tools: Empty: there are none.
        tool_choice: Taken and ignored, as there are no tools.
        parallel_tool_calls: Taken and ignored, as there are no tools.
        tracing: Taken and ignored.
        truncation: Taken and ignored: the oldest lines go first.
        include: Taken and ignored.
        prompt: Null: there are no stored prompts.
    """

    audio: dict[str, Any] | None = None
    tools: Annotated[tuple[Any, ...], AfterValidator(_none_of_them)] | None = None
    tool_choice: Literal["auto", "none"] | None = None
    parallel_tool_calls: bool | None = None
    tracing: dict[str, Any] | Literal["auto"] | None = None
    truncation: dict[str, Any] | Literal["auto", "disabled"] | None = None
    include: tuple[str, ...] | None = None
    prompt: None = None


class SessionChange(Unused):
    """What can be set for all answers of a connection; what is left out stays as it is.

    Attributes:
        type: Always `realtime`.
        object: Always `realtime.session`.
        id: Taken and ignored, for those who send a session back.
        model: The model that answers: it cannot be changed.
        output_modalities: Always `["text"]`.
        instructions: Said to the language model before every question.
        max_output_tokens: Longest answer, in tokens; `inf` is as long as an answer can get.
        timezone: Where whoever asks is, such as `Europe/Berlin`: for words of time in questions, and
            for the clock of what an answer rests on. Answers then say times by that clock ("At
            14:05:10.") instead of in seconds of the stream ("At 10 seconds.", from the first minute on
            "At 1:05:11.").
        temperature: 0 is greedy; higher is more varied.
        top_p: Choose among the likeliest tokens that together reach this probability.
        top_k: Choose among so many of the likeliest tokens at most; 0 is all.
        repetition_penalty: Above 1, what the answer says already is less likely to be said again,
            at temperature 0 as well; 1 is none.
    """

    type: Literal["realtime"] | None = None
    object: Literal["realtime.session"] | None = None
    id: Identifier | None = None
    model: Annotated[str, Field(max_length=200)] | None = None
    output_modalities: tuple[Literal["text"]] | None = None
    instructions: Annotated[str, Field(max_length=TEXT_LIMIT)] | None = None
    max_output_tokens: Tokens | Literal["inf"] | None = None
    timezone: Annotated[str, Field(max_length=64)] | None = None
    temperature: Temperature | None = None
    top_p: Share | None = None
    top_k: MostLikely | None = None
    repetition_penalty: Penalty | None = None


class ResponseOptions(Unused):
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
        top_k: As in the session.
        repetition_penalty: As in the session.
        metadata: Comes back with the response.
        since: Look only at what was shown from this media second on. Where this or `until` is given,
            words of time in the question count for nothing.
        until: Look only at what was shown up to this media second.
    """

    conversation: Literal["auto", "none"] = "auto"
    input: Annotated[tuple[Line, ...], Field(min_length=1, max_length=20)] | None = None
    output_modalities: tuple[Literal["text"]] | None = None
    instructions: Annotated[str, Field(max_length=TEXT_LIMIT)] | None = None
    max_output_tokens: Tokens | Literal["inf"] | None = None
    temperature: Temperature | None = None
    top_p: Share | None = None
    top_k: MostLikely | None = None
    repetition_penalty: Penalty | None = None
    metadata: Annotated[dict[Word, Word], Field(max_length=16)] | None = None
    since: Seconds | None = None
    until: Seconds | None = None

    @model_validator(mode="after")
    def _input_stands_alone(self) -> Self:
        if self.input is not None and self.conversation != "none":
            raise ValueError("input needs conversation to be none")
        return self


class ClientMessage(Wire):
    """Something a client says; its `event_id` comes back in an error about it."""

    event_id: Identifier | None = None


class SessionUpdate(ClientMessage):
    """Change how answers are made from now on."""

    type: Literal["session.update"] = "session.update"
    session: SessionChange


class ItemCreate(ClientMessage):
    """Add a line to the conversation, usually a question, or a picture to the stream.

    Attributes:
        previous_item_id: After which line; `root` is before all others, null after them.
    """

    type: Literal["conversation.item.create"] = "conversation.item.create"
    previous_item_id: Identifier | None = None
    item: Line


class ItemRetrieve(ClientMessage):
    """Ask for a line of the conversation as it is kept here."""

    type: Literal["conversation.item.retrieve"] = "conversation.item.retrieve"
    item_id: Identifier


class ItemDelete(ClientMessage):
    """Take a line out of the conversation."""

    type: Literal["conversation.item.delete"] = "conversation.item.delete"
    item_id: Identifier


class ResponseCreate(ClientMessage):
    """Answer the newest question of the conversation from what the stream has shown."""

    type: Literal["response.create"] = "response.create"
    response: ResponseOptions = ResponseOptions()


class ResponseCancel(ClientMessage):
    """Stop the answer that is being written."""

    type: Literal["response.cancel"] = "response.cancel"
    response_id: Identifier | None = None


AnyEvent = SessionUpdate | ItemCreate | ItemRetrieve | ItemDelete | ResponseCreate | ResponseCancel
ClientEvent = Annotated[AnyEvent, Field(discriminator="type")]
client_events: TypeAdapter[AnyEvent] = TypeAdapter(ClientEvent)
