"""Webhooks: signed, to checked addresses, tried again, and put aside in the end."""

import asyncio
import base64
import hmac
import json
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest

from memory.errors import StoreUnavailable
from memory.local_documents import LocalDocuments
from stream.address.reachable import read_networks
from stream.errors import BadSource, NotDelivered
from stream.watches.condition import Clause, Condition
from stream.watches.records import Event, Sighting, Watch, Webhook
from stream.watches.webhooks.delivery import PAUSES, Deliveries
from stream.watches.webhooks.webhook import Poster, signed

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef").decode()
LOOPBACK = read_networks(["127.0.0.0/8"])
EVENT = Event(
    "event_1", "w", "a dog?", "yard", 1000.0, 1.0, 7.0, 7.0, open=True, peak=1.0,
    evidence=(Sighting(4.0, 7.0, 1.0),),
)  # fmt: skip


@asynccontextmanager
async def receiver(answer=b"HTTP/1.1 204 No Content\r\n\r\n"):
    """A server that keeps what it gets and gives one answer."""
    got = SimpleNamespace(requests=[], answer=answer)

    async def handle(reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        body = await reader.readexactly(int(headers["Content-Length"]))
        got.requests.append((head.split("\r\n")[0], headers, body))
        writer.write(got.answer)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        got.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook?key=hidden"
        yield got


@asynccontextmanager
async def delivering(url, documents=None):
    work = SimpleNamespace(now=1000.0, done=[], documents=documents or LocalDocuments())
    work.watch = Watch(
        "w", "a dog?", (), Condition((Clause(("dog",)),)), webhook=Webhook(url, SECRET)
    )
    work.watches = {"w": work.watch}

    async def thumbnail(stream, start):
        return b"jpeg of %s at %d" % (stream.encode(), start)

    work.deliveries = Deliveries(
        work.documents,
        Poster(LOOPBACK),
        wall=lambda: work.now,
        find=lambda key: work.watches.get(key),
        thumbnail=thumbnail,
        done=lambda watch, trouble: work.done.append((watch, trouble)),
    )
    await work.deliveries.queue(work.watch, EVENT)
    yield work


async def test_an_event_is_sent_signed_with_its_picture():
    async with receiver() as got, delivering(got.url) as work:
        assert await work.deliveries.deliver_due()
        [(line, headers, body)] = got.requests
        assert line == "POST /hook?key=hidden HTTP/1.1"
        said = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        expected = base64.b64encode(hmac.digest(b"0123456789abcdef", said, "sha256")).decode()
        assert headers["webhook-signature"] == f"v1,{expected}"
        sent = json.loads(body)
        assert (sent["type"], sent["data"]["id"], sent["data"]["stream"]) == ("watch.fired", "event_1", "yard")  # fmt: skip
        assert base64.b64decode(sent["data"]["thumbnail"]) == b"jpeg of yard at 4"
        assert work.done == [("w", None)]
        assert not await work.deliveries.deliver_due()


async def test_what_is_not_taken_is_tried_again_with_growing_pauses_and_then_put_aside(caplog):
    async with receiver(b"HTTP/1.1 500 No\r\n\r\n") as got, delivering(got.url) as work:
        for pause in PAUSES:
            assert await work.deliveries.deliver_due()
            assert not await work.deliveries.deliver_due()
            work.now += pause
        assert await work.deliveries.deliver_due()
        assert len(got.requests) == len(PAUSES) + 1
        assert {headers["webhook-id"] for _, headers, _ in got.requests} == {"event_1"}
        [dead] = await work.deliveries.dead()
        assert (dead.event, dead.error) == (EVENT, "It answered with status 500.")
        assert work.done == [("w", "A webhook was given up. It answered with status 500.")]
        assert not await work.deliveries.deliver_due()
        assert "hidden" not in caplog.text
        assert SECRET not in caplog.text


async def test_the_queue_outlives_the_process_and_holds_no_secrets():
    async with receiver() as got:
        async with delivering(got.url) as before:
            kept = repr(before.documents._kinds)
            assert "hidden" not in kept
            assert SECRET not in kept
        async with delivering(got.url, before.documents) as after:
            assert await after.deliveries.deliver_due()
            assert await after.deliveries.deliver_due()
        assert len(got.requests) == 2


async def test_what_the_store_could_not_take_is_queued_and_sent_once_it_can():
    documents = Away()
    async with receiver() as got, delivering(got.url, documents) as work:
        with pytest.raises(StoreUnavailable):
            await work.deliveries.deliver_due()
        documents.away = False
        assert await work.deliveries.deliver_due()
        assert not await work.deliveries.deliver_due()
        assert [headers["webhook-id"] for _, headers, _ in got.requests] == [EVENT.id]
        assert work.done == [("w", None)]


class Away(LocalDocuments):
    """A store that cannot be reached."""

    away = True

    async def count(self, kind):
        if self.away:
            raise StoreUnavailable("away")
        return await super().count(kind)


async def test_what_was_taken_but_not_struck_off_is_sent_again_under_the_same_id():
    """The process ends between the two: a receiver tells by the id."""
    async with receiver() as got, delivering(got.url) as before:
        waiting = await before.documents.lowest("watch-delivery", 9)
        assert await before.deliveries.deliver_due()
        await before.documents.put("watch-delivery", waiting[0], 9)
        after = delivering(got.url, before.documents)
        async with after as work:
            while await work.deliveries.deliver_due():
                pass
        assert {headers["webhook-id"] for _, headers, _ in got.requests} == {EVENT.id}


async def test_dead_letters_are_still_there_after_a_restart():
    async with receiver(b"HTTP/1.1 500 Oh\r\n\r\n") as got, delivering(got.url) as before:
        for pause in (*PAUSES, 0):
            assert await before.deliveries.deliver_due()
            before.now += pause
        async with delivering(got.url, before.documents) as after:
            assert [letter.event.id for letter in await after.deliveries.dead()] == [EVENT.id]


async def test_what_a_deleted_watch_wanted_delivered_is_dropped():
    async with receiver() as got, delivering(got.url) as work:
        del work.watches["w"]
        assert await work.deliveries.deliver_due()
        assert got.requests == []
        assert await work.deliveries.dead() == []


async def test_a_redirect_is_not_followed():
    answer = b"HTTP/1.1 307 Elsewhere\r\nLocation: http://127.0.0.1/\r\n\r\n"
    async with receiver(answer) as got:
        with pytest.raises(NotDelivered, match="status 307"):
            await Poster(LOOPBACK).post(got.url, SECRET, "id", 0.0, b"{}")
        assert len(got.requests) == 1


async def test_a_private_address_is_never_dialled_unless_allowed():
    async with receiver() as got:
        for resolver in (
            lambda host, port: ["127.0.0.1"],
            lambda host, port: ["10.0.0.1", "8.8.8.8"],
        ):
            url = got.url.replace("127.0.0.1", "hook.example")
            with pytest.raises(NotDelivered, match="private network"):
                await Poster(resolver=resolver).post(url, SECRET, "id", 0.0, b"{}")
        assert got.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://hook.example/",
        "http://user:word@hook.example/",
        "http://192.168.1.1/",
        "http://[::1]/",
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
        "http://hook.example/a b",
        "nothing",
    ],
)
def test_an_address_that_cannot_be_sent_to_is_refused_when_it_is_set(url):
    with pytest.raises(BadSource):
        Poster().check(url)


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-x\r\n", b"HTTP/1.1 abc\r\n", b"x" * 5000])
async def test_what_does_not_speak_http_has_not_taken_it(answer):
    async with receiver(answer) as got:
        with pytest.raises(NotDelivered, match="does not speak HTTP"):
            await Poster(LOOPBACK).post(got.url, SECRET, "id", 0.0, b"{}")


async def test_nobody_there_is_said_in_a_sentence():
    async with receiver() as got:
        pass
    with pytest.raises(NotDelivered, match="cannot be reached"):
        await Poster(LOOPBACK).post(got.url, SECRET, "id", 0.0, b"{}")


def test_the_signature_is_that_of_the_published_example():
    # https://github.com/standard-webhooks/standard-webhooks: of its reference libraries.
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    headers = signed(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
