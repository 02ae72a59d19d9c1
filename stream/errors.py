"""Everything that may go wrong on a stream's way in, as one tree; every error has a code for programs.

    StreamError
    ├── BadName                  bad_name               no stream can be called so
    ├── UnknownStream            unknown_stream         there is no such stream
    ├── TooManyStreams           too_many_streams       every place is taken
    ├── TooManyRemembered        too_many_remembered    as many names as there may be are remembered
    ├── StreamClosed             stream_closed          it was closed meanwhile
    ├── Closed                   closed                 a subscription has ended
    ├── NoVideo                  no_video               a file holds no video that can be read
    ├── BadSource                bad_source             an address may not or cannot be read
    │   └── PlaylistStale        playlist_stale         nobody writes the playlist any more
    ├── LookupFailed             lookup_failed          a name was not found
    ├── CannotOpen               cannot_open            a source cannot be opened: why
    ├── Refused                  refused                its server answered with an error
    ├── RtspRefused              rtsp_refused           the same, of an RTSP server
    ├── Redirected               redirected             it sends us elsewhere
    ├── AllSeen                  all_seen               nothing of a playlist is left
    ├── BadOffer                 bad_offer              an SDP offer cannot be answered
    ├── NoPortFree               no_port_free           every UDP port is taken
    ├── PlayFailed               play_failed            our own sender gets nowhere
    │   └── ConnectionLost       connection_lost        it did, and was cut off
    ├── BadCondition             bad_condition          clips cannot be matched on it
    │   └── NotUnderstood        not_understood         words say nothing to be watched for
    ├── NoVocabulary             no_vocabulary          the model has no words
    ├── UnknownWatch             unknown_watch          there is no such watch
    ├── TooManyWatches           too_many_watches       as many as there may be are kept
    └── NotDelivered             not_delivered          a webhook was not taken

Each stands beside what raises it. What a caller did wrong in code is a `ValueError`, and not here.
"""

from typing import ClassVar


class StreamError(Exception):
    """Something that may go wrong on a stream's way in.

    Attributes:
        code: For programs: names the kind, whatever the words; stays the same over versions.
    """

    code: ClassVar[str] = "stream_error"
