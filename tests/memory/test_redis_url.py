"""What the address of Redis may look like, and servers with TLS."""

import asyncio
import contextlib
import socket
import ssl
import traceback

import pytest
from redis.asyncio import SSLConnection

from memory.errors import StoreUnavailable
from memory.redis.store import RedisStore
from memory.servers.open import open_nodes
from memory.servers.url import Server, SeveralServers, read_url
from tests.memory.test_failover import Node, closed, pump
from tests.memory.test_redis_store import ENCODER, clip
from tests.memory.test_sentinel import USER, watching
from tests.stream.certificates import Certified

TLS_HANDSHAKE = b"\x16"
SENTINELS = (
    "rediss+sentinel://u:p%40@one,[::1]:7/yard/2?sentinel_password=s&ssl_ca_certs=/a%20b.pem"
)


def test_the_sentinels_of_a_url_have_a_password_of_their_own():
    query = "ssl_ca_certs=%2Fa+b.pem"
    assert read_url(SENTINELS) == SeveralServers(
        "sentinel",
        (("one", 26379), ("::1", 7)),
        Server("rediss", "u:p%40", "2", query),
        Server("rediss", ":s", "", query),
        "yard",
    )


def test_the_nodes_of_a_cluster_are_reached_like_those_that_were_named():
    address = read_url("redis+cluster://u:p@one:7000,two")
    assert (address.kind, address.nodes) == ("cluster", (("one", 7000), ("two", 6379)))
    assert address.server.at(("::1", 7)) == "redis://u:p@[::1]:7/"


@pytest.mark.parametrize("url", ["redis://u:p@one/0", "rediss://one", "unix:///a/b+c.sock"])
def test_all_others_are_left_to_the_client(url):
    assert read_url(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "redis+sentinel://u:s3cret@one",
        "redis+cluster://u:s3cret@one/0",
        "redis+cluster://u:s3cret@one,,two",
        "redis+cluster://u:s3cret@one:port",
        "redis+gossip://u:s3cret@one",
        "unix+sentinel://u:s3cret@one/yard",
        "redis+cluster://u:s3cret@one?socket_timeout=soon",
    ],
)
def test_what_cannot_be_read_is_not_repeated(url):
    with pytest.raises(ValueError, match=r"it looks like redis://") as caught:
        RedisStore.connect(url, ENCODER)
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))


async def test_the_master_is_spoken_to_in_secret_where_the_url_says_so():
    nodes = open_nodes(SENTINELS, 1.0)
    [redis] = await nodes.servers()
    assert issubclass(redis.connection_pool.connection_class, SSLConnection)
    await nodes.close()


@contextlib.asynccontextmanager
async def encrypted(port, certificate):
    """Serve, with TLS or plainly, as each client begins, what listens on `port`; yield the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    await asyncio.to_thread(context.load_cert_chain, certificate)
    serving = set()

    async def forward(reader, writer):
        serving.add(asyncio.current_task())
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1", port)
        pumps = [
            asyncio.create_task(pump(*way)) for way in [(reader, to_writer), (to_reader, writer)]
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in pumps:
                task.cancel()
            await closed(to_writer)
            await closed(writer)

    loop = asyncio.get_running_loop()

    async def accept(listener):
        while True:
            taken, _ = await loop.sock_accept(listener)
            begun = asyncio.Event()
            loop.add_reader(taken, begun.set)
            await begun.wait()
            loop.remove_reader(taken)
            secret = taken.recv(1, socket.MSG_PEEK) == TLS_HANDSHAKE
            protocol = asyncio.StreamReaderProtocol(asyncio.StreamReader(), forward)
            with contextlib.suppress(OSError):  # it does not trust us, and hangs up
                await loop.connect_accepted_socket(
                    lambda protocol=protocol: protocol, taken, ssl=context if secret else None
                )

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        accepting = asyncio.create_task(accept(listener))
        yield listener.getsockname()[1]
        accepting.cancel()
        await asyncio.wait([accepting])
        await asyncio.gather(*serving)


async def test_a_user_of_a_server_with_tls_whose_certificate_the_url_names(tmp_path):
    ours = await asyncio.to_thread(Certified, tmp_path, "ours")
    async with Node(*USER) as node, encrypted(node.port, ours.both) as port:
        patient = {"timeout": 60.0, "within": 60.0}
        url = f"rediss://flashback:s3cret@127.0.0.1:{port}/0"
        store = RedisStore.connect(f"{url}?ssl_ca_certs={ours.certificate}", ENCODER, **patient)
        await store.begin("a", 1000.0)
        await store.append("a", clip(0.0), b"picture")
        assert await store.thumbnail("a", 0.0) == b"picture"
        await store.close()
        without = RedisStore.connect(url, ENCODER, **patient)
        with pytest.raises(StoreUnavailable, match=r"not trusted: .* \?ssl_ca_certs="):
            await without.check()
        await without.close()


async def test_sentinels_and_the_master_that_they_name_are_spoken_to_with_tls(tmp_path):
    ours = await asyncio.to_thread(Certified, tmp_path, "ours")
    patient = {"timeout": 60.0, "within": 60.0}
    async with (
        Node(*USER) as node,
        encrypted(node.port, ours.both) as master,  # the Sentinel itself speaks plainly
        watching(master, tmp_path, replicas=0) as plain,
        encrypted(plain, ours.both) as sentinel,
    ):
        url = f"rediss+sentinel://flashback:s3cret@127.0.0.1:{sentinel}/yard"
        store = RedisStore.connect(f"{url}?ssl_ca_certs={ours.certificate}", ENCODER, **patient)
        await store.begin("a", 1000.0)
        await store.append("a", clip(0.0), b"picture")
        assert await store.thumbnail("a", 0.0) == b"picture"
        await store.close()
        without = RedisStore.connect(url, ENCODER, **patient)
        with pytest.raises(StoreUnavailable):
            await without.check()
        await without.close()
