"""Fetches an issuer's keys: from a checked address, so much and no more, and no redirect is followed."""

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

import httpx

from stream.address.dns import Resolver
from stream.address.reachable import Network, pin, resolve
from stream.address.source_url import SourceUrl, read_source
from stream.errors import BadSource
from web.errors import WebError

MOST_BYTES = 256 * 1024
_WITHIN_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class KeyFetcher:
    """Fetches a document of keys.

    Attributes:
        url: Where it is.
        allowed: Private networks that it may be fetched from; only there without encryption.
        resolver: Finds addresses; blocks.
        within: Seconds for all of it.
    """

    url: str
    allowed: Sequence[Network] = ()
    resolver: Resolver = resolve
    within: float = _WITHIN_SECONDS

    async def __call__(self) -> bytes:
        """Return the document.

        Raises:
            WebError: If it cannot be had; the message says why.
        """
        try:
            async with asyncio.timeout(self.within):
                target = read_source(self.url)
                # The address that was checked is dialled: a name may lead elsewhere a moment later.
                address = await pin(target, self.allowed, self.resolver)
                self._check_encrypted(target, address)
                return await _get(target, address)
        except BadSource as error:
            raise WebError(str(error)) from None
        except TimeoutError:
            raise WebError(f"no answer within {self.within:g} seconds") from None
        except httpx.HTTPError as error:
            raise WebError(str(error) or type(error).__name__) from None

    def _check_encrypted(self, target: SourceUrl, address: str) -> None:
        # Whoever stands between could put in a key of their own.
        if target.scheme == "https":
            return
        if not any(ip_address(address) in network for network in self.allowed):
            raise WebError("keys come by https, else from FLASHBACK_ALLOWED_JWT_NETWORKS")


async def _get(target: SourceUrl, address: str) -> bytes:
    # In a thread: the system's certificates are read from the disk.
    context = await asyncio.to_thread(ssl.create_default_context)
    dialled = f"[{address}]" if ":" in address else address
    url = f"{target.scheme}://{dialled}:{target.port}{target.path}"
    asked = {"Host": f"{target.host}:{target.port}", "Accept": "application/json"}
    name = {"sni_hostname": target.host}  # the certificate is of the name, not of the address
    async with (
        httpx.AsyncClient(verify=context, trust_env=False, follow_redirects=False) as client,
        client.stream("GET", url, headers=asked, extensions=name) as answer,
    ):
        if answer.status_code != httpx.codes.OK:
            raise WebError(f"it answered with status {answer.status_code}")
        body = bytearray()
        async for part in answer.aiter_bytes():
            body += part
            if len(body) > MOST_BYTES:
                raise WebError(f"its keys are longer than {MOST_BYTES} bytes")
        return bytes(body)
