"""What web servers answer beside 200 and 206 of the book: each is played, or said in its own words."""

import gzip
import io
from itertools import pairwise

import httpx
import pytest

from stream.pull.errors import CannotOpen
from stream.pull.io.http.answer import whole_length
from stream.pull.io.http.hls import PlaylistGuide
from tests.stream.opening import HurriedClock, PlayClock, look, open_source, order
from tests.stream.test_hls import MPEGURL
from tests.stream.test_motion_jpeg import jpeg
from tests.stream.test_odd_http import playlist


def answering(status, body=b"", **headers):
    def answer(handler):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)
        handler.close_connection = True

    return answer


@pytest.mark.parametrize("status", [203, 206])
def test_all_of_a_film_is_read_under_whatever_status_it_comes(site, address, films, status):
    film = films["ts"].read_bytes()
    site.answers["/film"] = answering(status, film, Content_Length=str(len(film)))
    _, picked = look(order(f"{address}/film"))
    assert len(picked) >= 15


@pytest.mark.parametrize("status", [201, 202, 204, 205])
def test_an_answer_without_a_film_is_called_that(site, address, status):
    site.answers["/film"] = answering(status, Content_Length="0")
    with pytest.raises(CannotOpen, match=f"status {status}, and sent no video"):
        look(order(f"{address}/film"))


@pytest.mark.parametrize("name", ["film.ts", "live.m3u8"])
def test_what_is_compressed_unasked_is_said(site, address, films, name):
    site.file("/seg0.ts", films["ts"].read_bytes())
    body = films["ts"].read_bytes() if name == "film.ts" else playlist("#EXTINF:8,\nseg0.ts\n")
    site.answers[f"/{name}"] = answering(200, gzip.compress(body), Content_Encoding="gzip")
    with pytest.raises(CannotOpen, match="compresses what it sends"):
        look(order(f"{address}/{name}"))


@pytest.mark.parametrize("length", [2**31 - 1, 2**32 - 1, 9_999_999_999, 2**63 - 1])
def test_live_video_of_a_made_up_length_is_live(site, address, films, length):
    site.answers["/live"] = answering(200, films["ts"].read_bytes(), Content_Length=str(length))
    source = open_source(order(f"{address}/live"))
    try:
        assert not source.finite
    finally:
        source.close()


@pytest.mark.parametrize("length", [0, 1, 99, 999_999, 2**31 - 2, 12_345_678_901])
def test_an_honest_length_is_believed(length):
    assert whole_length(httpx.Response(200, headers={"Content-Length": str(length)})) == length
    part = {"Content-Range": f"bytes 5-9/{length}", "Content-Length": "5"}
    assert whole_length(httpx.Response(206, headers=part)) == length


@pytest.mark.parametrize("before", [b"\xef\xbb\xbf", b"\n\n", b"\r\n "])
def test_a_playlist_may_begin_with_a_mark_or_empty_lines(site, address, films, before):
    site.file("/seg0.ts", films["ts"].read_bytes())
    site.file("/live.m3u8", before + playlist("#EXTINF:8,\nseg0.ts\n"), MPEGURL)
    _, picked = look(order(f"{address}/live.m3u8"))
    assert len(picked) >= 15


@pytest.mark.parametrize("ended", ["", "#EXT-X-ENDLIST\n"])
def test_a_playlist_without_segments_is_said(site, address, ended, monkeypatch):
    monkeypatch.setattr("stream.pull.io.http.hls._SHORTEST_WAIT", 0.01)
    site.file("/live.m3u8", f"#EXTM3U\n#EXT-X-TARGETDURATION:0\n{ended}".encode(), MPEGURL)
    with pytest.raises(CannotOpen, match="names no segments"):
        open_source(order(f"{address}/live.m3u8"), HurriedClock())


@pytest.mark.parametrize("names", [["own.m3u8"], ["a.m3u8"], ["a.m3u8", "own.m3u8"] * 3])
def test_playlists_that_name_playlists_in_a_circle_are_not_followed(site, address, names):
    def master(*uris):
        return "#EXTM3U\n" + "".join(f"#EXT-X-STREAM-INF:BANDWIDTH=1\n{uri}\n" for uri in uris)

    site.file("/own.m3u8", master(*names).encode(), MPEGURL)
    site.file("/a.m3u8", master("own.m3u8").encode(), MPEGURL)
    with pytest.raises(CannotOpen, match="playlists of playlists"):
        look(order(f"{address}/own.m3u8"))
    assert len(site.asked) <= 10


def test_a_playlist_of_thousands_of_playlists_is_not_followed(site, address):
    many = "".join(f"#EXT-X-STREAM-INF:BANDWIDTH={i}\n{i}.m3u8\n" for i in range(1, 1000))
    site.file("/own.m3u8", f"#EXTM3U\n{many}".encode(), MPEGURL)
    with pytest.raises(CannotOpen, match="too long"):
        look(order(f"{address}/own.m3u8"))
    assert len(site.asked) == 1


MASTER = """#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x",URI="gone-sound.m3u8"
#EXT-X-MEDIA:NAME="y",TYPE=SUBTITLES,GROUP-ID="s",URI="own.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="a",SUBTITLES="s"
{}
#EXT-X-STREAM-INF:BANDWIDTH=2,AUDIO="a"
{}
"""


@pytest.mark.parametrize("names", [("ok", "ok"), ("gone", "ok"), ("ok", "gone")])
def test_sound_subtitles_and_qualities_that_are_refused_keep_no_video_away(
    site, address, films, names
):
    site.file("/seg0.ts", films["ts"].read_bytes())
    site.file("/ok", playlist("#EXTINF:8,\nseg0.ts\n"), MPEGURL)
    site.file("/own.m3u8", MASTER.format(*names).encode(), MPEGURL)
    _, picked = look(order(f"{address}/own.m3u8"))
    assert len(picked) >= 15
    assert not any("gone-sound" in path for path, _ in site.asked)


def test_a_playlist_none_of_whose_qualities_is_there_says_what_the_server_said(site, address):
    site.file("/own.m3u8", MASTER.format("gone", "lost").encode(), MPEGURL)
    with pytest.raises(CannotOpen, match="nothing at this path"):
        look(order(f"{address}/own.m3u8"))


@pytest.mark.parametrize("target", ["0", "nan", "-1"])
def test_a_live_playlist_of_no_length_is_not_asked_for_without_a_pause(target):
    clock, asked = PlayClock(), []

    def open_file(url, _start, _end):
        asked.append(clock.now)
        return Text(f"#EXTM3U\n#EXT-X-TARGETDURATION:{target}\n#EXTINF:0,\na.ts\n", url)

    guide = PlaylistGuide(open_file, None, within=5, clock=clock, sleep=clock.sleep)
    for _ in range(5):
        guide.open("http://cam/live.m3u8")
    assert steps_of(asked) == [0.5] * 4


class Text(io.BytesIO):
    """A playlist as it comes from a server."""

    def __init__(self, text, name):
        super().__init__(text.encode())
        self.name = name

    def peek(self, size):
        return self.getvalue()[:size]


def steps_of(times):
    return [after - before for before, after in pairwise(times)]


def test_a_source_that_sends_nothing_is_called_that(site, address):
    site.answers["/cam"] = answering(200)
    with pytest.raises(CannotOpen, match="sent nothing"):
        look(order(f"{address}/cam"))


def test_segments_that_are_single_pictures_are_no_fault_of_the_connection(site, address):
    site.file("/0.jpg", jpeg(1), "image/jpeg")
    site.file("/live.m3u8", playlist("#EXTINF:8,\n0.jpg\n"), MPEGURL)
    with pytest.raises(CannotOpen, match="not video that can be read"):
        look(order(f"{address}/live.m3u8"))


SDP = b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=video 5004 RTP/AVP 96\r\n"
CHANNELS = b'#EXTM3U\n#EXTINF:-1 tvg-id="a",One\nhttp://a.example/1.m3u8\n'


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"Not authorized\n", "is text, not video"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 3\n",
            "is text, not video",
        ),
        (b"<smil><body/></smil>", "is an XML document, not video"),
        (b'<asx version="3.0"><entry/></asx>', "is an XML document, not video"),
        (SDP, "give the rtsp:// address"),
        (CHANNELS, "is a list of addresses"),
        (b"#EXTM3U\nhttp://a.example/1.mp4\nhttp://a.example/2.mp4\n", "is a list of addresses"),
        (b"#EXTM3U\n#EXTINF:0,Song\nsong.mp4\n", "is a list of addresses"),
    ],
)
def test_what_is_text_is_not_called_unreadable_video(site, address, body, reason):
    site.file("/x", body)
    with pytest.raises(CannotOpen, match=reason):
        open_source(order(f"{address}/x"))


def test_a_playlist_whose_only_words_are_lengths_is_played(site, address, films):
    site.file("/0.ts", films["ts"].read_bytes())
    site.file("/x", b"#EXTM3U\n#EXTINF:1.5,\n0.ts\n")
    source = open_source(order(f"{address}/x"))
    source.close()
    assert not source.finite
