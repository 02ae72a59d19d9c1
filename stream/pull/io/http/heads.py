"""Heads of HTTP answers as small servers in cameras write them, made into what the standard asks for.

Browsers, curl and FFmpeg pass over a line without a colon, a blank before it, a length that is no number,
or `ICY` where `HTTP` should stand; the parser of our HTTP client ends the connection. So the head of every
answer is tidied before it gets there. https://www.rfc-editor.org/rfc/rfc9112#section-2.2
"""

import re
import ssl
from collections.abc import Iterable

import httpcore
import httpx

from stream.pull.io.numbers import number_in

_LONGEST = 256 * 1024
_CHUNK = 64 * 1024
_END = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(
    rb"\s*(?:HTTP(?:/(?P<version>\d)(?:\.\d)?)?|ICY)[ \t]+0*(?P<status>[1-9]\d\d)(?!\d)(?P<phrase>[^\n]*)",
    re.IGNORECASE,
)
_KEPT_OPEN = re.compile(rb"\s*HTTP/(?:1\.1|2)", re.IGNORECASE)
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_UNPRINTABLE = re.compile(rb"[\0-\x08\x0a-\x1f\x7f]")
_INTERIM = b"1"


def tidied(head: bytes) -> bytes:
    """Return the `head` of an answer, its last empty line included, as the standard asks for.

    What is no answer at all stays as it is.
    """
    lines = re.split(rb"\r?\n", head.lstrip(b"\r\n"))
    status = _STATUS.match(lines[0])
    if status is None:
        return head
    fields = _fields(lines[1:])
    lengths = {value for name, value in fields if name.lower() == b"content-length"}
    parts = any(
        name.lower() == b"content-type" and value.lower().startswith(b"multipart/")
        for name, value in fields
    )
    version = b"1.1" if _KEPT_OPEN.match(lines[0]) else b"1.0"
    tidy = [b"HTTP/%b %b %b" % (version, status["status"], _printable(status["phrase"]))]
    for name, value in fields:
        match name.lower():
            case b"content-length" if len(lengths) > 1 or not _is_length(value, parts=parts):
                continue  # it lasts until the connection ends
            case b"transfer-encoding" if value.lower() == b"identity":
                continue
            case _:
                tidy.append(name + b": " + value)
    return b"\r\n".join(tidy) + b"\r\n\r\n"


def _fields(lines: Iterable[bytes]) -> list[tuple[bytes, bytes]]:
    fields = list[tuple[bytes, bytes]]()
    for line in lines:
        if line[:1] in {b" ", b"\t"} and fields:
            name, value = fields.pop()  # a long value that goes on
            fields.append((name, value + b" " + _printable(line)))
            continue
        name, colon, value = line.partition(b":")
        if colon and _NAME.fullmatch(name.strip()):
            fields.append((name.strip(), _printable(value)))
    return fields


def _printable(text: bytes) -> bytes:
    return _UNPRINTABLE.sub(b"", text).strip()


def _is_length(value: bytes, *, parts: bool) -> bool:
    """Say whether `value` is a length: of what comes in parts without an end, 0 is none."""
    length = number_in(value.decode("latin-1"))
    return length is not None and not (parts and length == 0)


class TidyTransport(httpx.HTTPTransport):
    """Speaks HTTP with servers whose heads are not as they should be."""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(verify=context, trust_env=False)
        self._pool = httpcore.ConnectionPool(context, network_backend=_TidyBackend())


class _TidyBackend(httpcore.SyncBackend):
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> "_TidyStream":
        return _TidyStream(super().connect_tcp(host, port, timeout, local_address, socket_options))


class _TidyStream(httpcore.NetworkStream):
    """One connection: a head follows whatever is sent."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner
        self._in_head = False
        self._data = b""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return at most `max_bytes`, or a whole head, as soon as it is there; none at the end."""
        while self._in_head:
            more = self._inner.read(_CHUNK, timeout)
            searched = max(len(self._data) - len(b"\r\n\r"), 0)
            self._data += more
            self._in_head = bool(more) and len(self._data) <= _LONGEST
            self._tidy(searched)
        if not self._data:
            return self._inner.read(max_bytes, timeout)
        data, self._data = self._data, b""
        return data

    def _tidy(self, searched: int) -> None:
        """Tidy the head if all of it is there, and those before it that only announce it."""
        blank = len(self._data) - len(self._data.lstrip(b"\r\n"))
        end = _END.search(self._data, max(searched, blank))
        if end is None:
            return
        head, rest = tidied(self._data[: end.end()]), self._data[end.end() :]
        if head.startswith(_INTERIM, len(b"HTTP/1.1 ")):
            self._data = rest  # nobody here waits for it
            self._tidy(0)
        else:
            self._data, self._in_head = head + rest, False

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send `buffer`."""
        self._in_head = True
        self._inner.write(buffer, timeout)

    def close(self) -> None:
        """Close the connection."""
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> "_TidyStream":
        """Return what is encrypted from here on."""
        return _TidyStream(self._inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> object:
        """Return what is known of the connection."""
        return self._inner.get_extra_info(info)
