"""What Ray runs in each replica's process: the network is loaded, Redis is connected to.

A host does not call a replica's methods themselves, but `called` and `answered`: with the id of the
request that it calls for, so that what a replica logs stands under the id that the client was given.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from memory.redis.store import RedisStore
from memory.store import Form
from model.types import AnswerPiece, Question
from model.zoo.presets import load_engine
from web.cluster.messages import PastMessage
from web.cluster.replica import EngineReplica
from web.operations.log_lines import log_as_json
from web.operations.request_id import continue_as


@dataclass(frozen=True, slots=True)
class ReplicaOrder:
    """How to set up a replica; the fields are those of `web.settings.Settings`.

    Attributes:
        redis_url: The memory that all hosts share, as this host reaches it.
        threads: Of the processor, for the network.
        log: As `text` or as `json`.
    """

    model: str
    history_bytes: int | None
    visual_budget: int | None
    as_released: bool
    stretch: float
    cache: Path
    stored_values: Form
    redis_url: str
    threads: int
    log: Literal["text", "json"] = "text"

    def __repr__(self) -> str:
        """Leave out the URL: it may hold a password, and Ray prints what a call was given."""
        return f"ReplicaOrder({self.model})"


class ReplicaActor(EngineReplica):
    """A replica that sets itself up, also when Ray starts it anew after a crash.

    Args:
        order: How.
        name: Its own, for the log.
    """

    def __init__(self, order: ReplicaOrder, name: str) -> None:
        if order.log == "json":
            log_as_json(replica=name)
        torch.set_num_threads(order.threads)
        engine = load_engine(
            order.model,
            history_bytes=order.history_bytes,
            budget=order.visual_budget,
            as_released=order.as_released,
            stretch=order.stretch,
            cache=order.cache,
        )
        shared = RedisStore.connect(
            order.redis_url, engine.encoder, form=order.stored_values, exact=engine.exact_columns
        )
        super().__init__(engine, shared)

    async def called(self, request: str | None, method: str, *arguments: object) -> Any:  # noqa: ANN401
        """Return what `method` returns, done for the request of that id."""
        continue_as(request)
        return await getattr(self, method)(*arguments)

    async def answered(
        self, request: str | None, past: PastMessage, question: Question
    ) -> AsyncGenerator[AnswerPiece, None]:
        """Yield what `answer` yields, done for the request of that id."""
        continue_as(request)
        async with aclosing(self.answer(past, question)) as pieces:
            async for piece in pieces:
                yield piece
