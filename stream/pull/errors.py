"""Why a source cannot be read, in words.

An error's own text is never shown: FFmpeg puts the URL into it, and with it the password.
"""

import errno
import re
import ssl

import av

from stream.errors import BadSource, StreamError
from stream.pull.io.tls import describe_certificate_error
from stream.pull.messages import ReaderConfig, SourceEnded


class CannotOpen(StreamError):
    """The source cannot be read.

    Attributes:
        over: What to tell about it.
    """

    code = "cannot_open"

    def __init__(self, over: SourceEnded) -> None:
        super().__init__(over.reason)
        self.over = over


class Refused(StreamError):
    """The server answered with an error, or sends us elsewhere.

    Attributes:
        status: Its status code, of HTTP or RTSP; 0 if it asked us of itself to go.
        method: What was asked, over RTSP; empty over HTTP.
        words: What an RTSP server says to it.
        location: Where an RTSP server sends us, empty if it does not say; None if it does not.
    """

    code = "refused"

    def __init__(
        self, status: int, method: str = "", words: str = "", location: str | None = None
    ) -> None:
        asked = f" {method}" if method else ""
        super().__init__(f"The server answered{asked} with status {status}.")
        self.status = status
        self.method = method
        self.words = words
        self.location = location


AT_ITS_END = SourceEnded("The source is at its end.", final=True)
"""All of it was seen, and nothing will be added."""


_LONGEST_WORDS = 40
UNAUTHORIZED = 401
_REASONS: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    (
        (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError),
        "The source refuses the user name or password.",
    ),
    ((av.error.HTTPNotFoundError,), "The source has nothing at this path."),
    (
        (TimeoutError, av.error.ExitError),
        "The source did not answer within {seconds:g} seconds.",
    ),
    (
        (av.error.InvalidDataError, av.error.ArgumentError),
        "What the source sends is not video that can be read.",
    ),
    ((av.error.EOFError,), "The source hung up before it had sent any video."),
    (
        (ConnectionRefusedError,),
        "The source cannot be reached: nobody answers at its address.",
    ),
)
_STATUSES = {
    401: "The source refuses the user name or password.",
    403: "The source refuses the user name or password.",
    404: "The source has nothing at this path.",
    410: "The source has nothing at this path.",
}
_WITHOUT_LOGIN = {
    401: "The source wants a user name and password.",
    403: "The source may not be read: it answered with error 403 (Forbidden).",
}

# https://www.rfc-editor.org/rfc/rfc2326#section-11
_REMEDIES = {
    453: "as many viewers as it has room for watch it: close another one, or take its second stream",
    454: "it has lost the session: it was restarted, or another viewer took the place",
    461: "it does not send over {transport}; {other}",
    503: "it is busy, or starting",
}
_OTHER_TRANSPORT = {
    "tcp": "whoever runs this service can take it over UDP (FLASHBACK_SOURCE_TRANSPORT=udp)",
    "udp": "take it over TCP (FLASHBACK_SOURCE_TRANSPORT=tcp)",
}


def explain(error: Exception, order: ReaderConfig) -> SourceEnded:
    """Return what to tell people about `error`."""
    if isinstance(error, BadSource):
        # A name may be known again, a camera that boots may have a picture soon; what is of this
        # machine is what it is.
        return SourceEnded(str(error), final=not order.address)
    if (said := _explain_answer(error, order)) is not None:
        return SourceEnded(said)
    if isinstance(error, av.error.ProtocolNotFoundError | av.error.DemuxerNotFoundError):
        return SourceEnded(
            f"This machine's FFmpeg cannot read {order.scheme}:// sources.", final=True
        )
    if not order.address and (over := _explain_local(error, order)) is not None:
        return over
    if isinstance(error, ssl.SSLError):
        return SourceEnded(describe_certificate_error(error))
    for kinds, reason in _REASONS:
        if isinstance(error, kinds):
            # What a file holds will not change; what a camera sends may.
            return SourceEnded(
                reason.format(seconds=order.open_within), final=order.scheme == "file"
            )
    return SourceEnded(
        f"The connection to the source failed ({name_of(error)}).", final=order.scheme == "file"
    )


def explain_loss(error: Exception, order: ReaderConfig) -> SourceEnded:
    """Return what to tell people about `error` that ended a source which had been read."""
    if isinstance(error, TimeoutError | av.error.ExitError):
        return SourceEnded(silent(order.silence))
    return explain(error, order)


def silent(seconds: float) -> str:
    """Return what to tell people about a source from which nothing came for so long."""
    return f"No picture came for {seconds:g} seconds."


def _explain_answer(error: Exception, order: ReaderConfig) -> str | None:
    """Say what a server answered; None if it is not about that."""
    match error:
        case Refused() if error.location is not None:
            return "The source redirects elsewhere, which is not followed; use its address."
        case Refused() if order.username is None and error.status in _WITHOUT_LOGIN:
            return _WITHOUT_LOGIN[error.status]
        case Refused() if error.status in _STATUSES:
            return _STATUSES[error.status]
        case Refused() if error.method:
            return _explain_rtsp(error, order)
        case Refused():
            return f"The source answered with error {error.status}."
        case _:
            return None


def _explain_rtsp(error: Refused, order: ReaderConfig) -> str:
    # The words are a stranger's: no more of them than a phrase, and never what was sent in secret.
    words = re.sub(r"[^A-Za-z0-9 .,'-]", "", error.words)[:_LONGEST_WORDS].strip()
    secrets = [text for text in (order.username, order.password) if text]
    said = "" if any(text in error.words for text in secrets) else f" {words}".rstrip()
    method = error.method if error.method.isalpha() else "a request"
    reason = f"The camera answered {method} with {error.status}{said}"
    if error.status not in _REMEDIES:
        return f"{reason}."
    other = _OTHER_TRANSPORT[order.transport]
    return f"{reason}: {_REMEDIES[error.status].format(transport=order.transport.upper(), other=other)}."


def _explain_local(error: Exception, order: ReaderConfig) -> SourceEnded | None:
    """Say what is wrong with a file or a device; None if it is what may be wrong with any source."""
    file = order.scheme == "file"
    if isinstance(error, FileNotFoundError):
        # A camera that was unplugged may be plugged in again.
        return SourceEnded(f"There is no such {'file' if file else 'device'}.", final=file)
    if isinstance(error, PermissionError):
        return SourceEnded("The user that runs this service may not read it.", final=file)
    return None if file else SourceEnded(f"The device cannot be read ({name_of(error)}).")


def name_of(error: Exception) -> str:
    """Return the system's name for `error`, or that of its kind: never its text."""
    code = (error.errno or 0) if isinstance(error, OSError) else 0
    return errno.errorcode.get(code, type(error).__name__)
