"""Sends an event to another machine: signed, to a checked address, never further than that.

The signature is that of Standard Webhooks (https://www.standardwebhooks.com), so that receivers find
a library: HMAC-SHA256 over id, time and body. The host is resolved, its addresses are held against
what may be reached, and the address that was checked is dialled; a redirect is not followed. Written
here, since a client that resolves by itself could be led elsewhere between the check and the call.
"""

import asyncio
import base64
import binascii
import hmac
import ssl
from collections.abc import Sequence
from dataclasses import dataclass

from stream.address.dns import Resolver
from stream.address.reachable import Network, check_literal, pin, resolve
from stream.address.source_url import SourceUrl, read_source
from stream.errors import BadSource, NotDelivered

_WITHIN_SECONDS = 10.0
_LONGEST_LINE = 1024
SECRET_PREFIX = "whsec_"  # noqa: S105 - says what follows
SHORTEST_SECRET = 16


@dataclass(frozen=True, slots=True)
class Poster:
    """Posts JSON.

    Attributes:
        allowed: Private networks that may be reached.
        resolver: Finds addresses; blocks.
        within: Seconds for all of it.
    """

    allowed: Sequence[Network] = ()
    resolver: Resolver = resolve
    within: float = _WITHIN_SECONDS

    def check(self, url: str) -> None:
        """Refuse an address that can never be sent to. Blocks for a moment.

        Raises:
            BadSource: If it is one.
        """
        check_literal(_read(url), self.allowed)

    async def post(self, url: str, secret: str, key: str, unix: float, body: bytes) -> None:
        """Send `body`.

        Args:
            url: Where to.
            secret: Signs it.
            key: Names the event: the same in every try.
            unix: Unix second of this try.
            body: JSON.

        Raises:
            NotDelivered: If it was not taken.
        """
        try:
            target = _read(url)
            address = await pin(target, self.allowed, self.resolver)
            async with asyncio.timeout(self.within):
                status = await _exchange(target, address, signed(secret, key, unix, body), body)
        except BadSource as error:
            raise NotDelivered(str(error)) from None
        except TimeoutError:
            raise NotDelivered(f"There was no answer within {self.within:g} seconds.") from None
        except ssl.SSLError as error:
            raise NotDelivered(f"The connection is not safe: {error.reason}.") from None
        except OSError as error:
            raise NotDelivered(f"It cannot be reached: {error.strerror or error}.") from None
        if not 200 <= status < 300:
            raise NotDelivered(f"It answered with status {status}.")


def signed(secret: str, key: str, unix: float, body: bytes) -> dict[str, str]:
    """Return the headers that sign `body`."""
    time = str(int(unix))
    digest = hmac.digest(_key(secret), b".".join((key.encode(), time.encode(), body)), "sha256")
    return {
        "webhook-id": key,
        "webhook-timestamp": time,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def _key(secret: str) -> bytes:
    if secret.startswith(SECRET_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
        except binascii.Error:
            pass  # it only looks like one
    return secret.encode()


def _read(url: str) -> SourceUrl:
    target = read_source(url)
    if target.scheme not in {"http", "https"}:
        raise BadSource("A webhook's address begins with https:// or http://.")
    if not target.path.isascii() or not target.path.isprintable() or " " in target.path:
        raise BadSource("Encode what is not a plain letter in a webhook's address, such as %20.")
    if target.username is not None:
        raise BadSource("A webhook's address holds no user or password: it is signed instead.")
    return target


async def _exchange(target: SourceUrl, address: str, headers: dict[str, str], body: bytes) -> int:
    """Return the status of the answer; of that nothing else is read.

    Raises:
        NotDelivered: If what answers does not speak HTTP.
    """
    # In a thread: the system's certificates are read from the disk.
    context = (
        await asyncio.to_thread(ssl.create_default_context) if target.scheme == "https" else None
    )
    name = target.host if context is not None else None
    reader, writer = await asyncio.open_connection(
        address, target.port, ssl=context, server_hostname=name, limit=_LONGEST_LINE
    )
    try:
        writer.write(_request(target, headers, body))
        await writer.drain()
        try:
            line = await reader.readline()
        except ValueError:
            line = b""
        version, _, rest = line.partition(b" ")
        if not version.startswith(b"HTTP/1.") or not rest[:3].isdigit():
            raise NotDelivered("What answers does not speak HTTP.")
        return int(rest[:3])
    finally:
        writer.close()


def _request(target: SourceUrl, headers: dict[str, str], body: bytes) -> bytes:
    host = f"[{target.host}]" if ":" in target.host else target.host
    lines = [f"POST {target.path} HTTP/1.1", f"Host: {host}:{target.port}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += ["Content-Type: application/json", f"Content-Length: {len(body)}", "Connection: close"]
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + body
