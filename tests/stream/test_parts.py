"""Joined MP4s: all parts are played, and what cannot be is said."""

import struct

import av
import numpy as np
import pytest
from PIL import Image

from stream.file.film import open_film
from stream.file.first_bytes import has_late_index
from stream.file.joined import left_out
from stream.file.parts import parts_of
from stream.file.reader import VideoFile
from stream.file.whole_file import feed_whole_file
from stream.frames.scale import upright
from stream.pull.remote_film import RemoteFilm
from tests.stream.opening import order
from tests.stream.videos import write_video

FRAGMENTS = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
INDEX_FIRST = {"movflags": "faststart"}


def join(path, *parts, cut=0, more=b""):
    whole = b"".join(part.read_bytes() for part in parts)
    path.write_bytes(whole[: len(whole) - cut] + more)
    return path


async def seen(path):
    """Return the sizes of the pictures of `path`, in order, and what is said to be left out."""
    async with VideoFile(path) as file:
        return [(p.width, p.height) async for _, p in file.pictures()], file.left_out


@pytest.mark.parametrize("container", [{}, FRAGMENTS, INDEX_FIRST], ids=str)
async def test_parts_of_other_sizes_are_played_one_after_another(tmp_path, container):
    small = write_video(tmp_path / "a.mp4", 1.0, codec="libx264", container=container)
    large = write_video(
        tmp_path / "b.mp4", 1.0, size=(128, 96), codec="libx264", container=container
    )
    sizes, unread = await seen(join(tmp_path / "joined.mp4", small, large, small))
    assert sizes == 10 * [(96, 64)] + 10 * [(128, 96)] + 10 * [(96, 64)]
    assert unread == ""


async def test_a_part_of_another_encoding_is_left_out_in_words(live, store, tmp_path):
    first = write_video(tmp_path / "a.mp4", 1.0, codec="libx264")
    other = write_video(tmp_path / "b.mp4", 1.0, codec="mpeg4")
    film = join(tmp_path / "joined.mp4", first, first, other, first)
    sampled = await feed_whole_file(film, live)
    assert (sampled.of, sampled.length) == (20, pytest.approx(2.0))
    assert "More of the file is not read" in sampled.left_out


async def test_a_part_that_is_cut_short_is_left_out_in_words(tmp_path):
    first = write_video(tmp_path / "a.mp4", 1.0)
    sizes, unread = await seen(join(tmp_path / "joined.mp4", first, first, cut=600))
    assert len(sizes) == 10
    assert "More of the file is not read" in unread


async def test_what_a_decoder_is_told_at_the_beginning_must_be_the_same(tmp_path):
    small = write_video(tmp_path / "a.mp4", 1.0)
    large = write_video(tmp_path / "b.mp4", 1.0, size=(128, 96))
    sizes, unread = await seen(join(tmp_path / "joined.mp4", small, large))
    assert sizes == 10 * [(96, 64)]
    assert unread


async def test_of_several_tracks_the_first_parts_default_is_watched(tmp_path):
    path = tmp_path / "two.mp4"
    with av.open(str(path), "w") as file:
        tracks = [file.add_stream("mpeg4", rate=10) for _ in range(2)]
        tracks[0].disposition, tracks[1].disposition = 0, 1
        for track, width in zip(tracks, (48, 96), strict=True):
            track.width, track.height, track.pix_fmt = width, 64, "yuv420p"
        for track in tracks:
            for _ in range(10):
                pixels = np.zeros((64, track.width, 3), np.uint8)
                file.mux(track.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            file.mux(track.encode())
    sizes, unread = await seen(join(tmp_path / "joined.mp4", path, path))
    assert sizes == 20 * [(96, 64)]
    assert unread == ""


def turned(data):
    """Turn an MP4 of 96 by 64 by a quarter: the matrix in the head of its track."""
    plain = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    at = data.index(plain, data.index(b"tkhd"))
    quarter = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 64 << 16, 0, 1 << 30)
    return data[:at] + quarter + data[at + len(plain) :]


def test_parts_that_are_turned_another_way_are_left_out(tmp_path):
    plain = write_video(tmp_path / "a.mp4", 1.0).read_bytes()
    path = tmp_path / "joined.mp4"
    path.write_bytes(2 * turned(plain) + plain)
    container, video = open_film(path)
    with container:
        shapes = {upright(f, f.reformat(format="rgb24")).shape for f in container.decode(video)}
    assert shapes == {(96, 64, 3)}
    assert left_out(path)
    path.write_bytes(3 * turned(plain))
    assert not left_out(path)


async def test_what_else_stands_behind_a_film_is_no_part_of_it(tmp_path):
    film = write_video(tmp_path / "film.mp4", 1.0)
    free = (64).to_bytes(4, "big") + b"free" + b"ftypmoov" * 7
    for more in (b"", b"\0" * 50, free, b"\0\0\0\x20moov"):
        sizes, unread = await seen(join(tmp_path / "more.mp4", film, more=more))
        assert len(sizes) == 10
        assert unread == ""


def test_a_picture_is_one_part(tmp_path):
    picture = tmp_path / "picture.avif"
    Image.new("RGB", (64, 64)).save(picture)
    assert parts_of(picture) is None


@pytest.mark.parametrize("container", [{}, INDEX_FIRST], ids=str)
async def test_over_http_what_is_left_out_is_said(site, address, live, tmp_path, container):
    first = write_video(tmp_path / "a.mp4", 1.0, container=container)
    assert has_late_index(first.read_bytes()) is not bool(container)
    site.file("/one.mp4", first.read_bytes(), "video/mp4")
    site.file("/two.mp4", 2 * first.read_bytes(), "video/mp4")
    one = await feed_whole_file(RemoteFilm(order(f"{address}/one.mp4"), "one"), live)
    two = await feed_whole_file(RemoteFilm(order(f"{address}/two.mp4"), "two"), live)
    assert (one.of, two.of) == (10, 10)
    assert one.left_out == ""
    assert "More of the file is not read" in two.left_out


@pytest.mark.parametrize("name", ["joined.mkv", "joined.webm"])
@pytest.mark.parametrize("second", ["same", "other", "none"])
async def test_of_matroska_over_http_what_is_left_out_is_said(
    site, address, live, tmp_path, name, second
):
    codec, another = ("mpeg4", "libx264") if name.endswith("mkv") else ("libvpx", "libvpx-vp9")
    first = write_video(tmp_path / f"a-{name}", 2.0, codec=codec).read_bytes()
    other = write_video(tmp_path / f"b-{name}", 2.0, codec=another).read_bytes()
    parts = {"same": 3 * first, "other": first + other + first, "none": first + bytes(200)}
    site.file(f"/{name}", parts[second], "video/x-matroska")
    sampled = await feed_whole_file(RemoteFilm(order(f"{address}/{name}"), name), live)
    assert sampled.of == {"same": 40, "other": 20, "none": 20}[second]
    assert ("More of the file is not read" in sampled.left_out) is (second != "none")


async def test_of_matroska_over_http_a_part_of_another_size_is_left_out_where_the_codec_tells_it_once(
    site, address, live, tmp_path
):
    small = write_video(tmp_path / "a.mkv", 2.0).read_bytes()
    large = write_video(tmp_path / "b.mkv", 2.0, size=(128, 96)).read_bytes()
    site.file("/two.mkv", small + large, "video/x-matroska")
    sampled = await feed_whole_file(RemoteFilm(order(f"{address}/two.mkv"), "two"), live)
    assert sampled.of == 20
    assert "More of the file is not read" in sampled.left_out
    site.file("/two.mkv", 2 * small, "video/x-matroska")
    sampled = await feed_whole_file(RemoteFilm(order(f"{address}/two.mkv"), "two"), live)
    assert (sampled.of, sampled.left_out) == (40, "")
