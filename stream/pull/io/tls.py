"""Encrypted connections to sources: which certificates are trusted.

Those that this machine's authorities have signed for the host's name, and those in a file of the
operator's: further authorities, and cameras' own certificates. Cameras sign their own, to whatever
name the factory gave them, so one that is itself in the file is trusted under any name: it cannot
be anyone else's. https://www.rfc-editor.org/rfc/rfc6125#section-6.6
"""

import io
import select
import socket
import ssl
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

# What OpenSSL calls a certificate that is made out to another host or address.
_ANOTHER_NAME = {62, 64}
_EXPIRED = 10


def tls_context(certificates: str | None) -> ssl.SSLContext:
    """Return what checks certificates and names; `certificates` is a PEM file of more to trust.

    Raises:
        OSError: If the file cannot be read or holds no certificates.
    """
    context = ssl.create_default_context()
    if certificates is not None:
        context.load_verify_locations(certificates)
    return context


def dial_tls(
    address: str, port: int, *, host: str, timeout: float, certificates: str | None
) -> "TlsConnection":
    """Connect to `address` and check that it is `host`.

    Args:
        address: That was checked.
        port: To connect to.
        host: The server's name, for its certificate.
        timeout: Seconds to reach it, and for its certificate.
        certificates: As for `tls_context`.

    Raises:
        SSLCertVerificationError: If its certificate is not trusted.
        OSError: If it cannot be reached.
    """
    context = tls_context(certificates)
    try:
        return TlsConnection(_connect(context, address, port, host, timeout))
    except ssl.SSLCertVerificationError as error:
        if error.verify_code not in _ANOTHER_NAME or certificates is None:
            raise
        context.check_hostname = False
        encrypted = _connect(context, address, port, host, timeout)
        if encrypted.getpeercert(binary_form=True) in _certificates_in(certificates):
            return TlsConnection(encrypted)
        encrypted.close()
        raise


class TlsConnection:
    """Like a blocking socket, of which one thread may read while another writes.

    Python's own encrypted sockets are not made for that: OpenSSL keeps one state for both ways.
    """

    def __init__(self, encrypted: ssl.SSLSocket) -> None:
        encrypted.setblocking(False)
        self._socket = encrypted
        self._using = threading.Lock()

    def recv(self, size: int) -> bytes:
        """Wait for data and return at most `size` bytes; none at the end."""
        while True:
            with self._using:
                try:
                    return self._socket.recv(size)
                except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                    pass
            select.select([self._socket], [], [])

    def sendall(self, data: bytes) -> None:
        """Send all of `data`."""
        rest = memoryview(data)
        while rest:
            with self._using:
                try:
                    rest = rest[self._socket.send(rest) :]
                except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                    pass
                else:
                    continue
            select.select([], [self._socket], [])

    def settimeout(self, _: None) -> None:
        """Wait for as long as it takes, as this always does."""

    def makefile(self, _: str = "rb") -> io.BufferedReader:
        """Return a buffered reader."""
        return io.BufferedReader(_Raw(self))

    def shutdown(self, how: int) -> None:
        """End it both ways; whoever waits for data gets the end."""
        # The encrypted socket's own method would go on unencrypted.
        socket.socket.shutdown(self._socket, how)

    def __enter__(self) -> Self:
        """Give itself, to be closed at the end of the block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()


class _Raw(io.RawIOBase):
    def __init__(self, connection: TlsConnection) -> None:
        self._connection = connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._connection.recv(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def describe_certificate_error(error: ssl.SSLError) -> str:
    """Return in words what is wrong with a certificate, or that it is not the certificate."""
    if not isinstance(error, ssl.SSLCertVerificationError):
        return "No encrypted connection to the source can be made."
    if error.verify_code == _EXPIRED:
        return "The source's certificate has expired."
    who = "Whoever runs this service can have it trusted (FLASHBACK_SOURCE_CERTIFICATES)."
    if error.verify_code in _ANOTHER_NAME:
        return f"The source's certificate is made out to another name. {who}"
    return f"The source's certificate is signed by nobody this machine trusts. {who}"


def _connect(
    context: ssl.SSLContext, address: str, port: int, host: str, timeout: float
) -> ssl.SSLSocket:
    # Once it is wrapped nothing is left of the plain socket to close.
    with socket.create_connection((address, port), timeout) as plain:
        return context.wrap_socket(plain, server_hostname=host)


def _certificates_in(file: str) -> set[bytes]:
    """Return each certificate of a PEM file as DER."""
    end = "-----END CERTIFICATE-----"
    parts = Path(file).read_text(encoding="latin-1").split(end)
    begin = "-----BEGIN CERTIFICATE-----"
    return {
        ssl.PEM_cert_to_DER_cert(begin + part.partition(begin)[2] + end)
        for part in parts
        if begin in part
    }
