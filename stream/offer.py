"""Reads WebRTC offers with suspicion, before anything is set up for them.

aiortc answers some nonsense and fails deep inside on other; here an offer is either fit to be
answered or refused with a sentence. Session descriptions: https://www.rfc-editor.org/rfc/rfc8866,
trickled candidates: https://www.rfc-editor.org/rfc/rfc8840, bundles:
https://www.rfc-editor.org/rfc/rfc9143.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from aiortc import RTCIceCandidate
from aiortc.sdp import MediaDescription, SessionDescription, candidate_from_sdp

from stream.bundle import unbundled

OFFER_LIMIT = 128 * 1024
CANDIDATE_LIMIT = 64
SECTION_LIMIT = 16
READABLE = ("VP8", "H264")
HELPERS = ("rtx", "red", "ulpfec", "flexfec-03")  # ride along with a codec, are none themselves
# What aiortc's parser raises on text that is no session description.
UNREADABLE = (
    ValueError,
    AssertionError,
    AttributeError,
    IndexError,
    KeyError,
    StopIteration,
    TypeError,
)


class BadOffer(ValueError):
    """The offer cannot be answered; the message says to a person what is wrong with it."""


class IceRestart(BadOffer):
    """The fragment asks for an ICE restart, which is not supported: connect anew instead."""


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer that can be answered.

    Attributes:
        sdp: To be answered, without the candidates that nobody here can resolve.
        mid: Names the video section to use.
        ufrag: The sender's ICE user name: another one in a later fragment means a restart.
    """

    sdp: str
    mid: str
    ufrag: str


def read_offer(sdp: str, *, sends: bool) -> Offer:
    """Check an offer; `sends` tells whether it must bring video or take it.

    Raises:
        BadOffer: If it is too long, no SDP, has no such video, or no codec that can be read here.
    """
    if len(sdp.encode()) > OFFER_LIMIT:
        raise BadOffer(f"The offer is longer than {OFFER_LIMIT // 1024} KB.")
    lines = _without_names(sdp)
    if sum(line.startswith("a=candidate:") for line in lines) > CANDIDATE_LIMIT:
        raise BadOffer(f"The offer names more than {CANDIDATE_LIMIT} ICE candidates.")
    if sum(line.startswith("m=") for line in lines) > SECTION_LIMIT:
        raise BadOffer(f"The offer has more than {SECTION_LIMIT} media sections.")
    if not lines or not lines[0].startswith("v=0"):
        raise BadOffer("This is no SDP offer: it does not begin with v=0.")
    text = "\r\n".join(unbundled(lines)) + "\r\n"
    try:
        description = SessionDescription.parse(text)
    except UNREADABLE as error:
        raise BadOffer("The SDP offer is malformed and cannot be read.") from error
    media = _video(description, sends=sends)
    ufrag = _secured(media)
    return Offer(sdp=text, mid=media.rtp.muxId, ufrag=ufrag)


def read_fragment(fragment: str, ufrag: str) -> Iterator[RTCIceCandidate | None]:
    """Yield the candidates of a trickle fragment; None says that no more will come.

    Raises:
        IceRestart: If its user name is not `ufrag`.
        BadOffer: If it is too long or cannot be read.
    """
    if len(fragment.encode()) > OFFER_LIMIT:
        raise BadOffer(f"The fragment is longer than {OFFER_LIMIT // 1024} KB.")
    mid: str | None = None
    for line in fragment.splitlines():
        name, _, value = line.strip().partition(":")
        if name == "a=ice-ufrag" and value != ufrag:
            raise IceRestart("ICE restart is not supported here; please connect anew.")
        if name == "a=mid":
            mid = value
        elif name == "a=end-of-candidates":
            yield None
        elif name == "a=candidate" and not _is_name(value):
            yield _candidate(value, mid)


def ufrag_of(fragment: str) -> str | None:
    """Return the ICE user name in a trickle fragment: it tells which ICE session it is for."""
    for line in fragment.splitlines():
        name, _, value = line.strip().partition(":")
        if name == "a=ice-ufrag":
            return value
    return None


def _candidate(value: str, mid: str | None) -> RTCIceCandidate:
    try:
        candidate = candidate_from_sdp(value)
    except UNREADABLE as error:
        raise BadOffer("A candidate of the fragment cannot be read.") from error
    candidate.sdpMid = mid
    candidate.sdpMLineIndex = 0 if mid is None else None
    return candidate


def _without_names(sdp: str) -> list[str]:
    """Split into lines, less the candidates hidden behind mDNS names.

    Asking for such a name takes a second where nobody answers, and is not needed: the sender's
    checks reach us from its real address.
    """
    return [
        line
        for line in sdp.splitlines()
        if not (line.startswith("a=candidate:") and _is_name(line))
    ]


def _is_name(candidate: str) -> bool:
    parts = candidate.split()
    return len(parts) > 4 and parts[4].endswith(".local")


def _video(description: SessionDescription, *, sends: bool) -> MediaDescription:
    videos = [media for media in description.media if media.kind == "video" and media.port != 0]
    if not videos:
        raise BadOffer("The offer has no video section.")
    wanted = ("sendrecv", "sendonly" if sends else "recvonly")
    fitting = [media for media in videos if (media.direction or "sendrecv") in wanted]
    if not fitting:
        raise BadOffer(f"The offer's video does not {'send' if sends else 'receive'} anything.")
    media: MediaDescription = fitting[0]
    names = [codec.name for codec in media.rtp.codecs if codec.name.lower() not in HELPERS]
    if not any(name.upper() in READABLE for name in names):
        offered = ", ".join(dict.fromkeys(names)) or "none"
        raise BadOffer(f"No usable video codec: offered {offered}; needed VP8 or H264.")
    return media


def _secured(media: MediaDescription) -> str:
    if media.ice is None or not media.ice.usernameFragment or not media.ice.password:
        raise BadOffer("The offer's video section has no ICE user name and password.")
    if media.dtls is None or not media.dtls.fingerprints:
        raise BadOffer("The offer's video section has no DTLS fingerprint.")
    ufrag: str = media.ice.usernameFragment
    return ufrag
