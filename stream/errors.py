"""Everything that may go wrong on a stream's way in, as one tree; every error has a code for programs.

    StreamError
    ├── BadInput         bad_input          a name, an SDP offer or a watch cannot be used as it is; also
    │                                       no_vocabulary (the model has no words to watch for),
    │                                       unknown_watch
    ├── UnknownStream    unknown_stream     there is no such stream
    ├── NoRoom           too_many_streams   every place is taken; also too_many_remembered (as many names
    │                                       as there may be), no_port_free (every UDP port is taken),
    │                                       too_many_clips (others are being cut), too_many_watches
    ├── StreamClosed     stream_closed      it was closed meanwhile; mailbox_closed: nothing more comes
    ├── NoVideo          no_video           a file holds no video that can be read
    ├── BadSource        bad_source         an address may not or cannot be read
    ├── CannotOpen       cannot_open        a source cannot be opened: why
    ├── Refused          refused            its server answered with an error, or sends us elsewhere
    └── NotDelivered     not_delivered      what we send is not taken: a webhook, or video of our own;
                                            or it was, and was cut off: connection_lost

`CannotOpen` and `Refused` stay inside `stream/pull` and stand in `stream/pull/errors.py`. What a caller did wrong in code is a `ValueError`, and not here.
"""

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
