"""A cluster in this process: real engines as replicas, reached without Ray."""

import time
from contextlib import aclosing

from model.engine.local import LocalEngine
from model.video_chat import VideoChat
from model.zoo.tiny import tiny
from web.cluster.engine import ClusterEngine
from web.cluster.members import Members
from web.cluster.messages import facts_of
from web.cluster.replica import EngineReplica
from web.errors import ReplicaLost


class Mortal(EngineReplica):
    """A replica that can die: at once, or after so many pieces of the next answer."""

    def __init__(self, engine, shared=None):
        super().__init__(engine, shared)
        self.dead = False
        self.pieces_left = None
        self.asked = []

    def _living(self, what):
        if self.dead:
            raise ReplicaLost("it is dead")
        self.asked.append(what)

    async def encode(self, clip):
        self._living("encode")
        return await super().encode(clip)

    async def prepare(self, past):
        self._living("prepare")
        return await super().prepare(past)

    async def learn(self, stream, clip, after):
        self._living("learn")
        await super().learn(stream, clip, after)

    async def answer(self, past, question):
        self._living("answer")
        async with aclosing(super().answer(past, question)) as pieces:
            async for piece in pieces:
                if self.pieces_left is not None:
                    self.pieces_left -= 1
                    if self.pieces_left < 0:
                        self.dead = True
                        raise ReplicaLost("it died in the middle")
                yield piece


class Cluster(ClusterEngine):
    """One host of a cluster whose replicas are here; it closes them, too.

    Args:
        shared: The memory that all share.
        answerers: How many answer; one encodes.
    """

    def __init__(self, shared=None, answerers=2, make=lambda: LocalEngine(VideoChat(tiny()))):
        self.engines = [make() for _ in range(answerers + 1)]
        facts = facts_at_once(self.engines[0])
        self.members = Members()
        super().__init__(self.members, facts, time.monotonic)
        if shared is not None:
            self.share(shared)
        self.encoder_replica = Mortal(self.engines[0], shared)
        self.members.add("encoder", "encoder-0", self.encoder_replica)
        self.answerers = {
            f"answerer-{n}": Mortal(it, shared) for n, it in enumerate(self.engines[1:])
        }
        for name, replica in self.answerers.items():
            self.members.add("answerer", name, replica)

    def answers(self, stream):
        """Return the replica that answers questions about `stream`."""
        return self.members.answerer(stream)[1]

    async def close(self):
        await super().close()
        for engine in self.engines:
            await engine.close()


def facts_at_once(engine):
    """Return the facts of an engine whose words and things are known without waiting."""
    asking = facts_of(engine)
    try:
        asking.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waits")
