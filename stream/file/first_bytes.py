"""What a source is, by its first bytes: playlists have no need of a name, and documents are not video.

FFmpeg goes by the ending of a name, too, and refuses playlists and segments that are called
otherwise, for fear of files of this machine that a stranger's playlist names. Here what may be
opened is decided for each connection (`stream.pull.io.http.guarded`) and a playlist on this machine leads
to nothing but files; so a name is just a name. What a segment may be stays listed: none of these
formats makes pictures of text, or opens further files.
https://datatracker.ietf.org/doc/html/rfc8216#section-4
"""

import re
from collections.abc import Iterator
from pathlib import Path

from stream.errors import BadSource

_ENOUGH = 512
ENOUGH_OF_A_STREAM = 64
"""Bytes; a live source may send few at first. Still the names of an MP4's first boxes."""
_PLAYLIST = b"#EXTM3U"
_BEFORE_TEXT = b"\xef\xbb\xbf \t\r\n"
LONGEST_PLAYLIST = 8 * 1024 * 1024
_LONGEST_TEXT = 2 * 1024 * 1024
_CONTROL = re.compile(rb"[^\t\n\f\r\x20-\xff]")
_WIDE = (b"\xff\xfe", b"\xfe\xff")
"""Marks of text in units of two bytes."""
_BEFORE_PICTURES = re.compile(rb"\s*--|YUV4MPEG2 |P[1-7Ff]\s")
"""Text that pictures follow: of motion JPEG, and of formats whose head is a line of words."""
_ADDRESSES = re.compile(rb"(https?|rtsps?|rtmps?|mmsh?)://|\[playlist\]")
_LIST = "The source is a list of addresses, not video: give one of them."
_LASTS = re.compile(r"^#EXTINF:\s*(0*[1-9]|0*\.\d)", re.MULTILINE)
"""Of HLS every segment has a length; of a channel it is -1 or 0."""
_MARKUP = re.compile(rb"<[a-z!?]")
_SDP = re.compile(rb"v=0\r?\n[a-z]=")
_JSON = re.compile(rb'[\[{]\s*["{]')
_SEGMENTS = "hls,mpegts,mov,aac,mp3,ac3,eac3,flac,webvtt"
_DOCUMENTS = (
    ("svg", b"<svg", "The source is an SVG drawing, which is not video."),
    (
        "html",
        b"<html",
        "The source is a web page, not video: give the address of the stream that it shows.",
    ),
    (
        "dash",
        b"<mpd",
        "The source is an MPEG-DASH manifest, which is not read here: give its HLS playlist, or the "
        "camera's own address.",
    ),
)


_ARCHIVES = {
    b"PK\x03\x04": "zip",
    b"\x1f\x8b": "gzip",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "RAR",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "Zstandard",
}
_PDF = b"%PDF-"
_TAR, _TAR_AT = b"ustar", 257
_WEBP = re.compile(rb"RIFF....WEBPVP8X....(.)", re.DOTALL)
_MOVES = 0x02
"""https://developers.google.com/speed/webp/docs/riff_container"""


def is_playlist(head: bytes) -> bool:
    """Say whether what begins with `head` is an HLS playlist, whatever it is called."""
    return head.lstrip(_BEFORE_TEXT).startswith(_PLAYLIST)


def longest(head: bytes) -> int | None:
    """Return how many bytes of what begins with `head` may be read; None for any number.

    FFmpeg reads texts whole, playlists, manifests and subtitles of many kinds, before it says
    that they hold no picture: one without an end takes memory without an end.
    """
    if is_playlist(head):
        return LONGEST_PLAYLIST
    is_text = head.startswith(_WIDE) or _CONTROL.search(head) is None
    return _LONGEST_TEXT if is_text and _BEFORE_PICTURES.match(head) is None else None


def playlist_options() -> dict[str, str]:
    """Return how FFmpeg must open a playlist and what it refers to."""
    return {
        "allowed_extensions": "ALL",
        "allowed_segment_extensions": "ALL",
        "extension_picky": "0",
        "format_whitelist": _SEGMENTS,
        # Kept-alive connections would be FFmpeg's own: there are none here.
        "http_persistent": "0",
        "http_multiple": "0",
    }


def file_format(path: Path) -> tuple[str | None, dict[str, str]]:
    """Return as which format FFmpeg must open a file of this machine, and how. Blocks.

    The format is None where FFmpeg may find out by itself.

    Raises:
        BadSource: If it is a drawing, a web page, a list of channels or of lists of lists.
        OSError: If it cannot be read.
    """
    if not path.is_file():  # what is read from a pipe is gone
        return None, {}
    with path.open("rb") as file:
        head = file.read(_ENOUGH)
    refuse_document(head)
    _refuse_nested(path)
    if is_playlist(head):
        with path.open(encoding="utf-8", errors="replace") as text:
            refuse_list(text.read(_ENOUGH_OF_A_LIST))
    return ("hls", playlist_options()) if is_playlist(head) else (None, {})


def has_late_index(head: bytes) -> bool:
    """Say whether this is an MP4 whose pictures come before what tells where they are.

    https://developer.apple.com/documentation/quicktime-file-format/movie_files
    """
    at = 0
    while head[4:8] == b"ftyp" and at + 8 <= len(head):
        size, kind = int.from_bytes(head[at : at + 4], "big"), head[at + 4 : at + 8]
        if kind in {b"mdat", b"moov", b"moof"}:
            return kind == b"mdat"
        at += max(size, 8)
    return False


def refuse_document(head: bytes, content_type: str = "") -> None:
    """Refuse a drawing, a web page, an archive or what programs say to each other: FFmpeg has no words for it.

    Raises:
        BadSource: If it is one.
    """
    _refuse_packed(head)
    text = head.lstrip(_BEFORE_TEXT).lower()
    if _ADDRESSES.match(text):
        raise BadSource(_LIST)
    if _JSON.match(text):
        raise BadSource("The source is JSON, not video: perhaps it says what is wrong.")
    if _SDP.match(text):
        raise BadSource(
            "The source is a description of a session (SDP), not video: give the rtsp:// address that it is of."
        )
    if not _MARKUP.match(text):
        return
    for kind, tag, reason in _DOCUMENTS:
        if kind in content_type or tag in text or text.startswith(b"<!doctype " + kind.encode()):
            raise BadSource(reason)
    raise BadSource("The source is an XML document, not video: perhaps it says what is wrong.")


def refuse_text(head: bytes) -> None:
    """Refuse what begins with `head`, which FFmpeg could not read, if it is text.

    Raises:
        BadSource: If it is.
    """
    if head and longest(head) is not None:
        raise BadSource("The source is text, not video: perhaps it says what is wrong.")


def refuse_list(text: str) -> None:
    """Refuse a playlist that is not HLS but a list of channels or songs.

    Raises:
        BadSource: If it is one.
    """
    if "#EXT-X-" not in text and not _LASTS.search(text):
        raise BadSource(_LIST)


def _refuse_packed(head: bytes) -> None:
    tar = "tar" if head.startswith(_TAR, _TAR_AT) else None
    if archive := next((name for mark, name in _ARCHIVES.items() if head.startswith(mark)), tar):
        raise BadSource(f"The source is a {archive} archive, not video: unpack it first.")
    if head.startswith(_PDF):
        raise BadSource("The source is a PDF document, which is not video.")
    if (webp := _WEBP.match(head)) and webp[1][0] & _MOVES:
        raise BadSource(
            "The source is an animated WebP, which is not read here: make it a GIF, a PNG or a video first."
        )


# FFmpeg follows lists of files that lead to lists for as long as it is let: a playlist of playlists, or
# a script of `concat`, may lead to itself, or round in a circle. Players need one list of lists.
_SCRIPT = "ffconcat version"
_OF_PLAYLISTS = "#EXT-X-STREAM-INF"
_ENOUGH_OF_A_LIST = 64 * 1024
"""Characters of a list that are looked at; that it is a list of lists stands in its first lines."""
_NESTED = (
    "{} names a list of files that names lists itself, without end perhaps: give one of these."
)


def _refuse_nested(path: Path) -> None:
    """Refuse a list of lists of lists, as far as it leads to files of this machine. Blocks.

    Raises:
        BadSource: If it is one.
        OSError: If it cannot be read.
    """
    for name in _named(path):
        try:
            nested = any(_named(path.parent / name))
        except (OSError, ValueError):  # it is not there, or no name of a file
            continue
        if nested:
            raise BadSource(_NESTED.format(path.name))


def _named(path: Path) -> Iterator[str]:
    """Yield the lists that a list of lists names; of a script whatever it names."""
    with path.open(encoding="utf-8", errors="replace") as file:
        text = file.read(_ENOUGH_OF_A_LIST)
    lines = [line.strip() for line in text.lstrip("\ufeff").splitlines()]
    if text.startswith(_SCRIPT):
        named = (line.partition(" ") for line in lines)
        yield from (name.strip(" '") for word, _, name in named if word == "file")
    elif _OF_PLAYLISTS in text:
        yield from (line for line in lines if line and not line.startswith("#"))
