"""Motion JPEG as cameras really send it."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from stream.errors import BadSource
from stream.pull.errors import CannotOpen
from stream.pull.io.http.motion_jpeg import JpegEnd, MotionJpeg, MultipartBodies
from tests.stream.opening import look, open_source, order


def jpeg(shade, **options):
    noise = np.random.default_rng(shade).integers(0, 255, (48, 64, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).save(out, "JPEG", **options)
    return out.getvalue()


def with_thumbnail(picture):
    """Return `picture` with a smaller one in its head, as cameras write it."""
    small = jpeg(7)
    segment = b"\xff\xe1" + (len(small) + 2).to_bytes(2, "big") + small
    return picture[:2] + segment + picture[2:]


class Arriving:
    """A file whose bytes come in pieces; what is asked beyond the last would wait for ever."""

    name = "http://cam/"

    def __init__(self, *pieces):
        self.pieces = list(pieces)

    def read(self, _size=-1):
        return self.pieces.pop(0)


HEADS = {
    "of the book": "Content-Type: image/jpeg\r\nContent-Length: {}\r\n",
    "jpg": "Content-Type: image/jpg\r\nContent-Length: {}\r\n",
    "parameters": "Content-Type: image/jpeg; charset=utf-8\r\nContent-Length: {}\r\n",
    "capitals": "CONTENT-TYPE:IMAGE/JPEG\r\ncontent-length:{}\r\n",
    "no type": "Content-Length: {}\r\nX-Timestamp: 1.5\r\n",
    "no length": "Content-Type: image/jpeg\r\n",
    "nothing": "",
}


def sent(pictures, head, boundary="--picture"):
    parts = [
        f"{boundary}\r\n{head.format(len(picture))}\r\n".encode() + picture + b"\r\n"
        for picture in pictures
    ]
    return b"".join(parts) + f"{boundary}--\r\n".encode()


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
@pytest.mark.parametrize("boundary", ["--picture", "----else"])
def test_parts_are_played_whatever_is_said_of_them(site, address, head, boundary):
    pictures = [jpeg(i, progressive=bool(i % 2)) for i in range(4)]
    data = sent(pictures, head, boundary)

    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", 'multipart/x-mixed-replace; boundary="picture"')
        handler.end_headers()
        handler.wfile.write(data)
        handler.close_connection = True

    site.answers["/cam"] = answer
    picker, _ = look(order(f"{address}/cam"))
    assert picker.seen == 4


@pytest.mark.parametrize("wrong", [-300, -20, -1, 1, 30, 4000])
def test_lengths_that_are_wrong_cost_no_picture(wrong):
    pictures = [jpeg(shade) for shade in range(8)]
    data = b"".join(
        f"--b\r\nContent-Type: image/jpeg\r\nContent-Length: {len(one) + wrong}\r\n\r\n".encode()
        + one
        + b"\r\n"
        for one in pictures
    )
    parts = [part.rstrip() for part in MultipartBodies(Arriving(data, *[b""] * 20))]
    assert parts[: len(pictures) - 1] == pictures[:-1]


def test_pictures_that_lack_their_end_are_as_long_as_is_said():
    pictures = [jpeg(shade)[:-2] for shade in range(4)]
    data = sent(pictures, HEADS["of the book"])
    assert list(MultipartBodies(Arriving(data, *[b""] * 20))) == pictures


@pytest.mark.parametrize("head", [HEADS["of the book"], HEADS["no length"]])
def test_a_picture_is_there_as_soon_as_its_last_byte_came(head):
    picture = with_thumbnail(jpeg(1))
    data = sent([picture], head).partition(b"--picture--")[0].removesuffix(b"\r\n")
    parts = iter(MultipartBodies(Arriving(data[:-700], data[-700:])))
    assert next(parts) == picture


def test_what_is_no_picture_is_passed_over(site):
    data = b"--a\r\nContent-Type: text/plain\r\n\r\nhello\r\nworld\r\n" + sent([jpeg(1)], "", "--a")
    read = MotionJpeg(Arriving(data, b""))
    found = read.read() + read.read()
    assert found.endswith(jpeg(1) + b"\r\n")


def test_parts_of_another_kind_are_refused_in_words(site, address):
    data = sent([b"\x89PNG" + bytes(100)] * 50, "Content-Type: image/png\r\nContent-Length: {}\r\n")
    site.file("/cam", data, "multipart/x-mixed-replace; boundary=picture")
    with pytest.raises(CannotOpen, match="in parts is not JPEG"):
        open_source(order(f"{address}/cam"))


def test_a_picture_without_an_end_is_not_waited_for(monkeypatch):
    monkeypatch.setattr("stream.pull.io.http.motion_jpeg._LONGEST_PART", 10_000)
    for head in ("", "Content-Length: 10001\r\n"):
        parts = MultipartBodies(
            Arriving(f"--a\r\n{head}\r\n".encode() + jpeg(1)[:-2] + bytes(20_000))
        )
        with pytest.raises(BadSource, match="too large"):
            list(parts)


@given(st.binary(max_size=2000), st.integers(1, 50))
def test_any_bytes_come_to_an_end(noise, size):
    pieces = [noise[i : i + size] for i in range(0, len(noise), size)]
    read = MotionJpeg(Arriving(*pieces, *[b""] * 100))
    try:
        while read.read():
            pass
    except BadSource:
        pass


@given(st.integers(1, 3000), st.booleans())
def test_the_end_of_a_jpeg_is_found_however_it_comes(size, progressive):
    whole = with_thumbnail(jpeg(3, progressive=progressive))
    end, data = JpegEnd(), bytearray()
    for at in range(0, len(whole), size):
        assert end.find(data) is None
        data += whole[at : at + size]
    assert end.find(data + b"\r\n--next") == len(whole)
