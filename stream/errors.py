"""What may go wrong on a stream's way in. The tree of all errors stands in `web/errors.py`."""

from model.errors import CodedError


class StreamError(CodedError):
    """Something that may go wrong on a stream's way in."""

    code = "stream_error"


class BadInput(StreamError, ValueError):
    """A stream's name, an SDP offer or a watch cannot be used; the message says to a person why."""

    code = "bad_input"


class UnknownStream(StreamError, LookupError):
    """There is no stream of this name, neither live nor remembered."""

    code = "unknown_stream"


class NoRoom(StreamError):
    """One more cannot be begun: every place or port is taken, or as many are kept as may be."""

    code = "too_many_streams"


class StreamClosed(StreamError):
    """The stream was closed: open it anew by its name. Of a mailbox: nothing more comes."""

    code = "stream_closed"


class NoVideo(StreamError):
    """The source holds no video that can be read; the message names it."""

    code = "no_video"


class BadSource(StreamError, ValueError):
    """The source cannot be used; the message says to a person why, without its credentials."""

    code = "bad_source"


class NotDelivered(StreamError):
    """A webhook, or video of our own, was not taken; the message says why, without a secret."""

    code = "not_delivered"
