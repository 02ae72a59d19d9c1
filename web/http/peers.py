"""The WebRTC sessions behind WHIP and WHEP: named by an unguessable URL until the peer is gone.

However a peer ends (its DELETE, its silence, another sender's taking over, our stop), its session
and its place are freed by the same few lines.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from stream.webrtc.receiver import Reception
from stream.webrtc.session import Peer
from web.access.allowances import Allowances
from web.access.quotas import Lease, Quota
from web.access.tokens import Caller
from web.errors import Full
from web.identifiers import new_id

_COUNT_SECONDS = 1.0
"""How often what a limited token sends is counted."""
_ENDED_KNOWN = 256
"""Sessions that ended and are still known: a client that learns of it late may hang up in peace."""

Answering = Callable[[], Coroutine[Any, Any, Peer]]


@dataclass(frozen=True, slots=True)
class PeerSession:
    """One connected peer.

    Attributes:
        id: Unguessable; the last part of the session's URL.
        stream: What it sends, or watches.
        etag: Names its ICE session.
        peer: The connection.
        place: What it holds while it is there.
    """

    id: str
    stream: str
    etag: str
    peer: Peer
    place: Lease


class PeerSessions:
    """All sessions of one kind.

    Args:
        places: Counts them.
        alone: Whether a stream has one such peer, the newest; else each takes a place of its own.
        allowances: What each token may still send; None where peers send nothing.
    """

    def __init__(self, places: Quota, *, alone: bool, allowances: Allowances | None = None) -> None:
        self._places = places
        self._allowances = allowances
        self._alone = alone
        self._sessions: dict[str, PeerSession] = {}
        self._ended: dict[tuple[str, str], str] = {}
        self._watching: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._sessions)

    async def open(self, stream: str, caller: Caller, answering: Answering) -> PeerSession:
        """Take a place, let `answering` answer the offer, and keep the peer until it is gone.

        Raises:
            Full: If there is no place left; `answering` is not called.
            Full: If the token has sent enough for today.
        """
        if self._allowances is not None:
            self._allowances.send(caller, 0)
        key = new_id("session")
        place = self._places.acquire(stream if self._alone else key, caller)
        try:
            peer = await answering()
        except BaseException:
            place.release()
            raise
        etag = f'"{new_id("ice")}"'
        session = PeerSession(id=key, stream=stream, etag=etag, peer=peer, place=place)
        self._sessions[key] = session
        task = asyncio.create_task(self._until_gone(session, caller))
        self._watching.add(task)
        task.add_done_callback(self._watching.discard)
        return session

    async def receptions(self) -> dict[str, Reception]:
        """Return how the packets of each stream that is sent arrive."""
        sessions = list(self._sessions.values())
        return {session.stream: await session.peer.reception() for session in sessions}

    def find(self, stream: str, key: str) -> PeerSession | None:
        """Return the session `key` of `stream`, if it is still there."""
        session = self._sessions.get(key)
        return session if session is not None and session.stream == stream else None

    def reason_ended(self, stream: str, key: str) -> str | None:
        """Return why the session `key` of `stream` ended, if it did so lately."""
        return self._ended.get((stream, key))

    async def close(self) -> None:
        """Hang up on everyone."""
        sessions = list(self._sessions.values())
        await asyncio.gather(*(s.peer.close("The service is stopping.") for s in sessions))
        await asyncio.gather(*self._watching)

    async def _until_gone(self, session: PeerSession, caller: Caller) -> None:
        ending = [asyncio.create_task(_end_when_revoked(session.peer, caller))]
        if self._allowances is not None and caller.limits.bytes_a_day is not None:
            counting = _end_when_spent(session.peer, caller, self._allowances)
            ending.append(asyncio.create_task(counting))
        try:
            await session.peer.wait_closed()
        finally:
            for task in ending:
                task.cancel()
            self._sessions.pop(session.id, None)
            self._ended[session.stream, session.id] = session.peer.reason or "It ended."
            if len(self._ended) > _ENDED_KNOWN:
                del self._ended[next(iter(self._ended))]
            session.place.release()


async def _end_when_revoked(peer: Peer, caller: Caller) -> None:
    await caller.wait_revoked()
    await peer.close("The token is good no more.")


async def _end_when_spent(peer: Peer, caller: Caller, allowances: Allowances) -> None:
    counted = 0
    while True:
        await asyncio.sleep(_COUNT_SECONDS)
        received = peer.received
        try:
            allowances.send(caller, received - counted)
        except Full as error:
            await peer.close(str(error))
            return
        counted = received
