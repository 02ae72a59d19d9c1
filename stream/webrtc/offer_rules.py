"""What is wrong with an offer, before aiortc sees it.

aiortc fails deep inside on descriptions that contradict themselves, after it has opened sockets,
and its time grows with the square of the lines of some kinds. Pure.
Grouping: https://www.rfc-editor.org/rfc/rfc9143
"""

from collections import Counter
from collections.abc import Sequence

from aiortc.sdp import DIRECTIONS, MediaDescription, SessionDescription

OFFER_LIMIT = 128 * 1024
CANDIDATE_LIMIT = 64
_SECTION_LIMIT = 16
LINE_LIMIT = 1000
_LONGEST_LINE = 4096
_KINDS = ("audio", "video", "application")
_PER_SECTION = {
    "a=rtpmap:": ("codecs", 96),
    "a=rtcp-fb:": ("kinds of feedback", 512),
    "a=rtcp-fb:*": ("kinds of feedback for every codec", 16),
    "a=ssrc:": ("sources", 256),
    "a=extmap:": ("header extensions", 64),
}


def wrong_with_lines(lines: Sequence[str]) -> str | None:
    """Say what makes these lines no offer, or one that would take too long; None if nothing."""
    if not lines or not lines[0].startswith("v=0"):
        return "This is no SDP offer: it does not begin with v=0."
    if sum(line.startswith("m=") for line in lines) > _SECTION_LIMIT:
        return f"The offer has more than {_SECTION_LIMIT} media sections."
    if len(lines) > LINE_LIMIT:
        return f"The offer has more than {LINE_LIMIT} lines."
    if max(map(len, lines)) > _LONGEST_LINE:
        return f"The offer has a line of more than {_LONGEST_LINE} characters."
    for section in _sections(lines):
        for start, (what, limit) in _PER_SECTION.items():
            if sum(line.startswith(start) for line in section) > limit:
                return f"The offer has a section with more than {limit} {what}."
    return None


def wrong_with_sections(description: SessionDescription) -> str | None:
    """Say what of the sections cannot be answered; None if nothing."""
    names = [media.rtp.muxId for media in description.media]
    for name, times in Counter(names).items():
        if times > 1:
            return f"The offer has {times} sections with the same name (a=mid:{name[:40]})."
    bundle = next((g.items for g in description.group if g.semantic == "BUNDLE"), [])
    if len(set(bundle)) < len(bundle) or not set(bundle) <= set(names):
        return "The offer bundles (a=group:BUNDLE) sections that are not there, or one twice."
    for media in description.media:
        if (wrong := _wrong_with_section(media)) is not None:
            return wrong
    return None


def _sections(lines: Sequence[str]) -> list[list[str]]:
    """Split into the session's lines and those of every media section."""
    found: list[list[str]] = [[]]
    for line in lines:
        if line.startswith("m="):
            found.append([])
        found[-1].append(line)
    return found


def with_directions(lines: Sequence[str]) -> list[str]:
    """Return `lines` with the direction that a section has that names none (RFC 8866, 6.7)."""
    session, *media = _sections(lines)
    default = next((line for line in session if line.removeprefix("a=") in DIRECTIONS), None)
    for section in media:
        if not any(line.removeprefix("a=") in DIRECTIONS for line in section):
            section.append(default or "a=sendrecv")
    return [line for section in (session, *media) for line in section]


def _wrong_with_section(media: MediaDescription) -> str | None:
    if media.kind not in _KINDS:
        return f"The offer has a section of a kind that is not known here: {media.kind[:40]}."
    if media.ice is None or not media.ice.usernameFragment or not media.ice.password:
        return f"The offer's {media.kind} section has no ICE user name and password."
    if media.dtls is None or not media.dtls.fingerprints:
        return f"The offer's {media.kind} section has no DTLS fingerprint."
    return None
