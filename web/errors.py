"""Everything that the edge refuses or fails at, as one tree; every error has a code for programs.

    WebError
    ├── Refusal             (its own)            a request is not granted: status, code, headers
    │   ├── BadRequest      (its own)            it cannot be followed as it is: what to change
    │   └── Full            quota_full           every place is taken; also rate_limit_exceeded (a token
    │                                            has what was set for it alone)
    ├── BadValue            invalid_value        a setting, file of tokens, picture, time zone or limit
    │                                            cannot be used
    ├── ReplicaLost         replica_lost         a replica of a cluster is gone: another is asked
    └── Failed              failed               a command did not work: exit code; also unreachable (the
                                                 service does not answer now, it may later)

A `WebError` of no kind has a code too: cluster_unavailable (a cluster cannot be joined or started),
no_relay (a TURN server gives no relay address).

What the rooms below raise is turned into one of these where it is known who is told: into a problem
document (`web/problems.py`), into an `error` of the WebSocket, into a sentence in the terminal.
"""

import math
from collections.abc import Mapping
from http import HTTPStatus

RETRY_SECONDS = "5"


class WebError(Exception):
    """Something that the service does not do; the message says why, and what to do.

    Args:
        message: A sentence for people.
        code: If it is another one than that of the class.

    Attributes:
        code: For programs: names the kind, whatever the words; stays the same over versions.
    """

    code = "web_error"

    def __init__(self, message: str = "", *, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code or self.code


class Refusal(WebError):
    """A request that is not granted.

    Attributes:
        status: The HTTP status; below 500 whoever asked is at fault, not the service.
        detail: A sentence that says what is wrong and what to do.
        headers: Headers to send along, such as `Retry-After`.
        param: The field that is wrong; None if it is none alone.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        headers: Mapping[str, str] | None = None,
        *,
        code: str | None = None,
        param: str | None = None,
    ) -> None:
        super().__init__(detail, code=code or HTTPStatus(status).name.lower())
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.param = param


class BadRequest(Refusal):
    """What was sent cannot be followed as it is; the message says what to change.

    On a WebSocket the client is told, and the connection lives on.

    Attributes:
        event_id: The identifier of the event that was sent, if it had one.
    """

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        status = 404 if code == "model_not_found" else 400
        super().__init__(status, message, code=code, param=param)
        self.event_id: str | None = None


class Full(Refusal):
    """There is no place left; the message says whose limit it is.

    Args:
        message: A sentence for people.
        of_token: Whether it was set for one token alone; the service may have more for others.
        retry_after: Seconds after which to try again.
    """

    code = "quota_full"

    def __init__(self, message: str, *, of_token: bool = False, retry_after: float = 10.0) -> None:
        status, code = (429, "rate_limit_exceeded") if of_token else (503, "quota_full")
        headers = {"Retry-After": str(math.ceil(retry_after))}
        super().__init__(status, message, headers, code=code)
        self.of_token = of_token
        self.retry_after = retry_after


class BadValue(WebError, ValueError):
    """A value that was given cannot be used; the message names a setting or file, and says why."""

    code = "invalid_value"


class ReplicaLost(WebError):
    """A replica of a cluster is gone, or about to go; another one is asked."""

    code = "replica_lost"


class Failed(WebError):
    """A command did not work: a sentence for people and an exit code for scripts.

    Attributes:
        exit_code: 1 if it failed, 2 if what was asked for cannot be done as typed.
    """

    code = "failed"

    def __init__(self, message: str, exit_code: int = 1, *, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.exit_code = exit_code
