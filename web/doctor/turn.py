"""The doctor on TURN servers: asks for a relay address as a call would, and says why there is none.

A server that answers STUN may still refuse our credentials, and then only the people behind the
strictest firewalls would find out. https://www.rfc-editor.org/rfc/rfc8656#section-7
"""

import asyncio
from typing import NamedTuple

from aioice.stun import TransactionFailed, TransactionTimeout
from aioice.turn import create_turn_endpoint

from stream.webrtc.ice import IceServer
from web.errors import WebError

_PATIENCE = 3.0
_UNAUTHORIZED = 401
_PORTS = {"stun": 3478, "turn": 3478, "turns": 5349}


class TurnAddress(NamedTuple):
    """Where the URL of a STUN or TURN server leads; https://www.rfc-editor.org/rfc/rfc7065.

    Attributes:
        transport: `udp` or `tcp`.
        tls: Whether it is encrypted.
    """

    host: str
    port: int
    transport: str
    tls: bool


def read_place(url: str) -> TurnAddress:
    """Split `turn:HOST:PORT?transport=udp` and the like."""
    scheme, _, rest = url.partition(":")
    rest, _, query = rest.partition("?")
    host, _, port = rest.rpartition(":") if ":" in rest else (rest, "", "")
    tls = scheme == "turns"
    transport = query.removeprefix("transport=") or ("tcp" if tls else "udp")
    number = int(port) if port.isdigit() else _PORTS[scheme]
    return TurnAddress(host.strip("[]"), number, transport, tls)


class _Nobody(asyncio.DatagramProtocol):
    """Takes what is relayed to us, which is nothing; knows when the relay address is given back."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()

    def connection_lost(self, _: Exception | None) -> None:
        self.gone.set()


async def ask_for_relay(server: IceServer) -> str:
    """Return the address that a TURN server relays from for us; it is given back at once.

    Raises:
        WebError: If there is none.
    """
    place = read_place(server.url)
    try:
        async with asyncio.timeout(_PATIENCE):
            relay, nobody = await create_turn_endpoint(
                _Nobody,
                (place.host, place.port),
                server.username,
                server.credential,
                ssl=place.tls or None,
                transport=place.transport,
            )
    except TransactionFailed as error:
        raise WebError(_refusal(error), code="no_relay") from error
    except (TimeoutError, TransactionTimeout) as error:
        raise WebError(
            f"it does not answer by {place.transport.upper()}", code="no_relay"
        ) from error
    except OSError as error:
        raise WebError(
            f"it cannot be reached ({error.strerror or error})", code="no_relay"
        ) from error
    address: str = relay.get_extra_info("sockname")[0]
    relay.close()
    await nobody.gone.wait()
    return address


def _refusal(error: TransactionFailed) -> str:
    code, reason = error.response.attributes.get("ERROR-CODE", (0, "no reason given"))
    if code == _UNAUTHORIZED:
        return (
            "it refuses our credentials: FLASHBACK_TURN_SECRET must be its static-auth-secret, "
            "and both clocks right"
        )
    return f"it refuses to relay ({code} {reason})"
