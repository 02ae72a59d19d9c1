"""Playlists of fragments that go over to another beginning: an encoder that was set differently, a break."""

import pytest

from stream.file.whole_file import feed_whole_file
from stream.pull.io.http.hls_maps import Maps
from stream.pull.messages import Place
from stream.pull.remote_film import RemoteFilm
from tests.stream.opening import look, open_source, order
from tests.stream.videos import write_video

SMALL, LARGE = (96, 64), (128, 96)
OF_ALL = ("#EXTM3U", "#EXT-X-VERSION", "#EXT-X-TARGETDURATION", "#EXT-X-MEDIA-SEQUENCE")


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """Two seconds of a size in fragments of one: files by name, the playlist's lines."""
    found = {}
    for name, size in (("a", SMALL), ("b", LARGE), ("c", SMALL)):
        folder = tmp_path_factory.mktemp(name)
        write_video(
            folder / "l.m3u8",
            2.0,
            size=size,
            codec="libx264",
            options={"g": "10", "bf": "0"},
            container={"hls_time": "1", "hls_segment_type": "fmp4", "hls_list_size": "0"},
        )
        files = {f"{name}-{one.name}": one.read_bytes() for one in folder.iterdir()}
        text = files.pop(f"{name}-l.m3u8").decode()
        text = text.replace('URI="', f'URI="{name}-').replace("\nl", f"\n{name}-l")
        found[name] = files, [line for line in text.splitlines() if line != "#EXT-X-ENDLIST"]
    return found


@pytest.fixture
def playlist(site, parts):
    """Serve parts as one playlist; return its name and its text."""

    def serve(names, *, ended=True):
        lines = parts[names[0]][1][:0]
        for name in names:
            files, of_part = parts[name]
            for path, data in files.items():
                site.file(f"/{path}", data)
            lines += ["#EXT-X-DISCONTINUITY"] if lines else []
            lines += [one for one in of_part if not (lines and one.startswith(OF_ALL))]
        text = "\n".join([*lines, *(["#EXT-X-ENDLIST"] if ended else []), ""])
        site.file("/list.m3u8", text.encode())
        return "list.m3u8", text

    return serve


def sizes(picked):
    return [(one.picture.width, one.picture.height) for one in picked]


def test_a_reader_ends_where_another_beginning_is_needed_and_the_next_goes_on_there(
    address, playlist
):
    path, _ = playlist("ab")
    source = open_source(order(f"{address}/{path}"))
    assert (source.finite, source.has_ended()) == (True, False)
    source.close()
    picker, picked = look(order(f"{address}/{path}"))
    assert (picker.seen, set(sizes(picked))) == (20, {SMALL})
    after = Place(segment=1, name="a-l1.m4s")
    picker, picked = look(order(f"{address}/{path}", after=after))
    assert (picker.seen, set(sizes(picked))) == (20, {LARGE})


def test_another_beginning_that_tells_the_same_is_no_break(site, address, playlist):
    path, _ = playlist("aca")
    picker, picked = look(order(f"{address}/{path}"))
    assert (picker.seen, set(sizes(picked))) == (60, {SMALL})
    assert sum(one == "/c-init.mp4" for one, _ in site.asked) <= 4


async def test_whoever_reads_it_once_is_told_what_is_left_out(address, live, playlist):
    path, _ = playlist("ab")
    sampled = await feed_whole_file(RemoteFilm(order(f"{address}/{path}"), "list"), live)
    assert sampled.of == 20
    assert "goes over to video of another size" in sampled.left_out
    path, _ = playlist("ac")
    sampled = await feed_whole_file(RemoteFilm(order(f"{address}/{path}"), "list"), live)
    assert (sampled.of, sampled.left_out) == (40, "")


class Beginning:
    """A file that tells a decoder `size` bytes."""

    def __init__(self, size):
        table = (size + 8).to_bytes(4, "big") + b"stsd" + b"x" * size
        index = (len(table) + 8).to_bytes(4, "big") + b"moov" + table
        self._data = b"\0\0\0\x10ftypisom\0\0\0\0" + index

    def peek(self, _size):
        return self._data

    def close(self):
        pass


def test_a_live_playlist_that_has_gone_over_while_it_was_read_ends():
    asked = []

    def open_file(url, start, end):
        asked.append((url, start, end))
        return Beginning(len(url))

    maps = Maps(open_file, "http://camera/live.m3u8")
    first = '#EXT-X-MAP:URI="a",BYTERANGE="90@7"\nx0\n#EXT-X-MAP:URI="b"\nx1\n'
    assert maps.cut(first) is None, "both tell the same"
    later = '#EXT-X-MAP:URI="b"\nx1\n#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI="other"\n#EXTINF:1,\nx2\n'
    assert maps.cut(later) == '#EXT-X-MAP:URI="b"\nx1\n#EXT-X-ENDLIST\n'
    gone = '#EXTM3U\n#EXT-X-MAP:URI="other"\nx2\nx3\n'
    assert maps.cut(gone) == "#EXTM3U\n#EXT-X-ENDLIST\n"
    assert asked[0] == ("http://camera/a", 7, 97)
    assert len(asked) == 3
