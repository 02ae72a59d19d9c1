"""Reads WebRTC offers with suspicion, before anything is set up for them.

aiortc answers some nonsense and fails deep inside on other; here an offer is either fit to be
answered or refused with a sentence. Session descriptions: https://www.rfc-editor.org/rfc/rfc8866,
trickled candidates: https://www.rfc-editor.org/rfc/rfc8840, bundles:
https://www.rfc-editor.org/rfc/rfc9143.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aiortc import RTCIceCandidate
from aiortc.sdp import MediaDescription, SessionDescription, candidate_from_sdp

from stream.address.reachable import Network, may_be_reached
from stream.errors import BadInput
from stream.webrtc.bundle import unbundled
from stream.webrtc.offer_rules import (
    CANDIDATE_LIMIT,
    OFFER_LIMIT,
    with_directions,
    wrong_with_lines,
    wrong_with_sections,
)

_READABLE = ("VP8", "H264")
_HELPERS = ("rtx", "red", "ulpfec", "flexfec-03")  # ride along with a codec, are none themselves
# What aiortc's parser raises on text that is not a session description.
_UNREADABLE = (
    ValueError,
    AssertionError,
    AttributeError,
    IndexError,
    KeyError,
    StopIteration,
    TypeError,
)


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer that can be answered.

    Attributes:
        sdp: To be answered, without the candidates that are not dialled.
        mid: Names the video section to use.
        ufrag: The sender's ICE user name: another one in a later fragment means a restart.
        inside: Private networks that candidates may name, now and later.
        own: Addresses that lead to this machine, beside those that it has.
    """

    sdp: str
    mid: str
    ufrag: str
    inside: tuple[Network, ...] = ()
    own: tuple[str, ...] = ()


def read_offer(
    sdp: str, *, sends: bool, inside: tuple[Network, ...] = (), own: tuple[str, ...] = ()
) -> Offer:
    """Check an offer.

    Args:
        sdp: The offer.
        sends: Whether it must bring video or take it.
        inside: Private networks that its candidates may name.
        own: Addresses that lead to this machine, beside those that it has.

    Raises:
        BadInput: If it is too long, no SDP, has no such video, or no codec that can be read here.
    """
    if len(sdp.encode()) > OFFER_LIMIT:
        raise BadInput(f"The offer is longer than {OFFER_LIMIT // 1024} KB.")
    lines = sdp.splitlines()
    candidates = sum(line.startswith("a=candidate:") for line in lines)
    if candidates > CANDIDATE_LIMIT:
        raise BadInput(f"The offer names more than {CANDIDATE_LIMIT} ICE candidates.")
    if (wrong := wrong_with_lines(lines)) is not None:
        raise BadInput(wrong)
    lines = with_directions(unbundled(_dialled(lines, inside, own)))
    text = "\r\n".join(lines) + "\r\n"
    try:
        description = SessionDescription.parse(text)
    except _UNREADABLE as error:
        raise BadInput("The SDP offer is malformed and cannot be read.") from error
    media = _video(description, sends=sends)
    if (wrong := wrong_with_sections(description)) is not None:
        raise BadInput(wrong)
    assert media.ice is not None, "each section has one, as was just checked"
    ufrag = media.ice.usernameFragment or ""
    return Offer(sdp=text, mid=media.rtp.muxId, ufrag=ufrag, inside=inside, own=own)


def read_fragment(
    fragment: str, ufrag: str, inside: Sequence[Network] = (), own: Sequence[str] = ()
) -> Iterator[RTCIceCandidate]:
    """Yield the candidates of a trickle fragment that are dialled.

    Args:
        fragment: What was sent.
        ufrag: The sender's ICE user name.
        inside: Private networks that candidates may name.
        own: Addresses that lead to this machine, beside those that it has.

    Raises:
        BadInput: If its user name is not `ufrag`.
        BadInput: If it is too long or cannot be read.
    """
    if len(fragment.encode()) > OFFER_LIMIT:
        raise BadInput(f"The fragment is longer than {OFFER_LIMIT // 1024} KB.")
    mid: str | None = None
    for line in fragment.splitlines():
        name, _, value = line.strip().partition(":")
        if name == "a=ice-ufrag" and value != ufrag:
            raise BadInput("ICE restart is not supported here; please connect anew.")
        if name == "a=mid":
            mid = value
        elif name == "a=candidate":
            candidate = _candidate(value, mid)
            if _is_dialled(value, inside, own):
                yield candidate


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
    except _UNREADABLE as error:
        raise BadInput("A candidate of the fragment cannot be read.") from error
    candidate.sdpMid = mid
    candidate.sdpMLineIndex = 0 if mid is None else None
    return candidate


def _dialled(lines: Sequence[str], inside: Sequence[Network], own: Sequence[str]) -> list[str]:
    """Return `lines` without the candidates that are not dialled, and without their end.

    After the end aioice gives up at once if it has none to dial, although the sender's own checks
    may be on their way: https://www.rfc-editor.org/rfc/rfc8863
    """
    return [
        line
        for line in lines
        if not line.startswith("a=end-of-candidates")
        and (not line.startswith("a=candidate:") or _is_dialled(line, inside, own))
    ]


def _video(description: SessionDescription, *, sends: bool) -> MediaDescription:
    videos = [media for media in description.media if media.kind == "video" and media.port != 0]
    if not videos:
        raise BadInput("The offer has no video section.")
    wanted = ("sendrecv", "sendonly" if sends else "recvonly")
    fitting = [media for media in videos if (media.direction or "sendrecv") in wanted]
    if not fitting:
        raise BadInput(f"The offer's video does not {'send' if sends else 'receive'} anything.")
    media: MediaDescription = fitting[0]
    names = [codec.name for codec in media.rtp.codecs if codec.name.lower() not in _HELPERS]
    if not any(name.upper() in _READABLE for name in names):
        offered = ", ".join(dict.fromkeys(names)) or "none"
        raise BadInput(f"No usable video codec: offered {offered}; needed VP8 or H264.")
    return media


def _is_dialled(candidate: str, inside: Sequence[Network], own: Sequence[str] = ()) -> bool:
    """Say whether the address of `candidate` may be sent to, which somebody else chose.

    One that leads inside, to a machine that only we can reach, or to this very machine, is left out
    unless its network is allowed. The sender loses little by it: its own checks reach us from wherever
    it really is. https://www.rfc-editor.org/rfc/rfc8445#section-19.5

    Names are not: to look up one that hides behind mDNS takes a second where nobody answers.

    Args:
        candidate: The value of an SDP attribute `candidate`.
        inside: Networks that may be dialled although they are private, or this machine's.
        own: Addresses that lead to this machine, beside those that it has.
    """
    parts = candidate.split()
    try:
        return len(parts) > 4 and may_be_reached(parts[4], inside, own)
    except ValueError:
        return False
