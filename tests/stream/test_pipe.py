import socket
import struct
import threading

import pytest

from stream.pull.io.rtsp_proxy import RtspRelay
from stream.pull.io.tcp_proxy import Pipe


@pytest.fixture
def ends():
    """What FFmpeg holds and what the server holds, with a pipe between them."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        pipe = Pipe(socket.create_connection(listener.getsockname(), 60))
        server, _ = listener.accept()
    with server, socket.create_connection(("127.0.0.1", pipe.port), 60) as client:
        server.settimeout(60)
        yield client, server, pipe
    pipe.close()


def everything(source):
    got = b""
    while data := source.recv(65536):
        got += data
    return got


def test_what_either_side_says_reaches_the_other_whole(ends):
    client, server, _ = ends
    sent = bytes(range(256)) * 4000
    talking = threading.Thread(target=client.sendall, args=(sent,))
    talking.start()
    with server.makefile("rb") as words:
        assert words.read(len(sent)) == sent
    talking.join()
    server.sendall(b"answer")
    assert client.recv(100) == b"answer"


def test_the_end_of_the_server_is_the_end_for_ffmpeg(ends):
    client, server, _ = ends
    server.sendall(b"bye")
    server.shutdown(socket.SHUT_RDWR)
    assert everything(client) == b"bye"


@pytest.mark.parametrize("kind", [Pipe, RtspRelay])
def test_a_server_that_breaks_off_is_at_its_end_for_ffmpeg_at_once(kind):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        pipe = kind(socket.create_connection(listener.getsockname(), 60))
        server, _ = listener.accept()
    with socket.create_connection(("127.0.0.1", pipe.port), 60) as client:
        client.sendall(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n")
        assert server.recv(100).startswith(b"OPTIONS")  # both of its threads are at work
        server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        server.close()  # by a reset, as a camera that loses its power
        assert everything(client) == b""
    pipe.close()


def test_closing_it_hangs_up_on_both_sides(ends):
    client, server, pipe = ends
    client.sendall(b"hello")
    assert server.recv(100) == b"hello"
    pipe.close()
    assert everything(server) == b""
    assert everything(client) == b""


def test_only_one_may_come(ends):
    client, server, pipe = ends
    client.sendall(b"hello")
    assert server.recv(100) == b"hello"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", pipe.port), 60)
