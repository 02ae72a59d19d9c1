"""What client and server both put into their messages on the WebSocket: lines of a conversation.

The names are those of OpenAI's Realtime API, so that its clients can talk to us. Unknown fields are
refused with their name, never ignored; of OpenAI's own, what changes nothing here is taken.
https://platform.openai.com/docs/api-reference/realtime
"""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from model.engine.generation import MAX_ANSWER_TOKENS
from model.types import MAX_PENALTY, MAX_TEMPERATURE

MESSAGE_LIMIT = 256 * 1024
TEXT_LIMIT = 4000
_PICTURE_PREFIX = "data:image/(jpeg|jpg|png);base64,"

Identifier = Annotated[str, Field(min_length=1, max_length=128)]
Tokens = Annotated[int, Field(ge=1, le=MAX_ANSWER_TOKENS)]
Temperature = Annotated[float, Field(ge=0, le=MAX_TEMPERATURE)]
Share = Annotated[float, Field(gt=0, le=1)]
MostLikely = Annotated[int, Field(ge=0, le=1_000_000)]
Penalty = Annotated[float, Field(gt=0, le=MAX_PENALTY)]
Seconds = Annotated[float, Field(ge=0, le=1e10)]
Text = Annotated[str, Field(min_length=1, max_length=TEXT_LIMIT)]


class Wire(BaseModel):
    """The base of everything on the wire: frozen, and nothing unknown is let in."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class InputText(Wire):
    """Words of the user."""

    type: Literal["input_text"] = "input_text"
    text: Text


class OutputText(Wire):
    """Words of an earlier answer."""

    type: Literal["output_text"] = "output_text"
    text: Annotated[str, Field(max_length=TEXT_LIMIT)]


class InputImage(Wire):
    """A picture of the stream as it is now, for those whom WebRTC does not reach.

    Attributes:
        image_url: `data:image/jpeg;base64,...` or `data:image/png;base64,...`; the whole message at
            most 256 KB.
        detail: Taken and ignored.
    """

    type: Literal["input_image"] = "input_image"
    image_url: Annotated[str, Field(pattern=f"^{_PICTURE_PREFIX}", max_length=MESSAGE_LIMIT)]
    detail: Literal["auto", "low", "high", "original"] | None = None


Part = Annotated[InputText | OutputText | InputImage, Field(discriminator="type")]


_PARTS: Mapping[str, tuple[type, ...]] = {
    "user": (InputText, InputImage),
    "assistant": (OutputText,),
    "system": (InputText,),
    "developer": (InputText,),
}


class Message(Wire):
    """One line of the conversation, or one picture for the stream.

    A picture is fed to the stream and is not part of the conversation.

    Attributes:
        role: What a system or a developer says is an instruction.
        object: Of a client, taken and ignored.
        status: Of a client, taken and ignored.
    """

    id: Identifier | None = None
    object: Literal["realtime.item"] | None = "realtime.item"
    type: Literal["message"] = "message"
    status: Literal["completed", "incomplete", "in_progress"] | None = "completed"
    role: Literal["user", "assistant", "system", "developer"]
    content: Annotated[tuple[Part, ...], Field(max_length=8)]

    @model_validator(mode="after")
    def _parts_suit_the_role(self) -> Self:
        allowed = _PARTS[self.role]
        for part in self.content:
            if not isinstance(part, allowed):
                raise ValueError(f"{part.type} does not go with the role {self.role}")  # noqa: TRY004 - pydantic
        return self

    @property
    def text(self) -> str:
        """The words of all parts."""
        return "\n".join(part.text for part in self.content if not isinstance(part, InputImage))

    @property
    def pictures(self) -> tuple[InputImage, ...]:
        """The pictures among its parts."""
        return tuple(part for part in self.content if isinstance(part, InputImage))


def _not_empty(line: Message) -> Message:
    if not line.content:
        raise ValueError("content is empty")
    return line


Line = Annotated[Message, AfterValidator(_not_empty)]  # what a client may send
