import pytest

from stream.address.reachable import read_networks
from stream.address.source_url import read_source
from stream.errors import BadSource
from stream.pull.errors import Refused
from stream.pull.io.http.guarded import HttpSource
from stream.pull.io.http.opener import opener_of
from tests.stream.http_server import send_nothing, send_pictures

LOOPBACK = read_networks(["127.0.0.0/8", "::1"])
SECRET = b"the inside of the house"


@pytest.fixture
def opened():
    """Open a source as from outside: only `cam.example`, which is this machine, may be reached."""
    sources = []

    def open_source(url, allowed=LOOPBACK, names=None):
        known = {"127.0.0.1": ["127.0.0.1"], **(names or {})}
        source = HttpSource(
            read_source(url),
            allowed,
            timeout=60.0,
            resolver=lambda host, _port: known.get(host, []),
        )
        sources.append(source)
        return source

    yield open_source
    for source in sources:
        source.close()


def test_a_file_is_read(site, address, opened):
    site.file("/a", b"0123456789", "video/mp4")
    file = opened(f"{address}/a").open()
    assert (file.content_type, file.length) == ("video/mp4", 10)
    assert (file.read(4), file.tell(), file.read()) == (b"0123", 4, b"456789")
    assert file.read() == b""
    file.close()


def test_a_file_is_read_from_the_middle_where_the_server_can(site, address, opened):
    site.file("/a", b"0123456789")
    file = opened(f"{address}/a").open()
    assert file.seekable()
    assert (file.seek(7), file.read(), file.seek(-8, 2), file.read(2)) == (7, b"789", 2, b"23")
    file.close()


def test_a_picture_is_handed_over_before_the_next_one_comes(site, address, opened):
    site.answers["/cam"] = lambda handler: send_pictures(handler, [b"one", b"two"], site.left.wait)
    file = opened(f"{address}/cam").open()
    text = b""
    while b"one" not in text:  # held back, it would wait for more than the camera will send
        text += file.read(4096)
    assert b"two" not in text


def test_a_private_address_is_not_dialled(site, address, opened):
    site.file("/a", SECRET)
    with pytest.raises(BadSource, match="private network"):
        opened(f"{address}/a", allowed=()).open()
    assert site.asked == []
    assert opened(f"{address}/a").open().read() == SECRET


def test_a_redirect_inside_is_not_followed(site, address, opened):
    port = address.rpartition(":")[2]
    site.file("/secret", SECRET)
    site.redirect("/go", f"http://inside.example:{port}/secret")
    outside = read_networks(["127.0.0.1"])
    names = {"inside.example": ["127.0.0.2"]}
    with pytest.raises(BadSource, match=r"inside\.example leads into a private network"):
        opened(f"{address}/go", allowed=outside, names=names).open()
    names = {"inside.example": ["127.0.0.1"]}
    assert opened(f"{address}/go", names=names).open().read() == SECRET


def test_a_name_that_changes_its_address_meanwhile_is_checked_again(site, address, opened):
    port = address.rpartition(":")[2]
    site.file("/a", SECRET)
    answers = iter([["127.0.0.1"], ["127.0.0.2"]])
    source = HttpSource(
        read_source(f"http://rebinding.example:{port}/a"),
        read_networks(["127.0.0.1"]),
        timeout=60.0,
        resolver=lambda _host, _port: next(answers),
    )
    assert source.open().read() == SECRET
    with pytest.raises(BadSource, match="private network"):
        source.open()
    source.close()


@pytest.mark.parametrize(
    "target",
    ["file:///etc/passwd", "ftp://127.0.0.1/a", "gopher://127.0.0.1/a", "data:text/plain,x"],
)
def test_a_redirect_to_another_scheme_is_not_followed(site, address, opened, target):
    site.redirect("/go", target)
    with pytest.raises(BadSource):
        opened(f"{address}/go").open()


@pytest.mark.parametrize("target", ["file:///etc/passwd", "concat:a|b", "tcp://127.0.0.1:22", "a"])
def test_what_a_playlist_refers_to_is_http_or_nothing(site, address, opened, target):
    with pytest.raises(BadSource):
        opener_of(opened(f"{address}/list.m3u8").open)(target, 0, {})


def test_redirects_have_an_end(site, address, opened):
    site.redirect("/go", "/go")
    with pytest.raises(BadSource, match="redirects"):
        opened(f"{address}/go").open()
    assert len(site.asked) <= 7


@pytest.mark.parametrize("guard", ["guarded_by_basic", "guarded_by_digest"])
def test_credentials_answer_a_challenge(site, address, opened, guard):
    site.file("/a", SECRET)
    getattr(site, guard)("/a", "ad@min", "p:ss")
    host = address.removeprefix("http://")
    assert opened(f"http://ad%40min:p%3Ass@{host}/a").open().read() == SECRET
    assert "Authorization" not in site.asked[0][1]
    with pytest.raises(Refused) as refusal:
        opened(f"http://ad%40min:wrong@{host}/a").open()
    assert refusal.value.status == 401


def test_credentials_are_not_given_to_another_host(site, address, opened):
    port = address.rpartition(":")[2]
    site.file("/a", SECRET)
    site.guarded_by_basic("/a", "admin", "pass")
    site.redirect("/go", f"http://other.example:{port}/a")
    with pytest.raises(Refused):
        opened(
            f"http://admin:pass@127.0.0.1:{port}/go", names={"other.example": ["127.0.0.1"]}
        ).open()
    assert all("Authorization" not in headers for _, headers in site.asked)


def test_errors_are_the_ones_every_file_may_raise(site, address, opened):
    with pytest.raises(Refused) as refusal:
        opened(f"{address}/nothing").open()
    assert refusal.value.status == 404
    with pytest.raises(ConnectionRefusedError):
        opened("http://127.0.0.1:9/a").open()
    with pytest.raises(BadSource, match="is not known"):
        opened("http://nowhere.example/a").open()


def test_a_server_that_accepts_and_stays_silent_is_given_up(site, address):
    site.answers["/a"] = send_nothing(site)
    source = HttpSource(read_source(f"{address}/a"), LOOPBACK, timeout=0.2)
    with pytest.raises(TimeoutError):
        source.open()
    source.close()


def test_this_machines_public_address_is_refused_also_behind_a_redirect(site, address):
    site.redirect("/away", "http://away.example/film.mp4")

    def resolver(host, _port):
        return ["127.0.0.1"] if host == "127.0.0.1" else ["93.184.216.34"]

    allowed = read_networks(["127.0.0.0/8"])
    http = HttpSource(
        read_source(f"{address}/away"), allowed, 60.0, resolver, own=("93.184.216.34",)
    )
    with pytest.raises(BadSource, match="machine of this service itself"):
        http.open()
    http.close()
