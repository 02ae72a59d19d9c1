"""What of a playlist was seen, and what a reader does with the rest."""

import pytest

from stream.errors import BadSource
from stream.pull.errors import CannotOpen
from stream.pull.io.http.hls import PlaylistGuide, read_playlist, without
from stream.pull.messages import Place
from tests.stream.http_server import send_file
from tests.stream.opening import HurriedClock, PlayClock, look, open_source, order
from tests.stream.videos import write_video

MPEGURL = "application/vnd.apple.mpegurl"
LIVE = """#EXTM3U
#EXT-X-TARGETDURATION:3
#EXT-X-MEDIA-SEQUENCE:102
#EXT-X-MAP:URI="init.mp4"
#EXTINF:2.0,
a/seg102.ts?key=1
#EXT-X-DISCONTINUITY
#EXTINF:2.0,
a/seg103.ts?key=2
#EXT-X-KEY:METHOD=AES-128,URI="key"
#EXTINF:2.0,
a/seg104.ts?key=3
"""


@pytest.mark.parametrize(
    ("place", "seen"),
    [
        (None, 0),
        (Place(segment=101, name="seg101.ts"), 0),
        (Place(segment=102, name="seg102.ts"), 1),
        (Place(segment=104, name="seg104.ts"), 3),
        (Place(segment=103, name="seg7.ts"), 0),
        (Place(segment=200, name="seg104.ts"), 0),
        (Place(position=3.0), 0),
    ],
)
def test_what_was_seen_of_a_playlist_is_known_by_number_and_name(place, seen):
    assert read_playlist(LIVE).seen(place) == seen


def test_a_playlist_without_what_was_seen_keeps_numbers_keys_and_maps():
    rest = without(LIVE, 2)
    assert read_playlist(rest).segments == (("a/seg104.ts?key=3", 0),)
    assert read_playlist(rest).first == 104
    assert rest.splitlines() == [
        "#EXTM3U",
        "#EXT-X-MEDIA-SEQUENCE:104",
        "#EXT-X-TARGETDURATION:3",
        '#EXT-X-MAP:URI="init.mp4"',
        '#EXT-X-KEY:METHOD=AES-128,URI="key"',
        "#EXTINF:2.0,",
        "a/seg104.ts?key=3",
    ]


def test_a_playlist_of_playlists_has_no_segments():
    assert read_playlist("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow.m3u8\n") is None


@pytest.fixture
def segments(site, tmp_path):
    """Six segments of a second at `/0.ts` and so on."""
    for i in range(6):
        film = write_video(
            tmp_path / f"{i}.ts",
            seconds=1.0,
            codec="libx264",
            options={"g": "10", "bf": "0"},
            container={"output_ts_offset": str(i)},
        )
        site.file(f"/{i}.ts", film.read_bytes(), "video/mp2t")


def window(first, last, ended=False):
    lines = [f"#EXTINF:1,\n{i}.ts\n" for i in range(first, last + 1)]
    head = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:{first}\n"
    return (head + "".join(lines) + ("#EXT-X-ENDLIST\n" if ended else "")).encode()


def after(segment):
    return Place(segment=segment, name=f"{segment}.ts")


@pytest.mark.usefixtures("segments")
def test_a_reader_goes_on_behind_the_segment_that_an_earlier_one_came_to(site, address):
    site.file("/live.m3u8", window(0, 5, ended=True), MPEGURL)
    picker, _ = look(order(f"{address}/live.m3u8", after=after(3)))
    assert picker.seen == 20
    assert {path for path, _ in site.asked} == {"/live.m3u8", "/4.ts", "/5.ts"}


@pytest.mark.usefixtures("segments")
def test_a_reader_knows_how_far_it_came_and_that_the_end_came_meanwhile(site, address):
    loads = iter([window(0, 2), window(0, 2), window(0, 3, ended=True)])
    site.answers["/live.m3u8"] = lambda handler: send_file(handler, next(loads), MPEGURL)
    source = open_source(order(f"{address}/live.m3u8"))
    assert not source.finite
    assert sum(1 for packet in source.container.demux(source.video) if packet.size) == 40
    assert source.place() == after(3)
    assert source.has_ended()
    source.close()


@pytest.mark.usefixtures("segments")
def test_behind_a_playlist_of_playlists_too_only_what_is_new_is_shown(site, address):
    site.file("/all.m3u8", b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nsub/live.m3u8\n", MPEGURL)
    site.file("/sub/live.m3u8", window(0, 5, ended=True).replace(b"\n4.ts", b"\n/4.ts"), MPEGURL)
    site.answers["/sub/5.ts"] = site.answers["/5.ts"]
    picker, _ = look(order(f"{address}/all.m3u8", after=after(3)))
    assert picker.seen == 20


@pytest.mark.usefixtures("segments")
def test_a_playlist_that_ended_and_was_seen_whole_is_at_its_end(site, address):
    site.file("/live.m3u8", window(0, 5, ended=True), MPEGURL)
    with pytest.raises(CannotOpen, match="at its end") as failure:
        open_source(order(f"{address}/live.m3u8", after=after(5)))
    assert failure.value.over.final


@pytest.mark.usefixtures("segments")
@pytest.mark.parametrize("path", ["live.m3u8", "all.m3u8"])
def test_a_playlist_that_is_not_written_any_more_is_said(site, address, path, monkeypatch):
    monkeypatch.setattr("stream.pull.io.http.hls._SHORTEST_WAIT", 0.01)
    site.file("/all.m3u8", b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlive.m3u8\n", MPEGURL)
    text = window(2, 5).replace(b"TARGETDURATION:1", b"TARGETDURATION:0")
    site.file("/live.m3u8", text, MPEGURL)
    with pytest.raises(CannotOpen, match="not written any more") as failure:
        open_source(order(f"{address}/{path}", after=after(5)), HurriedClock())
    assert not failure.value.over.final
    assert "/5.ts" not in {path for path, _ in site.asked}


@pytest.mark.usefixtures("segments")
def test_a_segment_that_is_not_there_is_passed_over_and_counted(site, address):
    site.answers.pop("/2.ts"), site.answers.pop("/4.ts")
    site.file("/live.m3u8", window(0, 5, ended=True), MPEGURL)
    source = open_source(order(f"{address}/live.m3u8"))
    assert sum(1 for packet in source.container.demux(source.video) if packet.size) == 40
    assert source.place() == Place(segment=5, name="5.ts", missing=2)
    assert source.has_ended()
    source.close()


@pytest.mark.usefixtures("segments")
def test_a_server_without_any_segments_is_taken_at_its_word(site, address):
    for segment in range(6):
        site.answers.pop(f"/{segment}.ts")
    site.file("/live.m3u8", window(0, 5, ended=True), MPEGURL)
    with pytest.raises(CannotOpen, match="nothing at this path"):
        open_source(order(f"{address}/live.m3u8"))


class Texts:
    """Files that hold one text after another."""

    name = "http://cam/live.m3u8"

    def __init__(self, texts):
        self.texts = iter(texts)
        self.rest = b""

    def __call__(self, _url, _start, _end):
        self.rest = next(self.texts)
        return self

    def peek(self, size):
        return self.rest[:size]

    def read(self, size):
        taken, self.rest = self.rest[:size], self.rest[size:]
        return taken

    def close(self):
        pass


def guide(texts, segment, within=8.0):
    clock = PlayClock()
    files = Texts(texts)
    made = PlaylistGuide(files, after(segment), within=within, clock=clock, sleep=clock.sleep)
    return made, clock


def test_a_reader_waits_for_the_next_segment():
    made, clock = guide([window(0, 5), window(0, 5), window(1, 6)], 5)
    assert b"6.ts" in made.open("http://cam/live.m3u8").read()
    assert clock.now == 101.0


def test_it_waits_no_longer_than_it_may():
    made, clock = guide([window(0, 5)] * 100, 5)
    with pytest.raises(BadSource):
        made.open("http://cam/live.m3u8")
    assert clock.now < 110


def test_a_writer_that_began_anew_is_followed():
    made, _ = guide([window(0, 2)], 900)
    assert b"\n0.ts" in made.open("http://cam/live.m3u8").read()


def test_a_playlist_of_too_many_short_lines_is_refused(monkeypatch):
    monkeypatch.setattr("stream.pull.io.http.hls._MOST_LINES", 1000)
    made, _ = guide([window(0, 600)], 5)
    with pytest.raises(BadSource, match="too long"):
        made.open("http://cam/live.m3u8")


def test_an_endless_playlist_is_refused(monkeypatch):
    monkeypatch.setattr("stream.pull.io.http.hls.LONGEST_PLAYLIST", 10_000)
    made, _ = guide([window(0, 2000)], 5)
    with pytest.raises(BadSource, match="too long"):
        made.open("http://cam/live.m3u8")
