"""Answers of servers in cameras whose heads are not as they should be."""

import io
import socket
import threading
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from stream.pull.io.http.heads import tidied
from tests.stream.opening import look, order

PARTS = b"Content-Type: multipart/x-mixed-replace; boundary=b"
OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
def camera():
    """Answer with a head and three pictures, and return the URL."""
    Image.new("RGB", (96, 64), "red").save(picture := io.BytesIO(), "JPEG")
    size = len(picture.getvalue())
    head = b"--b\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % size
    body = (head + picture.getvalue() + b"\r\n") * 3
    listener = socket.create_server(("127.0.0.1", 0))

    def answer(heads):
        def serve():
            with listener.accept()[0] as client:
                client.recv(4096)
                for part in heads:
                    client.sendall(part)
                client.sendall(body)

        threading.Thread(target=serve, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/cam"

    with closing(listener):
        yield answer


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.0 200\r\n" + PARTS,
        b"ICY 200 OK\r\n" + PARTS,
        b"http/1.0 200 ok\r\n" + PARTS,
        b"HTTP/1 0200 OK\r\n" + PARTS,
        b"\r\n" + OK + PARTS,
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK + PARTS,
        OK + PARTS.replace(b":", b" :"),
        OK + b"IP Camera\r\n: nothing\r\nX My Header: 1\r\n" + PARTS,
        OK + b"Server: cam\0\x01\r\n" + PARTS,
        OK + PARTS.replace(b" boundary", b"\r\n boundary"),
        OK + b"Content-Length: none\r\n" + PARTS,
        OK + b"Content-Length: -1\r\n" + PARTS,
        OK + b"Content-Length:\r\n" + PARTS,
        OK + b"Content-Length: 0\r\n" + PARTS,
        OK + b"Content-Length: 99999999999999999999999\r\n" + PARTS,
        OK + b"Content-Length: 5\r\nContent-Length: 6\r\n" + PARTS,
        OK + b"Transfer-Encoding: identity\r\n" + PARTS,
    ],
)
def test_a_camera_whose_head_is_odd_is_seen(camera, head):
    picker, _ = look(order(camera([head + b"\r\n\r\n"])))
    assert picker.seen == 3


def test_a_head_comes_in_pieces_of_any_size(camera):
    head = b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"odd\r\n" + PARTS + b"\r\n\r\n"
    picker, _ = look(order(camera([head[n : n + 1] for n in range(len(head))])))
    assert picker.seen == 3


def test_what_is_as_it_should_be_stays_so():
    head = OK + b"Content-Length: 12\r\nX-A: b c\r\nX-A: d\r\n\r\n"
    assert tidied(head) == head
    assert tidied(b"\x16\x03\x01 no answer\r\n\r\n") == b"\x16\x03\x01 no answer\r\n\r\n"


@given(st.lists(st.binary(max_size=30), max_size=6))
def test_whatever_comes_is_tidied_once_and_for_all(lines):
    head = OK + b"\r\n".join(lines) + b"\r\n\r\n"
    once = tidied(head)
    assert once.startswith(OK)
    assert tidied(once) == once
