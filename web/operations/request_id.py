"""The id of a request: in a header of its answer, and in every line of the log that it causes.

Whoever reports an error names it, and the operator finds the line. A proxy in front may give its own.
An answer over the WebSocket has the id of its response (`resp_…`), which every event of it carries.
"""

import re
from contextvars import ContextVar

from web.identifiers import new_id

HEADER = "X-Request-Id"
_GIVEN = re.compile(r"[A-Za-z0-9_.-]{8,64}")
_current: ContextVar[str | None] = ContextVar("request_id", default=None)


def begin_request(given: str | None) -> str:
    """Return the id of a request that begins now, in this task: `given`, if that can be one."""
    key = given if given is not None and _GIVEN.fullmatch(given) else new_id("req")
    _current.set(key)
    return key


def continue_as(key: str | None) -> None:
    """Let what this task does from now on go under another id, or under none."""
    _current.set(key)


def current_request() -> str | None:
    """Return the id of the request that this task works for; None if it is for none."""
    return _current.get()
