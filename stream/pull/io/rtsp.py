"""What is particular about reaching an RTSP server: our own relay to it, and where it sends us."""

import socket
from dataclasses import replace

from stream.address.reachable import check_addresses, read_networks, resolve
from stream.address.source_url import SourceUrl, read_source
from stream.errors import BadSource
from stream.pull.io.challenges import Login
from stream.pull.io.rtsp_proxy import RtspRelay
from stream.pull.io.tls import TlsConnection
from stream.pull.messages import ReaderConfig


def relay_to(order: ReaderConfig, server: socket.socket | TlsConnection) -> RtspRelay:
    """Return a relay to `server`, which knows what FFmpeg need not."""
    login = None if order.username is None else Login(order.username, order.password or "")
    place = SourceUrl("rtsp", order.host, order.port, "").at(order.host)
    return RtspRelay(server, place, login)


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
