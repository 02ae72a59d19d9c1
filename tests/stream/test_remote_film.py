"""Films over HTTP that are read like files, not at the pace at which they play."""

import pytest

from stream.errors import NoVideo
from stream.file.reader import feed_file
from stream.file.whole_file import feed_whole_file
from stream.pull.remote_film import LOST, RemoteFilm
from tests.stream.opening import order
from tests.stream.videos import write_video


@pytest.fixture
async def looked_at(registry, store):
    """Return what was remembered of a film, under a name."""

    async def look(film, name, **how):
        live = await registry.open(name)
        sampled = await feed_whole_file(film, live, **how)
        await live.settle()
        return sampled, [(m.start, m.end) for m in await store.moments(name)]

    return look


def playlist(site, tmp_path, ended):
    flags = {"hls_time": "1", "hls_list_size": "0"} | (
        {} if ended else {"hls_flags": "omit_endlist"}
    )
    options = {"g": "20", "bf": "0"}
    write_video(tmp_path / "a.m3u8", 8.0, 20, codec="libx264", options=options, container=flags)
    for part in tmp_path.glob("a*"):
        site.file(f"/{part.name}", part.read_bytes())
    return "a.m3u8"


async def test_a_film_over_http_is_looked_at_as_the_file_itself_would_be(
    site, address, films, looked_at
):
    site.file("/film.mp4", films["short"].read_bytes(), "video/mp4")
    film = RemoteFilm(order(f"{address}/film.mp4"), "film")
    assert await looked_at(film, "remote") == await looked_at(films["short"], "local")


async def test_a_playlist_with_an_end_is_looked_at_whole(site, address, tmp_path, looked_at):
    path = playlist(site, tmp_path, ended=True)
    sampled, moments = await looked_at(RemoteFilm(order(f"{address}/{path}"), "list"), "list")
    assert (sampled.of, sampled.length) == (160, pytest.approx(8.0, abs=0.1))
    assert moments[-1][1] == pytest.approx(7.9, abs=0.2)


async def test_the_last_seconds_of_a_film_over_http_are_those_at_its_end(
    site, address, films, live, store
):
    site.file("/film.mp4", films["short"].read_bytes(), "video/mp4")
    await feed_file(RemoteFilm(order(f"{address}/film.mp4"), "film"), live, last=2.0)
    await live.settle()
    assert (await store.moments("cam"))[0].start == pytest.approx(6.0, abs=0.2)


async def test_a_film_over_http_that_stops_in_its_middle_says_so(site, address, films, live):
    data = films["short"].read_bytes()

    def answer(handler):
        start = int(handler.headers["Range"].removeprefix("bytes=").rstrip("-"))
        handler.send_response(206)
        handler.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        handler.send_header("Content-Length", str(len(data) - start))
        handler.end_headers()
        handler.wfile.write(data[start : len(data) * 2 // 3])
        handler.close_connection = True

    site.answers["/film.mp4"] = answer
    film = RemoteFilm(order(f"{address}/film.mp4"), "the film")
    with pytest.raises((*LOST, NoVideo)) as failure:
        await feed_whole_file(film, live)
    assert "the film stopped in its middle. The " in film.explain(failure.value)


async def test_what_is_no_film_over_http_is_refused_in_words(site, address, live):
    site.file("/page", b"<!doctype html><html></html>", "text/html")
    with pytest.raises(NoVideo, match="web page"):
        await feed_whole_file(RemoteFilm(order(f"{address}/page"), "page"), live)
