"""What Ray runs in each replica's process: the network is loaded, Redis is connected to."""

from dataclasses import dataclass
from pathlib import Path

import torch

from memory.redis.store import RedisStore
from memory.store import Form
from model.zoo.presets import load_engine
from web.cluster.replica import EngineReplica


@dataclass(frozen=True, slots=True)
class ReplicaOrder:
    """How to set up a replica; the fields are those of `web.settings.Settings`.

    Attributes:
        redis_url: The memory that all hosts share, as this host reaches it.
        threads: Of the processor, for the network.
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

    def __repr__(self) -> str:
        """Leave out the URL: it may hold a password, and Ray prints what a call was given."""
        return f"ReplicaOrder({self.model})"


class ReplicaActor(EngineReplica):
    """A replica that sets itself up, also when Ray starts it anew after a crash.

    Args:
        order: How.
    """

    def __init__(self, order: ReplicaOrder) -> None:
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
