"""What comes in and goes out over one WebSocket: text to events, events to text.

Whatever arrives, `parse` makes an event of it or raises `BadRequest`, which says what helps; never
another exception. What goes out, goes through an `Outbox`: whole events, one after another, as fast as
the client takes them.
"""

import asyncio
from typing import get_args

from fastapi import WebSocket
from pydantic import ValidationError
from pydantic_core import from_json
from starlette.websockets import WebSocketDisconnect, WebSocketState

from web.errors import BadRequest
from web.realtime.client_events import AnyEvent, client_events
from web.realtime.server_events import ErrorDetails, ServerEvent
from web.realtime.wire_items import MESSAGE_LIMIT
from web.sent_json import TOO_INTRICATE, field_path, is_intricate


def parse(text: str | None) -> AnyEvent:
    """Return the client event in `text`; None stands for a binary message.

    Raises:
        BadRequest: If it is binary, too long, no JSON, or no event that we know.
    """
    if text is None:
        raise BadRequest(
            "invalid_message", "Binary messages are not understood; send JSON as text."
        )
    if len(text) > MESSAGE_LIMIT:
        limit = MESSAGE_LIMIT // 1024
        raise BadRequest("message_too_large", f"A message may have {limit} KB at most.")
    if is_intricate(text.encode(errors="replace")):
        raise BadRequest("message_too_large", TOO_INTRICATE)
    try:
        value = from_json(text)
    except ValueError:
        raise BadRequest("invalid_json", "The message is not valid JSON.") from None
    if not isinstance(value, dict):
        raise BadRequest("invalid_message", "A message must be a JSON object with a `type`.")
    try:
        return client_events.validate_python(value)
    except ValidationError as error:
        refused = _not_understood(error, value)
        if isinstance(given := value.get("event_id"), str):
            refused.event_id = given[:128]
        raise refused from None


def _not_understood(error: ValidationError, sent: object) -> BadRequest:
    first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] in {"union_tag_invalid", "union_tag_not_found"} and not first["loc"]:
        known = ", ".join(event.model_fields["type"].default for event in get_args(AnyEvent))
        return BadRequest("unknown_event", f"`type` must be one of {known}.", "type")
    # The first place names the event's type; the client wants the path inside its event.
    param = field_path(sent, first["loc"][1:], missing=first["type"] == "missing")
    code = "unknown_parameter" if first["type"] == "extra_forbidden" else "invalid_value"
    if "output_modalities" in first["loc"]:
        return BadRequest(code, f'{param}: answers are text; send ["text"]', param)
    message = (
        "is not known here"
        if code == "unknown_parameter"
        else first["msg"].removeprefix("Value error, ")
    )
    return BadRequest(code, f"{param}: {message}", param)


def details(refused: BadRequest) -> ErrorDetails:
    """Return a refusal as it is told to the client."""
    return ErrorDetails(
        type="invalid_request_error",
        code=refused.code,
        message=str(refused),
        param=refused.param,
        event_id=refused.event_id,
    )


class Outbox:
    """Sends events; whoever has one waits until it is taken, so nothing is queued.

    Args:
        socket: To the client.
        timeout: Seconds after which a client that takes nothing is given up.
    """

    def __init__(self, socket: WebSocket, timeout: float) -> None:
        self._socket = socket
        self._timeout = timeout
        self._one_at_a_time = asyncio.Lock()

    async def send(self, event: ServerEvent) -> None:
        """Send `event` once all before it are taken.

        Raises:
            WebSocketDisconnect: If the client has left.
            TimeoutError: If it takes nothing.
        """
        async with asyncio.timeout(self._timeout), self._one_at_a_time:
            if self._socket.application_state is WebSocketState.DISCONNECTED:
                raise WebSocketDisconnect(1006)  # another of our tasks has found out
            await self._socket.send_text(event.model_dump_json())
