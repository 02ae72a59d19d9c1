"""Video in and out over WebRTC, by HTTP: WHIP at `/whip/{stream}` and WHEP at `/whep/{stream}`.

Both are the same conversation, in which an offer is posted and a session URL comes back; they
differ in who sends. Trickled candidates are taken, also of clients that name their ICE session in
the fragment alone; an ICE restart is refused with 422, as RFC 9725
asks of a server that does only one of the two: the client then posts a new offer, and the stream
goes on where it was.
https://www.rfc-editor.org/rfc/rfc9725 https://datatracker.ietf.org/doc/draft-ietf-wish-whep/
"""

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.responses import PlainTextResponse

from stream.errors import NoRoom
from stream.registry import NAME
from stream.webrtc.ingest import answer_offer
from stream.webrtc.offer import read_offer
from stream.webrtc.preview import answer_viewer
from stream.webrtc.session import Peer
from web.access.auth import any_token, require
from web.access.tokens import Caller, Right
from web.errors import Refusal
from web.http.ice import ice_servers, links, webrtc_settings
from web.http.peers import PeerSession, PeerSessions
from web.openapi import TEXT, Responses, gives, refuses, takes
from web.problems import problem
from web.services import Here, Services

_SDP = "application/sdp"
_FRAGMENT = "application/trickle-ice-sdpfrag"
_RETRY_SECONDS = "10"

Named = Annotated[str, Path(json_schema_extra={"pattern": f"^{NAME.pattern}$"})]
Kind = Literal["whip", "whep"]
_Allowed = Annotated[Caller, Depends(any_token)]
_AnswerOffer = Callable[[Services, str, str, str], Coroutine[Any, Any, Peer]]


_ANSWERED: Responses = {
    201: gives(
        _SDP,
        "The answer.",
        Location="Of the session.",
        ETag="Of the ICE session, for `If-Match`.",
        Accept_Patch="What the session takes.",
        Link="ICE servers.",
    ),
    307: {
        "description": "Another host of the cluster has the stream: offer it there.",
        "headers": {"Location": {"description": "Where.", **TEXT}},
    },
}
_ENDED: Responses = {200: gives("text/plain", "Ended; if it had ended already, why.")}


class Exchange:
    """The routes of WHIP (clients send) or WHEP (clients watch)."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._right: Right = "ingest" if kind == "whip" else "watch"
        self._answer: _AnswerOffer = _receive if kind == "whip" else _show

    def router(self) -> APIRouter:
        """Return the routes, each with its refusal of the methods that are reserved."""
        routes = APIRouter(prefix=f"/{self._kind}", tags=[self._kind])
        endpoint, session = "/{stream}", "/{stream}/{key}"
        add = partial(routes.add_api_route, response_class=Response)
        add(
            endpoint,
            self.offer,
            methods=["POST"],
            status_code=201,
            responses=_ANSWERED | refuses(400, 404, 415, 422, 429, 503, 507),
            openapi_extra=takes(_SDP),
        )
        add(endpoint, _options, methods=["OPTIONS"], status_code=204)
        add(
            session,
            self.trickle,
            methods=["PATCH"],
            status_code=204,
            responses=refuses(400, 404, 412, 415, 422, 428, 503),
            openapi_extra=takes(_FRAGMENT),
        )
        add(session, self.hang_up, methods=["DELETE"], responses=_ENDED | refuses(404, 422, 503))
        add(session, _session_options, methods=["OPTIONS"], status_code=204)
        hidden = partial(add, include_in_schema=False)
        hidden(endpoint, _offer_only, methods=["GET", "HEAD", "PUT", "PATCH", "DELETE"])
        hidden(session, _session_only, methods=["GET", "HEAD", "PUT", "POST"])
        return routes

    async def offer(
        self, stream: Named, request: Request, here: Here, caller: _Allowed
    ) -> Response:
        """Answer an SDP offer; the session lives at the `Location` that comes back.

        Raises:
            Refusal: 422 if the offer cannot be answered, 503 if all places are taken, 429 if those of the token are.
            NoRoom: If too many streams are remembered.
        """
        require(caller, self._right, stream)
        sdp = await _body(request, _SDP)
        if here.homes is not None and (url := await here.homes.elsewhere(stream)):
            # Media goes straight to the host that has the stream. RFC 9725, section 4.4.
            return Response(status_code=307, headers={"Location": f"{url}/{self._kind}/{stream}"})
        sessions = self._sessions(here)
        address = request.client.host if request.client else ""
        try:
            session = await sessions.open(
                stream, caller, lambda: self._answer(here, stream, sdp, address)
            )
        except NoRoom as error:
            if error.code == "too_many_remembered":
                raise
            raise Refusal(503, str(error), {"Retry-After": _RETRY_SECONDS}) from None
        if here.homes is not None and self._kind == "whip":
            await here.homes.claim(stream)
        return _created(
            f"{here.settings.root_path}/{self._kind}/{stream}/{session.id}", session, here
        )

    async def trickle(
        self, stream: Named, key: str, request: Request, here: Here, caller: _Allowed
    ) -> Response:
        """Take further ICE candidates; `If-Match` names the ICE session they are for.

        Clients that send `*` or nothing there are understood where the fragment itself names the
        session, by its ICE user name.

        Raises:
            Refusal: 428 without `If-Match`, 412 on a stale one, 422 on an ICE restart.
        """
        require(caller, self._right, stream)
        session = self._find(here, stream, key)
        fragment = await _body(request, _FRAGMENT)
        _check_match(request, session, fragment)
        await session.peer.add_candidates(fragment)
        return Response(status_code=204)

    async def hang_up(self, stream: Named, key: str, here: Here, caller: _Allowed) -> Response:
        """End the session; one that has just ended by itself is fine, and the body says why it did."""
        require(caller, self._right, stream)
        if reason := self._sessions(here).reason_ended(stream, key):
            return PlainTextResponse(reason)
        await self._find(here, stream, key).peer.close()
        return Response(status_code=200)

    def _sessions(self, here: Services) -> PeerSessions:
        return here.senders if self._kind == "whip" else here.viewers

    def _find(self, here: Services, stream: str, key: str) -> PeerSession:
        session = self._sessions(here).find(stream, key)
        if session is None:
            raise Refusal(404, "There is no such session: it has ended, or never began.")
        return session


async def _options(stream: str) -> Response:
    """Say what may be posted here; browsers ask before they post from elsewhere."""
    return Response(status_code=204, headers={"Allow": "POST, OPTIONS", "Accept-Post": _SDP})


async def _session_options(stream: str, key: str) -> Response:
    """Say what a session takes."""
    allow = {"Allow": "PATCH, DELETE, OPTIONS", "Accept-Patch": _FRAGMENT}
    return Response(status_code=204, headers=allow)


async def _offer_only() -> Response:
    return problem(405, "Post an SDP offer here.", {"Allow": "POST, OPTIONS"})


async def _session_only() -> Response:
    detail = "A session takes PATCH with candidates, and DELETE."
    return problem(405, detail, {"Allow": "PATCH, DELETE, OPTIONS"})


async def _receive(here: Services, stream: str, sdp: str, address: str) -> Peer:
    webrtc = webrtc_settings(here.settings, here.clocks.wall, address)
    # Before the stream is made: a bad offer must leave none behind.
    offer = read_offer(sdp, sends=True, inside=webrtc.inside, own=webrtc.own)
    live = await here.registry.open(stream)
    return await answer_offer(offer, live, settings=webrtc)


async def _show(here: Services, stream: str, sdp: str, address: str) -> Peer:
    live = await here.registry.find(stream)
    webrtc = webrtc_settings(here.settings, here.clocks.wall, address)
    return await answer_viewer(sdp, live, settings=webrtc)


def _created(location: str, session: PeerSession, here: Services) -> Response:
    response = Response(session.peer.answer, 201, media_type=_SDP)
    response.headers["Location"] = location
    response.headers["ETag"] = session.etag
    response.headers["Accept-Patch"] = _FRAGMENT
    for link in links(ice_servers(here.settings, here.clocks.wall)):
        response.headers.append("Link", link)
    return response


def _check_match(request: Request, session: PeerSession, fragment: str) -> None:
    match = request.headers.get("if-match")
    if match in {None, "*"} and session.peer.is_named_in(fragment):
        return
    if match is None:
        raise Refusal(428, "Send If-Match with the ETag that came with the answer.")
    if match.strip() == "*":
        detail = "An ICE restart is not supported; post a new offer, the stream goes on."
        raise Refusal(422, detail)
    if session.etag not in [tag.strip() for tag in match.split(",")]:
        raise Refusal(412, "This ETag is not that of the current ICE session.")


async def _body(request: Request, media_type: str) -> str:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != media_type:
        name = "Accept-Post" if media_type == _SDP else "Accept-Patch"
        raise Refusal(415, f"Send {media_type}.", {name: media_type})
    try:
        return (await request.body()).decode()
    except UnicodeDecodeError:
        raise Refusal(400, "The body is not UTF-8 text.") from None
