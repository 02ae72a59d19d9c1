"""A caller's URL is hostile until proved otherwise: its form.

FFmpeg opens whatever it is given: local files, other protocols inside a URL. So only known schemes
pass. Credentials are split off and shown to nobody, nor what looks like one in a path: many
recorders want it there. Where its host may lead is `stream.address.reachable`'s to say.
"""

import os
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import quote, unquote, unquote_to_bytes, urlsplit, urlunsplit

import av

from stream.address.ambiguous import ENCODE, is_ambiguous
from stream.address.printable import printable
from stream.address.secrets import may_hold_secret, without_secrets
from stream.errors import BadSource

_PORTS = {
    "http": 80, "https": 443, "rtsp": 554, "rtsps": 322, "rtmp": 1935, "rtmps": 443, "srt": 0,
}  # fmt: skip
_DEVICES = ("v4l2", "avfoundation", "dshow", "gdigrab", "x11grab", "lavfi")
"""FFmpeg's names for kinds of local devices (https://ffmpeg.org/ffmpeg-devices.html)."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")  # a line end in a header would begin another one
_LONGEST = 2048
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9_])?|[0-9A-Fa-f:.]+")
"""Containers are called with underscores, which names of the Internet have not."""


@dataclass(frozen=True, slots=True)
class SourceUrl:
    """A source that passed the check of its form.

    Attributes:
        scheme: Such as `rtsp`; `file` for a local file, one of `_DEVICES` for a device.
        host: Name or address; empty for what is local.
        port: To connect to; 0 for what is local.
        path: Path and query of the URL, the file's path, or the device's name and options.
        username: Never shown; None if there is none.
        password: Never shown; None if there is none.
    """

    scheme: str
    host: str
    port: int
    path: str = field(repr=False)  # secrets may stand in it; `shown` hides them
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)

    @property
    def is_device(self) -> bool:
        """Whether it is a camera, a screen or the like of this machine."""
        return self.scheme in _DEVICES

    @property
    def is_local(self) -> bool:
        """Whether it is of this machine: nothing is dialled to reach it."""
        return self.scheme == "file" or self.is_device

    @property
    def shown(self) -> str:
        """The source for logs, lists and errors: no credentials, no query (it may hold a key).

        What a path calls a user, a password, a key or the like is left out of it.
        """
        if self.scheme == "file":
            return printable(self.path)
        if self.is_device:
            return f"{self.scheme}:{without_secrets(self.path)}"
        path, _, query = self.path.partition("?")
        place = f"{self.scheme}://{_bracket(self.host)}:{self.port}"
        return place + without_secrets(path) + ("?…" if query else "")

    def at(self, address: str, port: int | None = None, *, secret: bool = True) -> str:
        """Return the full URL with `address` in the place of the host; for FFmpeg alone."""
        user = ""
        if secret and self.username is not None:
            user = quote(self.username, safe="") + ":" + quote(self.password or "", safe="") + "@"
        place = f"{user}{_bracket(address)}:{self.port if port is None else port}"
        path, _, query = self.path.partition("?")
        return urlunsplit((self.scheme, place, path, query, ""))


def read_source(text: str, *, local: bool = False) -> SourceUrl:
    """Check the form of a source.

    Args:
        text: A URL; with `local` also a path, or a device such as `/dev/video0` or
            `v4l2:/dev/video0?framerate=15`, with FFmpeg's options after the question mark.
        local: Whether files of this machine may be opened: for the command line alone.

    Raises:
        BadSource: If it is none of what is allowed.
    """
    scheme, separator, rest = text.partition("://")
    scheme = scheme.lower()
    if local and (scheme not in _PORTS or not separator) and (source := _local(text)) is not None:
        return source
    if len(text) > _LONGEST or not text.isprintable() or text != text.strip():
        raise BadSource("A source is a single line of printable characters without spaces around.")
    if not separator or scheme == "file":
        raise BadSource(f"A source is a URL that begins with one of {_schemes()}.")
    if scheme not in _PORTS:
        raise BadSource(f"This kind of URL is not supported; it must begin with {_schemes()}.")
    if " " in text or "\\" in text:
        raise BadSource("In a source's URL write a space as %20 and a backslash as %5C.")
    if is_ambiguous(rest):
        raise BadSource(f"The source's URL is ambiguous. {ENCODE}")
    return _split(scheme, text)


def _local(text: str) -> SourceUrl | None:
    """Return a file or a device; None if it is another kind of URL. What exists is a file.

    Raises:
        BadSource: If it is neither, and may hold a password.
    """
    kind, colon, name = text.partition(":")
    if text.startswith("/dev/video"):
        return SourceUrl("v4l2", "", 0, text)
    if not os.path.lexists(text) and colon:
        if kind in _DEVICES and name:
            return SourceUrl(kind, "", 0, name)
        if kind.lower() == "file":
            return _file(_path_of(name), text)
        if name.startswith("//"):
            return None
    return _file(str(Path(text)), text)


def _file(path: str, text: str) -> SourceUrl:
    """Return the file at `path`, written as `text`; it need not exist.

    Raises:
        BadSource: If it does not, and looks like a URL that lacks its beginning: the path is shown
            wherever the source is, and may hold a password.
    """
    if not os.path.lexists(path) and may_hold_secret(text):
        raise BadSource(
            "There is no such file, and for a URL its beginning is missing or misspelt, such as "
            "rtsp://. It may hold a password, so it is not repeated here."
        )
    return SourceUrl("file", "", 0, path)


def _path_of(rest: str) -> str:
    """Return the path of a file URL without its scheme (RFC 8089); one as it is goes, too."""
    path = str(Path(re.sub(r"^//(localhost(?=/))?", "", rest)))
    return path if os.path.lexists(path) else os.fsdecode(unquote_to_bytes(path))


def _split(scheme: str, text: str) -> SourceUrl:
    try:
        parts = urlsplit(text)
        host, port = _ascii(parts.hostname or ""), parts.port
    except ValueError as error:
        raise BadSource("The source's URL is malformed.") from error
    if not _HOST.fullmatch(host):
        raise BadSource("The source's URL names no valid host.")
    if scheme == "srt" and port is None:
        raise BadSource("An srt:// URL must name a port.")
    names = [None if name is None else unquote(name) for name in (parts.username, parts.password)]
    if any(map(_CONTROL.search, filter(None, names))):
        raise BadSource("A user name or password cannot hold control characters (%00 to %1F, %7F).")
    return SourceUrl(
        scheme=scheme,
        host=host,
        port=_PORTS[scheme] if port is None else port,
        path=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        username=names[0],
        password=names[1],
    )


def _ascii(host: str) -> str:
    """Return a host as it is looked up: `bücher.example` is `xn--bcher-kva.example`.

    Raises:
        ValueError: If it cannot be written so, or is an address or a name in disguise.
    """
    if host.isascii():
        return host
    name = host.encode("idna").decode("ascii")
    if "xn--" not in name:
        raise ValueError("letters that mean ASCII")
    return name


def _bracket(host: str) -> str:
    return f"[{host}]" if ":" in host else host


@cache
def _schemes() -> str:
    return ", ".join(f"{scheme}://" for scheme in _PORTS if _is_known(scheme))


def _is_known(scheme: str) -> bool:
    """Say whether this machine's FFmpeg can open URLs of `scheme`; some builds lack SRT."""
    plain = scheme.removesuffix("s")  # what is encrypted goes through connections of our own
    try:
        # Nothing is dialled: once it knows the protocol, it refuses what is not in the list.
        av.open(f"{plain}://127.0.0.1:9/", options={"protocol_whitelist": "none"}).close()
    except av.error.ProtocolNotFoundError:
        return False
    except av.FFmpegError:
        return True
    return True
