"""What client and server both put into their messages on the WebSocket: lines of a conversation.

The names are those of OpenAI's Realtime API, so that its clients can talk to us. Unknown fields are
refused with their name, never ignored.
https://platform.openai.com/docs/api-reference/realtime
"""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from model.types import MAX_PENALTY, MAX_TEMPERATURE

MESSAGE_LIMIT = 256 * 1024
TEXT_LIMIT = 4000
PICTURE_PREFIX = "data:image/jpeg;base64,"

Identifier = Annotated[str, Field(min_length=1, max_length=128)]
Tokens = Annotated[int, Field(ge=1, le=1024)]
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
        image_url: `data:image/jpeg;base64,...`; the whole message at most 256 KB.
    """

    type: Literal["input_image"] = "input_image"
    image_url: Annotated[str, Field(pattern=f"^{PICTURE_PREFIX}", max_length=MESSAGE_LIMIT)]


Part = Annotated[InputText | OutputText | InputImage, Field(discriminator="type")]


class Message(Wire):
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
