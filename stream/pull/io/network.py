"""How FFmpeg reaches a server: by itself, or through a relay of ours that knows what it cannot."""

import socket
from collections.abc import Callable
from dataclasses import replace

from av.container import InputContainer

from stream.address.reachable import check_addresses, read_networks, resolve
from stream.address.source_url import SourceUrl, read_source
from stream.errors import BadSource
from stream.file.container import open_input
from stream.pull.io.challenges import Login
from stream.pull.io.opened import QUICK
from stream.pull.io.rtsp_proxy import RtspRelay
from stream.pull.io.tcp_proxy import Pipe
from stream.pull.io.tls import TlsConnection, dial_tls
from stream.pull.messages import ReaderConfig

_WHITELIST = {
    "rtsp": "rtsp,rtp,tcp,udp",
    "rtsps": "rtsp,rtp,tcp",
    "rtmp": "rtmp,tcp",
    "rtmps": "rtmp,tcp",
    "srt": "srt,udp",
}


def open_network(
    order: ReaderConfig, closers: list[Callable[[], None]], pipes: list[Pipe]
) -> InputContainer:
    """Open what a server sends. Blocks, at most about `order.open_within` seconds.

    Args:
        order: What to open, at the address that was checked.
        closers: Gets what must be called to let go of it.
        pipes: Gets our relay to the server, which may know better than FFmpeg what went wrong.
    """
    options = {"protocol_whitelist": _WHITELIST[order.scheme]} | QUICK
    url = source_of(order).at(order.address)
    if is_rtsp(order):
        # Many cameras refuse to set up their other tracks: back channels, metadata.
        options |= {"rtsp_transport": order.transport, "allowed_media_types": "video"}
        if not comes_by_udp(order):
            options["rtsp_transport"] = "tcp"
            url = _through(_relay_to(order, _dial(order)), order, closers, pipes)
    elif order.scheme == "rtmps":
        url = _through(Pipe(_dial(order)), order, closers, pipes)
    return open_input(url, None, options, timeout=(order.open_within, order.silence))


def comes_by_udp(order: ReaderConfig) -> bool:
    """Say whether FFmpeg is sent video by UDP, and dials by itself."""
    return order.scheme == "rtsp" and order.trusted and order.transport == "udp"


def _through(
    pipe: Pipe, order: ReaderConfig, closers: list[Callable[[], None]], pipes: list[Pipe]
) -> str:
    """Return the URL by which FFmpeg reaches the source through `pipe`."""
    closers.append(pipe.close)
    pipes.append(pipe)
    plain = replace(source_of(order), scheme=order.scheme.removesuffix("s"))
    # An RTSP relay says itself who we are.
    return plain.at("127.0.0.1", pipe.port, secret=not isinstance(pipe, RtspRelay))


def _relay_to(order: ReaderConfig, server: socket.socket | TlsConnection) -> RtspRelay:
    """Return a relay to `server`, which knows what FFmpeg need not."""
    login = None if order.username is None else Login(order.username, order.password or "")
    place = SourceUrl("rtsp", order.host, order.port, "").at(order.host)
    return RtspRelay(server, place, login)


def _dial(order: ReaderConfig) -> socket.socket | TlsConnection:
    """Connect to the address that was checked, encrypted where the scheme says so."""
    if order.scheme.endswith("s"):
        return dial_tls(
            order.address,
            order.port,
            host=order.host,
            timeout=order.open_within,
            certificates=order.certificates,
        )
    return socket.create_connection((order.address, order.port), order.open_within)


def follow(order: ReaderConfig, location: str) -> ReaderConfig:
    """Return the order to read what an RTSP server redirects to. Blocks.

    Another host is not told the password.

    Raises:
        BadSource: If that is another protocol, or may not be reached.
    """
    source = read_source(location)
    if source.scheme != order.scheme:
        raise BadSource(f"The source redirects to something that is not {order.scheme}://.")
    found = resolve(source.host, source.port)
    own = source.username is None and source.host == order.host
    return replace(
        order,
        scheme=source.scheme,
        host=source.host,
        port=source.port,
        path=source.path,
        address=check_addresses(source.host, found, read_networks(order.allowed), order.own),
        username=order.username if own else source.username,
        password=order.password if own else source.password,
        redirects=order.redirects - 1,
    )


def is_rtsp(order: ReaderConfig) -> bool:
    """Say whether `order` names an RTSP server."""
    return order.scheme in {"rtsp", "rtsps"}


def source_of(order: ReaderConfig) -> SourceUrl:
    """Return the source that `order` is about."""
    return SourceUrl(
        order.scheme, order.host, order.port, order.path, order.username, order.password
    )
