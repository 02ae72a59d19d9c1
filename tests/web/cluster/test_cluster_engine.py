"""What becomes of clips and questions when replicas of a cluster come and go."""

import asyncio
from contextlib import aclosing

import pytest

from memory.local_store import LocalStore
from model.engine.contract import Past
from model.errors import EngineBusy, ModelError
from model.types import Finish, Question, Sampling, Words
from model.vision.things import Thing
from tests.model.test_engine_conformance import QUESTION, clip, pieces, remember
from tests.waiting import holds
from tests.web.cluster.clusters import Cluster, Mortal
from tests.web.fakes import EchoEngine
from web.cluster import engine as cluster_engine


@pytest.fixture
def store():
    return LocalStore("any", form="float16")


@pytest.fixture
async def cluster(store):
    made = Cluster(store)
    yield made
    await made.close()


async def shown(cluster, store, count=2, stream="a"):
    encoded = [(await cluster.encode(clip(number))).tokens for number in range(count)]
    return await remember(store, encoded, stream)


def text(answer):
    return "".join(piece.text for piece in answer if isinstance(piece, Words))


async def test_one_answerer_has_a_stream_and_others_are_not_asked(cluster, store):
    await shown(cluster, store)
    for _ in range(3):
        await pieces(cluster, store, QUESTION)
    owner = cluster.answers("a")
    assert owner.asked == ["answer"] * 3
    assert all(not one.asked for one in cluster.answerers.values() if one is not owner)


async def test_a_question_is_asked_of_another_when_its_answerer_is_gone(cluster, store):
    await shown(cluster, store)
    before = await pieces(cluster, store, QUESTION)
    lost = cluster.answers("a")
    lost.dead = True
    assert text(await pieces(cluster, store, QUESTION)) == text(before)
    assert cluster.answers("a") is not lost


@pytest.mark.parametrize("heard", [1, 3])
async def test_an_answer_goes_on_where_it_was_when_its_answerer_dies_in_the_middle(
    cluster, store, heard
):
    await shown(cluster, store)
    long = Question("What?", tokens=8)
    whole = await pieces(cluster, store, long)
    assert len(whole) > 4
    cluster.answers("a").pieces_left = heard
    again = await pieces(cluster, store, long)
    assert text(again) == text(whole)
    assert again[-1].usage.clips == 2


async def test_an_answer_that_another_would_give_otherwise_is_given_up(store):
    cluster = Cluster(store, make=EchoEngine)
    try:
        await remember(store, [(await cluster.encode(clip(0))).tokens])
        cluster.answers("a").pieces_left = 1
        async with aclosing(cluster.answer(Past("a", store), Question("one two"))) as answer:
            await anext(answer)
            for engine in cluster.engines:
                engine.answer = otherwise
            with pytest.raises(ModelError, match="ask again"):
                await anext(answer)
    finally:
        await cluster.close()


async def otherwise(past, question):
    yield Words("three")


async def test_what_goes_wrong_in_the_work_is_raised_and_costs_no_replica(cluster, store):
    await shown(cluster, store)
    with pytest.raises(ValueError, match="frames"):
        await cluster.encode(clip(0, frames=5))
    assert len(cluster.members.names("encoder")) == 1


async def test_a_clip_is_given_to_the_encoder_that_has_least_to_do(cluster):
    first, second = Waiting(), Waiting()
    cluster.members.remove("encoder-0")
    cluster.members.add("encoder", "encoder-1", first)
    cluster.members.add("encoder", "encoder-2", second)
    encoding = [asyncio.ensure_future(cluster.encode(clip(number))) for number in range(4)]
    await asyncio.sleep(0)
    assert (first.given, second.given) == (2, 2)
    for one in encoding:
        one.cancel()
    await asyncio.wait(encoding)


class Waiting:
    """An encoder that never comes to an end."""

    given = 0

    async def encode(self, clip):
        self.given += 1
        await asyncio.Event().wait()


async def test_a_clip_waits_for_an_encoder_that_comes_back(cluster):
    cluster.encoder_replica.dead = True
    encoding = asyncio.ensure_future(cluster.encode(clip(1)))
    await holds(lambda: not cluster.members.names("encoder"))
    cluster.encoder_replica.dead = False
    cluster.members.add("encoder", "encoder-0", cluster.encoder_replica)
    assert (await encoding).tokens.start == 4.0


async def test_without_any_replica_it_is_said_that_none_runs(cluster, store, monkeypatch):
    monkeypatch.setattr(cluster_engine, "_PATIENCE", 0)
    for name in list(cluster.answerers):
        cluster.members.remove(name)
    with pytest.raises(EngineBusy, match="no answerer replica is running"):
        await pieces(cluster, store, QUESTION)


async def test_what_an_answerer_does_not_learn_it_reads_before_the_next_answer(cluster, store):
    [one, two] = await shown(cluster, store)
    await cluster.learn("a", one, None)
    owner = cluster.answers("a")
    assert owner.asked == ["learn"]
    owner.dead = True
    await cluster.learn("a", two, one.end)
    assert (await pieces(cluster, store, QUESTION))[-1].usage.clips == 2


async def test_an_answerer_with_too_much_to_do_costs_no_clip_that_is_remembered(cluster, store):
    [one] = await shown(cluster, store, 1)

    class Busy:
        async def learn(self, stream, clip, after):
            raise EngineBusy("too much is asked of one replica at once")

    for name in cluster.answerers:
        cluster.members.add("answerer", name, Busy())
    await cluster.learn("a", one, None)
    assert len(cluster.members.names("answerer")) == 2


async def test_a_replica_that_leaves_ends_what_it_writes_and_takes_nothing_new(cluster, store):
    await shown(cluster, store)
    long = Question("What?", tokens=20, sampling=Sampling())
    owner = cluster.answers("a")
    async with aclosing(cluster.answer(Past("a", store), long)) as answer:
        heard = [await anext(answer)]
        leaving = asyncio.ensure_future(owner.leave(60.0))
        await asyncio.sleep(0)
        assert text(await pieces(cluster, store, QUESTION))
        assert cluster.answers("a") is not owner
        heard += [piece async for piece in answer]
    await leaving
    assert isinstance(heard[-1], Finish)
    assert heard[-1].reason in {"stop", "length"}


async def test_a_replica_that_leaves_does_not_wait_for_ever(cluster, store):
    await shown(cluster, store)
    owner = cluster.answers("a")
    async with aclosing(cluster.answer(Past("a", store), Question("What?", tokens=400))) as answer:
        await anext(answer)
        await owner.leave(0.0)


async def test_things_of_many_clips_are_asked_for_in_parts(store, monkeypatch):
    monkeypatch.setattr(cluster_engine, "_AT_ONCE", 2)

    def make():
        made = EchoEngine()
        made.things_of = lambda clip: [Thing(round(clip.start))]
        return made

    cluster = Cluster(store, make=make)
    try:
        clips = [(await cluster.encode(clip(number))).tokens for number in range(5)]
        assert await cluster.things(clips) == [[Thing(4 * number)] for number in range(5)]
    finally:
        await cluster.close()


async def test_answerers_that_come_under_load_take_streams_over_and_no_answer_is_lost(
    cluster, store
):
    streams = [f"cam-{number}" for number in range(6)]
    for stream in streams:
        await shown(cluster, store, 1, stream)
    before = {stream: cluster.answers(stream) for stream in streams}
    asking = [asyncio.ensure_future(pieces(cluster, store, QUESTION, s)) for s in streams * 2]
    await asyncio.sleep(0)
    for number in range(2, 6):
        newcomer = Mortal(cluster.engines[0], store)
        cluster.members.add("answerer", f"answerer-{number}", newcomer)
    after = await asyncio.gather(*(pieces(cluster, store, QUESTION, s) for s in streams))
    for answer in [*await asyncio.gather(*asking), *after]:
        assert answer[-1].usage.clips == 1
    moved = [stream for stream in streams if cluster.answers(stream) is not before[stream]]
    assert moved
    assert all(cluster.answers(stream).asked for stream in moved)


async def test_replicas_are_replaced_one_by_one_while_clips_come_and_people_ask(cluster, store):
    await shown(cluster, store)
    asking = []
    for number, (name, old) in enumerate(list(cluster.answerers.items())):
        asking.append(asyncio.ensure_future(pieces(cluster, store, QUESTION)))
        await asyncio.sleep(0)
        cluster.members.add("answerer", f"new-{number}", Mortal(cluster.engines[0], store))
        await old.leave(60.0)
        asking.append(asyncio.ensure_future(pieces(cluster, store, QUESTION)))
        assert (await cluster.encode(clip(9))).tokens.start == 36.0
        cluster.members.remove(name)
    assert all(answer[-1].usage.clips == 2 for answer in await asyncio.gather(*asking))
    assert sorted(cluster.members.names("answerer")) == ["new-0", "new-1"]
