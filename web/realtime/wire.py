"""From the text of a WebSocket message to a client event, or to a refusal that helps.

Pure. Whatever arrives, the outcome is an event or `Refused`, never another exception.
"""

from typing import get_args

from pydantic import ValidationError
from pydantic_core import from_json

from web.realtime.client_events import AnyEvent, client_events
from web.realtime.server_events import ErrorDetails
from web.realtime.wire_items import MESSAGE_LIMIT


class Refused(Exception):
    """A client event that cannot be followed: the client is told, the connection lives on.

    Attributes:
        code: A name for programs.
        param: The field that was wrong.
        event_id: The event's own identifier, if it had one.
    """

    def __init__(
        self, code: str, message: str, param: str | None = None, event_id: str | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.param = param
        self.event_id = event_id

    @property
    def details(self) -> ErrorDetails:
        """The refusal as it is told to the client."""
        return ErrorDetails(
            type="invalid_request_error",
            code=self.code,
            message=str(self),
            param=self.param,
            event_id=self.event_id,
        )


def parse(text: str | None) -> AnyEvent:
    """Return the client event in `text`; None stands for a binary message.

    Raises:
        Refused: If it is binary, too long, no JSON, or no event that we know.
    """
    if text is None:
        raise Refused("invalid_message", "Binary messages are not understood; send JSON as text.")
    if len(text) > MESSAGE_LIMIT:
        limit = MESSAGE_LIMIT // 1024
        raise Refused("message_too_large", f"A message may have {limit} KB at most.")
    try:
        value = from_json(text)
    except ValueError:
        raise Refused("invalid_json", "The message is not valid JSON.") from None
    if not isinstance(value, dict):
        raise Refused("invalid_message", "A message must be a JSON object with a `type`.")
    try:
        return client_events.validate_python(value)
    except ValidationError as error:
        refused = _not_understood(error)
        if isinstance(given := value.get("event_id"), str):
            refused.event_id = given[:128]
        raise refused from None


def _not_understood(error: ValidationError) -> Refused:
    first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] in {"union_tag_invalid", "union_tag_not_found"} and not first["loc"]:
        known = ", ".join(event.model_fields["type"].default for event in get_args(AnyEvent))
        return Refused("unknown_event", f"`type` must be one of {known}.", "type")
    # The first place names the event's type; the client wants the path inside its event.
    param = ".".join(str(part) for part in first["loc"][1:])
    code = "unknown_parameter" if first["type"] == "extra_forbidden" else "invalid_value"
    if "output_modalities" in first["loc"]:
        return Refused(code, f'{param}: answers are text; send ["text"]', param)
    message = "is not known here" if code == "unknown_parameter" else first["msg"]
    return Refused(code, f"{param}: {message}", param)
