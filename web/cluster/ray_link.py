"""A replica as another process reaches it, through Ray.

Ray's errors are turned into ours: a replica that is gone is `ReplicaLost`, what its work raised is raised
here as it was.
"""

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import ray
from ray.exceptions import (
    ActorUnschedulableError,
    NodeDiedError,
    ObjectLostError,
    OutOfMemoryError,
    PendingCallsLimitExceeded,
    RayActorError,
    RayError,
    RayTaskError,
    WorkerCrashedError,
)

from model.errors import EngineBusy, ModelError
from model.types import AnswerPiece, Question
from model.vision.things import Thing
from web.cluster.messages import ClipMessage, EncodedMessage, Facts, PastMessage
from web.errors import ReplicaLost
from web.operations.request_id import current_request

_GONE = (
    RayActorError,
    ObjectLostError,
    ActorUnschedulableError,  # its machine is gone, and so is where Ray would start it anew
    NodeDiedError,
    OutOfMemoryError,
    WorkerCrashedError,
)


class RayLink:
    """See `web.cluster.replica.Replica`.

    Args:
        handle: The actor's.
    """

    def __init__(self, handle: Any) -> None:  # noqa: ANN401 - made by Ray
        self._handle = handle

    async def facts(self) -> Facts:
        """See `Replica.facts`."""
        found: Facts = await self._call("facts")
        return found

    async def encode(self, clip: ClipMessage) -> EncodedMessage:
        """See `Replica.encode`."""
        made: EncodedMessage = await self._call("encode", clip)
        return made

    async def prepare(self, past: PastMessage) -> bool:
        """See `Replica.prepare`."""
        return bool(await self._call("prepare", past))

    async def blocks(self, past: PastMessage) -> list[bytes]:
        """See `Replica.blocks`."""
        found: list[bytes] = await self._call("blocks", past)
        return found

    async def learn(self, stream: str, clip: bytes, after: float | None) -> None:
        """See `Replica.learn`."""
        await self._call("learn", stream, clip, after)

    async def answer(
        self, past: PastMessage, question: Question
    ) -> AsyncGenerator[AnswerPiece, None]:
        """See `Replica.answer`."""
        with _our_errors():
            answered = self._handle.answered.options(num_returns="streaming")
            pieces = answered.remote(current_request(), past, question)
            with _cancelled_there(pieces):
                async for coming in pieces:
                    yield await coming

    async def things(self, clips: Sequence[bytes]) -> list[Sequence[Thing]] | None:
        """See `Replica.things`."""
        found: list[Sequence[Thing]] | None = await self._call("things", clips)
        return found

    async def forget(self, stream: str) -> None:
        """See `Replica.forget`."""
        await self._call("forget", stream)

    async def leave(self, patience: float) -> None:
        """See `Replica.leave`."""
        await self._call("leave", patience)

    async def _call(self, method: str, *arguments: object) -> Any:  # noqa: ANN401 - as it comes
        """Return what `method` gives; a call that is cancelled here is cancelled there."""
        with _our_errors():
            coming = self._handle.called.remote(current_request(), method, *arguments)
            with _cancelled_there(coming):
                return await coming


@contextmanager
def _cancelled_there(asked: Any) -> Iterator[None]:  # noqa: ANN401 - Ray's
    """Cancel what was asked for if whoever waits for it within does not any more."""
    try:
        yield
    except BaseException as error:
        if not isinstance(error, Exception):
            ray.cancel(asked)
        raise


@contextmanager
def _our_errors() -> Iterator[None]:
    """Raise what Ray raises as what it means here.

    Raises:
        ReplicaLost: If the replica is gone.
        EngineBusy: If too much is asked of it at once.
        ModelError: If Ray itself fails at it.
        Exception: Whatever its work raised.
    """
    try:
        yield
    except _GONE as error:
        raise ReplicaLost(_first_line(error)) from None
    except PendingCallsLimitExceeded:
        raise EngineBusy("too much is asked of one replica at once") from None
    except RayTaskError as error:
        cause: Exception = error.cause
        raise cause from None
    except RayError as error:
        raise ModelError(f"Ray cannot do it: {_first_line(error)}", code="engine_failed") from None


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
