"""This host's replicas, started by Ray, and those of all other hosts on the same Redis.

A replica has a name that begins with its kind. What is named so in our namespace of Ray is a replica, and
is asked once it answers; one that Ray lists no more is asked nothing. A host's replicas end with it.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from functools import partial
from threading import Thread
from typing import Any, TypeVar, get_args

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from model.errors import ModelError
from web.cluster.actor import ReplicaActor, ReplicaOrder
from web.cluster.members import Members
from web.cluster.messages import Facts
from web.cluster.ray_link import RayLink
from web.cluster.replica import Kind
from web.errors import ReplicaLost, WebError

log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
_HEAD_SECONDS = 10.0
_HEAD_AWAY = (
    "the head of Ray has not answered for %g seconds: replicas that run go on, but none is started again, "
    "and Ray ends this host if that lasts (docs/operations.md, Beyond one machine)"
)
_AT_ONCE = 256
_PENDING = 512
_SHARED_MEMORY = 256 * 2**20
"""Bytes for clips on their way, where we start Ray."""
_WAIT_FOR_OTHERS = 120.0

Progress = Callable[[str], None]
_Result = TypeVar("_Result")


def start_ray(
    address: str | None, namespace: str, *, quiet: bool = False, json: bool = False
) -> None:
    """Join the Ray at `address`, or start one for this process alone. Blocks.

    Args:
        address: `auto` is the node of this machine; None starts one.
        namespace: In which hosts find each other's replicas.
        quiet: Whether what replicas print is left in Ray's logs.
        json: Whether they log as JSON: then their lines come as they are, without who said them before.

    Raises:
        WebError: If there is no such Ray.
    """
    # It says that it leaves our signals alone.
    logging.getLogger("ray").setLevel(logging.ERROR)
    ours: dict[str, Any] = {"namespace": namespace, "configure_logging": False}
    ours["log_to_driver"] = not quiet
    if json:
        ours["logging_config"] = ray.LoggingConfig(encoding="JSON", log_level="WARNING")
    try:
        if address:
            ray.init(address=address, **ours)
        else:
            alone = {"num_cpus": 0, "object_store_memory": _SHARED_MEMORY}
            ray.init(address="local", include_dashboard=False, **alone, **ours)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise WebError(
            f"Ray at {address or 'this machine'} cannot be used: {str(error).partition(chr(10))[0]} "
            "Run `ray start --head` on one host, `ray start --address=HOST:6379` on the others, all "
            "with RAY_AUTH_MODE=token and the same ~/.ray/auth_token; set FLASHBACK_RAY_ADDRESS=auto",
            code="cluster_unavailable",
        ) from None


def stop_ray() -> None:
    """Leave Ray, and end it if it was started for this process. Blocks."""
    ray.shutdown()


class RayReplicas:
    """See above.

    Args:
        members: Is kept up to date.
        host: Names this host's replicas.
    """

    def __init__(self, members: Members, host: str) -> None:
        self._members = members
        self._host = host
        self._own: dict[str, RayLink] = {}
        self._handles: dict[str, Any] = {}
        self._joining: dict[str, asyncio.Task[None]] = {}
        self._following: asyncio.Task[None] | None = None
        self._facts: Facts | None = None

    async def start(
        self, order: ReplicaOrder, counts: Mapping[Kind, int], progress: Progress = lambda _: None
    ) -> Facts:
        """Start this host's replicas, find those of others; return what they say of themselves.

        Raises:
            WebError: If one cannot be started, or there is none of a kind anywhere.
        """
        total = sum(counts.values())
        for kind, count in counts.items():
            for number in range(count):
                name = f"{kind}-{self._host}-{number}"
                handle = await asyncio.to_thread(_make, name, order, total)
                self._own[name], self._handles[name] = RayLink(handle), handle
        for place, (name, link) in enumerate(self._own.items()):
            progress(f"Starting replicas: {place} of {total} are ready…")
            self._facts = await _ready(name, link)
            self._members.add(_kind(name), name, link)
        self._following = asyncio.create_task(self._follow())
        for kind in counts:
            progress(f"Waiting for an {kind} of another host…")
            if not await self._members.wait_for(kind, _WAIT_FOR_OTHERS):
                raise WebError(
                    f"there is no {kind} replica, neither here nor elsewhere",
                    code="cluster_unavailable",
                )
        assert self._facts is not None
        return self._facts

    async def look(self) -> None:
        """Take in the replicas that are new, and drop those that are gone."""
        listed = set(await self._listed())
        named = {name for name in listed if name.partition("-")[0] in get_args(Kind)}
        known = {name for kind in get_args(Kind) for name in self._members.names(kind)}
        for name in known - named:
            self._members.remove(name)
        for name in named - known - set(self._joining):
            task = asyncio.create_task(self._join(name))
            self._joining[name] = task
            task.add_done_callback(partial(self._joined, name))

    async def _listed(self) -> list[str]:
        """Return the names of all actors; say so if Ray's head lets us wait for them."""
        listing = _in_own_thread(ray.util.list_named_actors)
        _, waiting = await asyncio.wait([listing], timeout=_HEAD_SECONDS)
        if waiting:
            log.warning(_HEAD_AWAY, _HEAD_SECONDS)
        found: list[str] = await listing
        if waiting:
            log.warning("the head of Ray answers again")
        return found

    async def close(self, patience: float) -> None:
        """Have this host's replicas finish what they do, for so many seconds, and end them."""
        tasks = [*self._joining.values(), *([self._following] if self._following else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(_leave(link, patience) for link in self._own.values()))
        for handle in self._handles.values():
            await asyncio.to_thread(ray.kill, handle)

    async def _follow(self) -> None:
        while True:
            try:
                await self.look()
            except RayError as error:  # its head is away: who is known is asked on
                log.warning("replicas cannot be listed: %s", str(error).partition("\n")[0])
            await asyncio.sleep(_LOOK_SECONDS)

    def _joined(self, name: str, _: asyncio.Task[None]) -> None:
        self._joining.pop(name, None)

    async def _join(self, name: str) -> None:
        try:
            handle = await asyncio.to_thread(ray.get_actor, name)
            link = self._own.get(name) or RayLink(handle)
            facts = await link.facts()
        # It went while we looked, or comes again; what Ray fails at may go better in a second.
        except (ValueError, ReplicaLost, ModelError, RayError) as error:
            log.debug("replica %s cannot be asked: %s", name, error)
            return
        self._facts = self._facts or facts
        if (facts.name, facts.encoder) == (self._facts.name, self._facts.encoder):
            self._members.add(_kind(name), name, link)
        else:
            log.warning("replica %s runs another model, and is not asked", name)
            await asyncio.sleep(_WAIT_FOR_OTHERS)


def _in_own_thread(call: Callable[[], _Result]) -> asyncio.Future[_Result]:
    """Return what `call` will return; at the end of the process nobody waits for it.

    While the head is away such a call takes minutes, and may not keep a host from ending.
    """
    loop, coming = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()

    def tell(done: Callable[[], None]) -> None:
        if not coming.done():
            done()

    def run() -> None:
        try:
            done = partial(coming.set_result, call())
        except Exception as error:  # noqa: BLE001 - handed to whoever waits
            done = partial(coming.set_exception, error)
        with contextlib.suppress(RuntimeError):  # the loop is gone
            loop.call_soon_threadsafe(tell, done)

    Thread(target=run, name="list-replicas", daemon=True).start()
    return coming


def _make(name: str, order: ReplicaOrder, total: int) -> Any:  # noqa: ANN401 - Ray's
    node = ray.get_runtime_context().get_node_id()
    here = next(one for one in ray.nodes() if one["NodeID"] == node)
    cards = here["Resources"].get("GPU", 0.0)
    return (
        ray.remote(ReplicaActor)
        .options(
            name=name,
            num_cpus=0,
            num_gpus=min(1.0, cards / total),
            max_restarts=-1,
            max_concurrency=_AT_ONCE,
            max_pending_calls=_PENDING,
            scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False),
        )
        .remote(order, name)
    )


async def _ready(name: str, link: RayLink) -> Facts:
    try:
        return await link.facts()
    except ReplicaLost as error:
        raise WebError(
            f"the replica {name} cannot be started: {error}", code="cluster_unavailable"
        ) from None


async def _leave(link: RayLink, patience: float) -> None:
    with contextlib.suppress(ReplicaLost, ModelError, TimeoutError):
        # One that hangs is ended all the same.
        async with asyncio.timeout(patience + _LOOK_SECONDS):
            await link.leave(patience)


def _kind(name: str) -> Kind:
    kind: Kind = "encoder" if name.startswith("encoder") else "answerer"
    return kind
