"""The doctor on being reached: the port, the machine's addresses, UDP, STUN and TURN servers."""

import asyncio
import errno
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import ifaddr
from aioice.stun import Class, Message, Method, parse_message

from stream.webrtc.ice import IceServer
from web.doctor.findings import Finding
from web.doctor.turn import ask_for_relay, read_place
from web.errors import WebError
from web.http.ice import Clock, ice_servers
from web.settings import Settings

_PATIENCE = 2.0  # seconds


def check_port(settings: Settings) -> Finding:
    """Judge whether the service could listen where it is told to."""
    where = f"{settings.host}:{settings.port}"
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, settings.port))
        except OSError as error:
            cost = "another program listens there: stop it, or choose another with --port"
            if error.errno != errno.EADDRINUSE:
                cost = f"the service cannot listen there ({error.strerror}): see --host and --port"
            return Finding("Port", "missing", where, cost)
    return Finding("Port", "good", f"{where} is free")


def check_addresses(settings: Settings) -> Finding:
    """Judge from where a browser's video can reach this machine."""
    ours = _addresses()
    if settings.advertised_host is not None:
        return Finding("Address", "good", f"{settings.advertised_host} is advertised")
    if Path("/.dockerenv").exists():
        cost = (
            "a container's own address is reached by no browser elsewhere: set "
            "FLASHBACK_ADVERTISED_HOST to the host's, and publish FLASHBACK_UDP_PORTS"
        )
        return Finding("Address", "limited", ", ".join(ours) or "none", cost)
    if not ours:
        cost = "only a browser on this machine can send video: there is no network"
        return Finding("Address", "limited", "loopback alone", cost)
    return Finding("Address", "good", ", ".join(ours))


def _addresses() -> list[str]:
    """Return the machine's own IPv4 addresses that others may reach."""
    found = [ip.ip for adapter in ifaddr.get_adapters() for ip in adapter.ips if ip.is_IPv4]
    return [str(ip) for ip in found if not str(ip).startswith(("127.", "169.254."))]


def check_udp(settings: Settings) -> Finding:
    """Judge whether video can come in by UDP."""
    first, last = settings.udp_ports or (0, 0)
    ports = range(first, last + 1)
    free = sum(_can_bind(port) for port in ports)
    if settings.udp_ports is None:
        if free:
            return Finding("UDP", "good", "any port")
        cost = "no video by WebRTC: the system lets us open no UDP port"
        return Finding("UDP", "missing", "no port can be opened", cost)
    found = f"{free} of {len(ports)} ports free from {first} to {last}"
    if free == 0:
        return Finding("UDP", "missing", found, "no video by WebRTC: set FLASHBACK_UDP_PORTS")
    if free < 2 * settings.max_streams:
        cost = f"{settings.max_streams} streams may want two ports each: widen FLASHBACK_UDP_PORTS"
        return Finding("UDP", "limited", found, cost)
    return Finding("UDP", "good", found)


def check_servers(settings: Settings, clock: Clock = time.time) -> Iterator[Finding]:
    """Ask every STUN server that is set whether it answers, and every TURN server to relay.

    Args:
        settings: Name them.
        clock: Unix seconds, for the TURN credentials.
    """
    for server in ice_servers(settings, clock):
        yield _check_turn(server) if server.url.startswith("turn") else _check_stun(server.url)


def _check_stun(url: str) -> Finding:
    place = read_place(url)
    seen = _ask_stun(place.host, place.port)
    if seen is None:
        cost = "it does not answer by UDP: peers behind NAT may not connect, and others wait"
        return Finding("ICE server", "limited", url, cost)
    return Finding("ICE server", "good", f"{url} answers; it sees us as {seen}")


def _check_turn(server: IceServer) -> Finding:
    try:
        relay = asyncio.run(ask_for_relay(server))
    except WebError as why:
        cost = f"{why}; peers behind strict firewalls do not connect, and others wait"
        return Finding("ICE server", "limited", server.url, cost)
    return Finding("ICE server", "good", f"{server.url} relays for us from {relay}")


def _ask_stun(host: str, port: int) -> str | None:
    """Return the address from which a STUN server sees us; None without an answer in time.

    https://www.rfc-editor.org/rfc/rfc8489#section-5
    """
    request = Message(message_method=Method.BINDING, message_class=Class.REQUEST)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(_PATIENCE)
            asking.connect((host, port))
            asking.send(bytes(request))
            answer = parse_message(asking.recv(2048))
    except (OSError, ValueError):  # no answer, or one that is no STUN
        return None
    if answer.transaction_id != request.transaction_id:
        return None
    seen = answer.attributes.get("XOR-MAPPED-ADDRESS")
    return None if seen is None else str(seen[0])


def _can_bind(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        try:
            opened.bind(("", port))
        except OSError:
            return False
    return True
