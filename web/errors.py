"""Everything that may go wrong, as one tree; every error has a code for programs.

    ModelError              model_error          model/errors.py
    ├── NothingSeen         nothing_seen         there is no clip to answer from; also nothing_in_range (none
    │                                            in the time asked about), history_gone (none is in the
    │                                            network: the engine asks memory again, and nobody else knows)
    ├── EngineBusy          engine_busy          a queue is full
    ├── HistoryFull         history_full         the next clip has no position left
    └── ModelUnavailable    model_unavailable    the network cannot be loaded
    StoreError              store_error          memory/errors.py
    ├── StoreUnavailable    store_unavailable    it cannot be reached: nothing was written or read; also,
    │                                            of our own Redis, no_redis (there is no program),
    │                                            directory_in_use, directory_unsafe
    ├── StoreFull           store_full           there is no room for another clip
    ├── EncoderMismatch     encoder_mismatch     another vision encoder made these clips
    ├── StreamForgotten     stream_forgotten     somebody deleted the stream
    ├── PastChanged         past_changed         the stream's past changed meanwhile
    └── CorruptData         corrupt_data         these bytes are not a clip, or not a backup
    StreamError             stream_error         stream/errors.py
    ├── BadInput            bad_input            a name, an SDP offer or a watch cannot be used as it is;
    │                                            also no_vocabulary (the model has no words to watch for),
    │                                            unknown_watch
    ├── UnknownStream       unknown_stream       there is no such stream
    ├── NoRoom              too_many_streams     every place is taken; also too_many_remembered (as many
    │                                            names as there may be), no_port_free (every UDP port is
    │                                            taken), too_many_clips (others are being cut),
    │                                            too_many_watches
    ├── StreamClosed        stream_closed        it was closed meanwhile; mailbox_closed: nothing more comes
    ├── NoVideo             no_video             a file holds no video that can be read
    ├── BadSource           bad_source           an address may not or cannot be read
    ├── CannotOpen          cannot_open          a source cannot be opened: why (stream/pull/errors.py)
    ├── Refused             refused              its server answered with an error, or sends us elsewhere;
    │                                            like the last one it stays inside stream/pull
    └── NotDelivered        not_delivered        what we send is not taken: a webhook, or video of our own;
                                                 or it was, and was cut off: connection_lost
    WebError                web_error            below
    ├── Refusal             (its own)            a request is not granted: status, code, headers
    │   ├── BadRequest      (its own)            it cannot be followed as it is: what to change
    │   └── Full            quota_full           every place is taken; also rate_limit_exceeded (a token
    │                                            has what was set for it alone)
    ├── BadValue            invalid_value        a setting, file of tokens, picture, time zone or limit
    │                                            cannot be used
    ├── ReplicaLost         replica_lost         a replica of a cluster is gone: another is asked
    └── Failed              failed               a command did not work: exit code

Bases raised as they are have codes, too. `ModelError`: engine_failed (the network failed on this, others
are not affected, the log says more), question_too_long (more tokens than can be read at once).
`StoreError`: not_restored (there is no backup, or nothing was restored), document_too_large. `WebError`:
cluster_unavailable (a cluster cannot be joined or started), no_relay (a TURN server gives no relay
address). What a caller did wrong in code is a `ValueError`, and not here.

What the packages below raise is turned into one of the last where it is known who is told: into a problem
document (`web/problems.py`), into an `error` of the WebSocket, into a sentence in the terminal. The first
three have one root, `CodedError`; the edge has its own, since the tools for assistants load nothing of the
packages below.
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

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code
