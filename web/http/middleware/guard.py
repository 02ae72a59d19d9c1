"""What every request passes before any of our routes sees it: Host, Origin, size, time.

- Host: a page elsewhere whose name is re-pointed at 127.0.0.1 (DNS rebinding) still sends its own
  name, so only names we were told of are taken. An address cannot be rebound and is always fine.
- Origin: browsers send it with a WebSocket and every cross-site POST, and let no page forge it.
- Method: HEAD is GET without what comes (https://www.rfc-editor.org/rfc/rfc9110#section-9.3.2).
- Size and time: a body is read whole, up to a cap and a time limit, before the route runs.

Answers get the id of their request, and headers that keep a browser from running or embedding anything that is not ours.
"""

import asyncio
import ipaddress
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.errors import Refusal
from web.operations.request_id import HEADER as REQUEST_ID
from web.operations.request_id import begin_request
from web.problems import problem
from web.sent_json import TOO_INTRICATE, is_intricate

BODY_LIMIT = 128 * 1024
_PICTURES_LIMIT = 1024 * 1024
_LIMITS: Mapping[str, int] = {"/v1/chat/completions": _PICTURES_LIMIT}
"""Longer bodies, where pictures may be in them."""
_NO_JSON = {"application/sdp", "application/trickle-ice-sdpfrag"}
_BODY_SECONDS = 10.0
_DISCARDED = 8 * 1024 * 1024
"""Bytes of a body beyond its limit that are still taken from whoever sends it: a connection that is
closed under them is reset, and the refusal lost. https://www.rfc-editor.org/rfc/rfc9112#section-9.6"""

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": _POLICY,
    "Permissions-Policy": "camera=(self), display-capture=(self), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    # A page elsewhere may ask for a picture without an Origin: it must not get to show it.
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_METHODS = "GET, POST, PATCH, DELETE, OPTIONS"
_CORS: Mapping[str, str] = {
    "Access-Control-Allow-Methods": _METHODS,
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
    "Access-Control-Expose-Headers": f"Location, ETag, Link, Retry-After, Accept-Post, Accept-Patch, {REQUEST_ID}",
    "Vary": "Origin",
}
_KEEP_HOST = "nginx: `proxy_set_header Host $http_host;`"
_USUAL_PORTS = {"http": 80, "https": 443}


_STARTS = {"http.response.start", "websocket.http.response.start", "websocket.accept"}


class Guard:
    """ASGI middleware in front of everything.

    Args:
        app: What is guarded.
        hosts: Names that clients may use for us, besides addresses and `localhost`.
        origins: Origins, such as `https://example.com`, that may call us from a browser.
        seconds: How long a body may take to arrive.
        root_path: Path below which a proxy serves us, whether it cuts that off or passes it on.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Collection[str] = (),
        origins: Collection[str] = (),
        seconds: float = _BODY_SECONDS,
        root_path: str = "",
    ) -> None:
        self._app = app
        self._hosts = {host.lower() for host in hosts} | {"localhost"}
        self._origins = {origin.lower().rstrip("/") for origin in origins}
        self._seconds = seconds
        self._root_path = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse what must not come in; pass on the rest."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if self._root_path:
            cut_off = not scope["path"].startswith(f"{self._root_path}/")
            path = self._root_path + scope["path"] if cut_off else scope["path"]
            scope = {**scope, "root_path": self._root_path, "path": path}
        if scope.get("method") == "HEAD":
            # Whatever may be got may be asked after; of the answer the server sends the head alone.
            scope = {**scope, "method": "GET"}
        headers = Headers(scope=scope)
        request = begin_request(headers.get(REQUEST_ID))
        more = {**self._cors(headers.get("origin")), REQUEST_ID: request}
        reply = _Reply(send, more)
        if refused := self._refuse(headers, scope["path"]):
            await problem(403, refused)(scope, receive, reply)
        elif scope["type"] == "websocket":
            await self._app(scope, receive, reply)
        elif scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await _preflight(headers)(scope, receive, reply)
        else:
            await self._with_body(scope, receive, reply, headers)

    async def _with_body(
        self, scope: Scope, receive: Receive, send: Send, headers: Headers
    ) -> None:
        limit = _LIMITS.get(scope["path"].removeprefix(self._root_path), BODY_LIMIT)
        try:
            async with asyncio.timeout(self._seconds):
                body = await _read(receive, headers, limit)
        except Refusal as error:
            await problem(error.status, error.detail, error.headers)(scope, receive, send)
        except TimeoutError:
            detail = f"The body did not arrive within {self._seconds:g} seconds."
            await problem(408, detail, {"Connection": "close"})(scope, receive, send)
        except ClientDisconnect:
            return
        else:
            await self._app(scope, _Replay(body, receive), send)

    def _refuse(self, headers: Headers, path: str) -> str | None:
        host = headers.get("host", "")
        if not self._is_ours(host):
            name = _name(host) or "(none)"
            return (
                f"{name[:100]} is not a name of this service; add it to FLASHBACK_ALLOWED_HOSTS, or "
                f"have the proxy in front pass on the name that browsers use ({_KEEP_HOST})."
            )
        if path.startswith(f"{self._root_path}/static/"):
            # Browsers send it with a page's own scripts, too: they must load to say what is wrong.
            return None
        origin = headers.get("origin")
        if origin and origin.lower() not in self._origins and not _is_at(origin, host):
            return (
                f"The page that asks is at {origin[:100]}, this service is asked as {host[:100]}. If "
                "they are the same, a proxy in between must pass the name on with its port "
                f"({_KEEP_HOST}); else add the page's origin to FLASHBACK_ALLOWED_ORIGINS."
            )
        return None

    def _is_ours(self, host: str) -> bool:
        name = _name(host)
        if name is None:
            return False
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name in self._hosts
        return True

    def _cors(self, origin: str | None) -> Mapping[str, str]:
        # Only for origins the operator named, and never with credentials: we use no cookies.
        if origin and origin.lower() in self._origins:
            return {"Access-Control-Allow-Origin": origin, **_CORS}
        return {}


class _Reply:
    """Sends on, with our headers added to the first message."""

    def __init__(self, send: Send, more: Mapping[str, str]) -> None:
        self._send = send
        self._headers = {**_HEADERS, **more}

    async def __call__(self, message: Message) -> None:
        if message["type"] in _STARTS:
            message.setdefault("headers", [])
            headers = MutableHeaders(scope=message)
            for name, value in self._headers.items():
                headers.setdefault(name, value)
        await self._send(message)


class _Replay:
    """Gives a body that was read already, then what really comes next: the disconnection."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


async def _read(receive: Receive, headers: Headers, limit: int) -> bytes:
    """Return a body whole.

    Raises:
        Refusal: If it is too long, or holds more values than can be looked at in a moment.
        ClientDisconnect: If whoever sends it leaves.
    """
    body, length, more = bytearray(), 0, True
    too_long = Refusal(413, f"The body is longer than {limit // 1024} KB.", {"Connection": "close"})
    declared = headers.get("content-length", "")
    discarded = 0 if "expect" in headers else _DISCARDED  # of what is asked for first, nothing came
    if declared.isdecimal() and int(declared[:20]) > limit + discarded:
        raise too_long
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part = message.get("body", b"")
        length += len(part)
        if length <= limit:
            body += part
        more = message.get("more_body", False) and length <= limit + _DISCARDED
    if length > limit:
        raise too_long
    kind = headers.get("content-type", "").partition(";")[0].strip()
    if kind not in _NO_JSON and is_intricate(body):
        raise Refusal(413, TOO_INTRICATE)
    return bytes(body)


def _preflight(headers: Headers) -> Response:
    """Return what a browser wants to hear before a page of an allowed origin may ask something.

    The page may send any header: which of them matter, the route decides.
    """
    wanted = headers.get("access-control-request-headers", "")
    allow = {"Access-Control-Allow-Headers": wanted} if wanted else {}
    return Response(None, 204, allow | {"Allow": _METHODS, "Access-Control-Max-Age": "600"})


def _is_at(origin: str, host: str) -> bool:
    """Whether `origin` is that of a page served under `host`, the name with its port."""
    try:
        page, here = urlsplit(origin), urlsplit(f"//{host}")
        usual = _USUAL_PORTS.get(page.scheme)
        ports = page.port or usual, here.port or usual
    except ValueError:
        return False
    return page.hostname == here.hostname and ports[0] == ports[1]


def _name(host: str) -> str | None:
    """Return the name in a Host header without its port; None if there is none."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None
