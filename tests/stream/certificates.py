"""Certificates for tests: an authority, what it signs, and what signs itself."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DAY = timedelta(days=1)


class Certified:
    """A certificate and its key.

    Attributes:
        certificate: PEM file.
        both: PEM file that holds the key as well, for a server.
    """

    def __init__(self, folder, name, *, address="127.0.0.1", signed_by=None, days=1):
        """Make one for `address`, that signs itself without `signed_by`, and ends in `days`."""
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        signer = signed_by or self
        now = datetime.now(UTC)
        signed = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(signer.name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + min(days - 1, -1) * DAY)
            .not_valid_after(now + days * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False
            )
            .sign(signer.key, hashes.SHA256())
        )
        pem = signed.public_bytes(serialization.Encoding.PEM)
        self.certificate = folder / f"{name}.pem"
        self.certificate.write_bytes(pem)
        self.both = folder / f"{name}-and-key.pem"
        key = self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        self.both.write_bytes(pem + key)
