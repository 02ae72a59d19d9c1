"""An issuer of JSON Web Tokens: it signs them, and serves its keys over HTTP on loopback."""

import asyncio
import base64
import json
from contextlib import asynccontextmanager
from functools import cache

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

NAME, AUDIENCE = "https://login.example/realms/cams", "flashback"


@cache
def rsa_key(size=2048):
    return rsa.generate_private_key(public_exponent=65537, key_size=size)


def public(name, key, **more):
    kind = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm  # fmt: skip
    return {**kind.to_jwk(key.public_key(), as_dict=True), "kid": name, **more}


class Issuer:
    """What a test sets is what the next request for its keys gets."""

    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.document = {"keys": [public("one", self.key)]}
        self.status = "200 OK"
        self.headers = ""
        self.asked = 0
        self.url = ""

    def token(self, now, *, key=None, algorithm="ES256", kid="one", **claims):
        said = {"iss": NAME, "aud": AUDIENCE, "sub": "ann", "exp": now + 300, "roles": ["viewer"]}
        said |= claims
        kept = {name: value for name, value in said.items() if value is not None}
        return jwt.encode(kept, key or self.key, algorithm=algorithm, headers={"kid": kid})

    def plain(self, now, **header):
        """Return a token that nobody signed."""
        claims = {"iss": NAME, "aud": AUDIENCE, "sub": "ann", "exp": now + 300}
        parts = [json.dumps({"typ": "JWT", "kid": "one", **header}), json.dumps(claims)]
        return ".".join(base64.urlsafe_b64encode(p.encode()).decode().rstrip("=") for p in parts) + "."  # fmt: skip

    async def answer(self, reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        self.asked += 1
        body = self.document if isinstance(self.document, bytes) else json.dumps(self.document).encode()  # fmt: skip
        head = f"HTTP/1.1 {self.status}\r\nContent-Length: {len(body)}\r\n{self.headers}\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def issuing():
    issuer = Issuer()
    server = await asyncio.start_server(issuer.answer, "127.0.0.1", 0)
    issuer.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/keys"
    async with server:
        yield issuer
