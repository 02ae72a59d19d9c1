"""Two hosts of a cluster, each a whole service, that share what is kept."""

import asyncio

import pytest

from memory.errors import StoreUnavailable
from memory.local_documents import LocalDocuments
from memory.local_store import LocalStore
from tests.stream.fakes import picture
from tests.web.conftest import echo_service
from tests.web.fakes import EchoEngine
from tests.web.test_pictures import jpeg, line
from tests.web.test_senders_leave import SDP
from web.cluster.homes import Homes
from web.services import CLOCKS

FAR = "http://far.example:8700"


class Away:
    """Documents in a Redis that cannot be reached."""

    async def get(self, *_):
        raise StoreUnavailable

    put = remove = get


@pytest.fixture
def kept():
    return LocalDocuments()


@pytest.fixture
async def near(kept):
    async with echo_service(documents=kept, cluster=True) as service:
        yield service


@pytest.fixture
def far(kept):
    return Homes(kept, FAR, CLOCKS.wall)


@pytest.mark.parametrize("kind", ["whip", "whep"])
async def test_an_offer_is_sent_to_the_host_that_has_the_stream(near, far, kind):
    await far.claim("door")
    async with near.client() as client:
        response = await client.post(f"/{kind}/door", content="v=0", headers=SDP)
    assert response.status_code == 307
    assert response.headers["Location"] == f"{FAR}/{kind}/door"


async def test_who_may_not_send_is_not_told_where_the_stream_is(kept, far):
    await far.claim("door")
    async with (
        echo_service(documents=kept, cluster=True, token="secret") as near,
        near.client() as client,
    ):
        assert (await client.post("/whip/door", content="v=0", headers=SDP)).status_code == 401


async def test_a_stream_that_is_fed_here_is_not_sent_elsewhere_and_others_know(near, far, player):
    async with near.client() as client:
        response = await client.post("/whip/door", content=player.offer, headers=SDP)
        assert response.status_code == 201
        assert await far.elsewhere("door") == near.services.settings.own_url
        await client.delete(response.headers["Location"])


async def test_a_question_about_another_host_s_stream_is_answered_from_what_is_kept(kept):
    store = LocalStore(EchoEngine.encoder)
    async with (
        echo_service(store=store, documents=kept, cluster=True, port=8701) as one,
        echo_service(store=store, documents=kept, cluster=True, port=8702) as other,
    ):
        await one.remember("door", clips=3)
        async with other.talk("door") as talk:
            await talk.ask("who came?")
            text, response = await talk.until_done()
    assert text.strip() == "who came?"
    assert response["status"] == "completed"


async def test_what_another_host_took_later_is_let_go_here(near, far):
    async with near.talk("cam") as talk:
        await talk.say(line(jpeg()))
        await talk.hear("conversation.item.added")
        live = await near.services.registry.find("cam")
        homes = near.services.homes
        await homes.renew(["cam"], [].append)
        homes._held["cam"] -= 1
        await far.claim("cam")
        await homes.renew(["cam"], lambda name: near.services.registry.let_go(name, "Taken."))
        assert not live.fed


async def test_while_redis_is_away_every_host_takes_what_comes(near, far, player):
    await far.claim("door")

    near.services.homes._documents = Away()
    async with near.client() as client:
        response = await client.post("/whip/door", content=player.offer, headers=SDP)
        assert response.status_code == 201
        await client.delete(response.headers["Location"])


class Unhurried(EchoEngine):
    """Encodes after others have had many turns of the event loop."""

    async def encode(self, clip):
        for _ in range(500):
            await asyncio.sleep(0)
        return await super().encode(clip)


class Watched(LocalDocuments):
    """Notes what of the stream is remembered when its lease is given up."""

    async def remove(self, kind, key):
        if kind == "home":
            self.remembered = [clip async for clip in self.store.clips(key)]
        return await super().remove(kind, key)


async def test_a_host_that_ends_gives_a_stream_up_once_all_of_it_is_written():
    documents, engine = Watched(), Unhurried()
    documents.store = LocalStore(engine.encoder)
    service = echo_service(documents=documents, engine=engine, store=documents.store, cluster=True)
    async with service as near:
        live = await near.services.registry.open("cam")
        feed = live.open_feed("pull")
        feed.push(feed.offer(0.0), picture())
        await near.services.homes.claim("cam")
    assert len(documents.remembered) == 1
