"""Titles and names inside of files, in whatever encoding they were written."""

import av
import pytest

from stream.file.reader import VideoFile
from stream.file.whole_file import feed_whole_file
from tests.stream.opening import look, order
from tests.stream.test_endings import stream_of
from tests.stream.videos import write_video

TITLE, BYTES = b"Kueche-Titel", b"K\xfcche\xff\x80\xb3\xf8\xc3(!"
KINDS = {"avi": "mpeg4", "mp4": "mpeg4", "mov": "mpeg4", "mkv": "libx264", "flv": "flv"}


@pytest.fixture(scope="module")
def titled(tmp_path_factory):
    """Films whose titles are no UTF-8, by kind."""
    folder = tmp_path_factory.mktemp("titled")

    def film(kind, codec):
        plain = write_video(folder / f"plain.{kind}", 1.0, codec=codec)
        path = folder / f"film.{kind}"
        with av.open(str(plain)) as source, av.open(str(path), "w") as file:
            track = source.streams.video[0]
            file.metadata.update(dict.fromkeys(("title", "comment", "artist"), TITLE.decode()))
            copy = file.add_stream_from_template(track)
            copy.metadata["title"] = TITLE.decode()
            for packet in source.demux(track):
                if packet.size:
                    packet.stream = copy
                    file.mux(packet)
        whole = path.read_bytes()
        assert TITLE in whole
        path.write_bytes(whole.replace(TITLE, BYTES))
        return path

    return {kind: film(kind, codec) for kind, codec in KINDS.items()}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_title_that_is_no_utf8_is_no_obstacle(titled, live, kind):
    assert (await feed_whole_file(titled[kind], live)).of == 10
    async with VideoFile(titled[kind]) as file:
        assert len([1 async for _ in file.pictures()]) == 10


@pytest.mark.parametrize("kind", ["flv", "mkv"])
def test_nor_is_that_of_a_live_stream(site, address, titled, kind):
    site.answers["/cam"] = stream_of(titled[kind].read_bytes())
    picker, _ = look(order(f"{address}/cam"))
    assert picker.seen == 10


async def test_nor_is_that_of_a_part_under_a_name_of_its_own(titled, live, tmp_path):
    path = tmp_path / "caf\udce9.mp4"
    path.write_bytes(2 * titled["mp4"].read_bytes())
    assert (await feed_whole_file(path, live)).of == 20
