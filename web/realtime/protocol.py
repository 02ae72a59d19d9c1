"""Writes `docs/protocol.md` from the wire's types: `python -m web.realtime.protocol > docs/protocol.md`.

One source for the code that checks messages and the page people read, so neither can drift.
"""

import inspect
import sys
from collections.abc import Iterable, Iterator
from types import ModuleType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from web.access.keys import TICKET_SECONDS
from web.http.streams import MOST_STREAMS, STREAMS_AT_ONCE
from web.realtime import client_events, server_events, stream_events, watch_events, wire_items
from web.realtime.client_events import ClientEvent
from web.realtime.connection import SEND_SECONDS, STATUS_SECONDS
from web.realtime.server_events import ServerEvent
from web.realtime.wire_items import MESSAGE_LIMIT

_SIMPLE = {str: "text", int: "integer", float: "number", bool: "true or false", Any: "anything"}

_ROOMS = (wire_items, client_events, server_events, stream_events, watch_events)

_FILES = ", ".join(f"`{room.__name__.replace('.', '/')}.py`" for room in _ROOMS)

_HEAD = f"""# The WebSocket protocol

*Written by `python -m web.realtime.protocol` from the types in {_FILES}; a test
keeps it current.*

`GET /v1/realtime?stream=NAME` opens a WebSocket about one stream. Messages are JSON objects in
text frames, one event each. The event names are those of OpenAI's Realtime API; what it has no
name for is called `flashback.*`. All times are media seconds: since the stream began.

**Coming in.** On loopback without a token set, nothing is needed. Else send
`Authorization: Bearer TOKEN`; a browser, which cannot, trades its token for a ticket at
`POST /v1/realtime/client_secrets` (good for {TICKET_SECONDS // 60} minutes) and sends it as the
sub-protocol `openai-insecure-api-key.TICKET` beside `realtime`, or as `?ticket=TICKET`.

**Asking.** Add the question, ask for the answer, and read until `response.done`:

```json
{{"type": "conversation.item.create", "item": {{"type": "message", "role": "user",
  "content": [{{"type": "input_text", "text": "What came after the dog?"}}]}}}}
{{"type": "response.create"}}
```

**Errors.** A message that cannot be followed (no JSON, an unknown type or field, a wrong value,
bytes, more than {MESSAGE_LIMIT // 1024} KB) gets an `error` that says what was wrong, and the
connection lives on. Codes: `invalid_json`, `invalid_message`, `message_too_large`,
`unknown_event`, `unknown_parameter`, `invalid_value`, `no_question`, `item_not_found`,
`conversation_already_has_active_response`, `response_cancel_not_active`, `invalid_picture`,
`stream_refused`, `stream_taken_over`; and of an answer: `nothing_seen`, `memory_unavailable`,
`foreign_memory`, `engine_busy`, `engine_failed`, `question_too_long`, `audit_unavailable`. What is more than
the token may ask or send is refused with `rate_limit_exceeded`. An answer goes under the `id` of its response in the
service's log: name it when you report an error. A client that takes nothing for {SEND_SECONDS:g} s is let go.

**Clients of OpenAI's libraries.** They connect here with the stream in the URL (`extra_query`, or the
URL they are given); `model` may be left out, or must be ours. What they send as a matter of course and
changes nothing here is taken: see the fields below that are "taken and ignored". All else that is not
understood is refused by its name, and nothing of that message is done.

**Streams.** A stream may begin after the connection; `flashback.stream` comes when it does, on
every change, and every {STATUS_SECONDS:g} s. `flashback.moment` comes with every clip remembered.
`flashback.absent` comes once when there is no such stream: not yet, or not any more. A stream that
was deleted and begins again has another `began`; nothing of before is remembered.

**Watches.** What people want to be told of is set under `/v1/watches`: `POST {{"question": "Tell me when
a person is there", "streams": ["front-door"]}}` answers what was understood, and may be changed. Every
connection is told, by `flashback.alert`, when a watch fires on its stream or on another, and once more
when that is over; what the model denies when it is asked (`verify`) is told to nobody. `GET
/v1/watches/events` has what was told while nobody listened. An event is told at least once, whichever
way (WebSocket, webhook, MQTT, this list), always under the same `alert.id`: where a process is killed
between telling and noting that, the next one tells it again. Drop an `id` that you have had, as open
(`open`) or as over.

**Pictures.** A line with an `input_image` feeds the stream with its picture; the stream then has one
place of `FLASHBACK_MAX_STREAMS`, as any that is fed. The newest source wins: once another feeds the
stream, or it was deleted, pictures get `stream_taken_over` with the reason. After
`FLASHBACK_SILENCE_SECONDS` without a picture the place is free; the next picture takes it again.
A question is answered once what was given before it was looked at: a picture alone is a question, too.

**The list.** `GET /v1/streams` lists streams that are live or remembered, in order of name, as
`{{"streams": [...]}}` of [StreamReport](#streamreport): the first {STREAMS_AT_ONCE}, or `limit` of them ({MOST_STREAMS} at most).
For those that follow ask again with `after`, the last name that came.

**Questions to try.** `GET /v1/streams/NAME/suggestions` returns `{{"suggestions": [{{"kind", "thing", "text"}}, ...]}}`: questions that
what the stream has shown has answers to, new with every clip (`flashback.moment`). They ask whether `thing` is shown now (`present`) or
`was` at any time, `when` that was, and what came `before` and `after` it. A model without words of its own gives general ones.
"""


def render() -> str:
    """Return the whole page."""
    client, server = _events(ClientEvent), _events(ServerEvent)
    events = {*client, *server}
    others = [shape for room in _ROOMS for shape in _shapes(room) if shape not in events]
    parts = [_HEAD, "\n## Client to server\n", *map(_event, client)]
    parts += ["\n## Server to client\n", *map(_event, server)]
    parts += ["\n## What they carry\n", *map(_shape, others)]
    return "\n".join(parts).rstrip() + "\n"


def _shapes(room: ModuleType) -> Iterator[type[BaseModel]]:
    """Yield what is defined in `room`, but for the bases of others."""
    for shape in vars(room).values():
        if (
            inspect.isclass(shape)
            and issubclass(shape, BaseModel)
            and shape.__module__ == room.__name__
            and shape.model_fields.keys() - {"event_id"}
        ):
            yield shape


def _events(union: Any) -> list[type[BaseModel]]:  # noqa: ANN401 - an annotated union has no type
    return list(get_args(get_args(union)[0]))


def _event(model: type[BaseModel]) -> str:
    return _section(model, f"`{model.model_fields['type'].default}`", {"type", "event_id"})


def _shape(model: type[BaseModel]) -> str:
    return _section(model, model.__name__, set())


def _section(model: type[BaseModel], title: str, hidden: set[str]) -> str:
    text, meanings = _docstring(model)
    lines = [f"### {title}\n", text, ""]
    rows = [
        f"| `{name}` | {_type(field.annotation)}{_limits(field.metadata)} | {_default(field)} "
        f"| {meanings.get(name, '')} |"
        for name, field in model.model_fields.items()
        if name not in hidden
    ]
    if rows:
        lines += ["| field | type | default | meaning |", "|---|---|---|---|", *rows, ""]
    return "\n".join(lines)


def _docstring(model: type[BaseModel]) -> tuple[str, dict[str, str]]:
    """Return the text before `Attributes:`, and what is said of each attribute, here or in a base."""
    text, _, attributes = inspect.getdoc(model).partition("Attributes:")  # type: ignore[union-attr]
    base = model.__base__
    inherits = base is not None and base is not BaseModel and issubclass(base, BaseModel)
    meanings = dict(_docstring(base)[1]) if inherits else {}  # type: ignore[arg-type]
    name = ""
    for line in attributes.splitlines():
        if line.startswith("        "):
            meanings[name] += " " + line.strip()
        elif ":" in line:
            name, _, meaning = (part.strip() for part in line.partition(":"))
            meanings[name] = meaning
    return text.strip(), meanings


def _type(annotation: Any) -> str:  # noqa: ANN401 - annotations are of any kind
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        bounds = ", ".join(_bounds(inside[1:]))
        return _type(inside[0]) + (f" ({bounds})" if bounds else "")
    if origin in {Union, UnionType}:
        return " or ".join(_type(one) for one in inside)
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in inside)
    if origin is tuple:
        return f"list of {_type(inside[0])}"
    if annotation is type(None):
        return "null"
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        name = annotation.__name__
        return f"[{name}](#{name.lower()})"
    if origin is dict:
        return f"object of {_type(inside[1])}"
    return _SIMPLE.get(annotation, str(annotation))


def _limits(metadata: Iterable[Any]) -> str:
    return "".join(f", {limit}" for limit in _bounds(metadata))


def _bounds(metadata: Iterable[Any]) -> Iterator[str]:
    words = {
        "ge": "at least",
        "le": "at most",
        "gt": "more than",
        "min_length": "length at least",
        "max_length": "length at most",
    }
    for limit in metadata:
        if isinstance(limit, FieldInfo):  # the bounds of what may be left out lie one level deeper
            yield from _bounds(limit.metadata)
        for name, word in words.items():
            if (bound := getattr(limit, name, None)) is not None:
                yield f"{word} {bound:g}" if isinstance(bound, float) else f"{word} {bound}"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if isinstance(field.default, BaseModel) or field.default == ():
        return ""
    return {"None": "null"}.get(str(field.default), f"`{field.default}`")


if __name__ == "__main__":
    sys.stdout.write(render())
