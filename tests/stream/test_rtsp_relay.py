import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.pull.errors import Refused
from stream.pull.io.rtsp_proxy import LONGEST_HEAD, RtspMessage, RtspRelay


@pytest.mark.parametrize(
    ("head", "status", "length"),
    [
        (b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n", 200, ""),
        (b"RTSP/1.0 200 OK\r\ncontent-LENGTH : 7\r\n\r\n", 200, "7"),
        (b"RTSP/1.0 302 Moved\r\nLocation: rtsp://127.0.0.1/\r\n\r\n", 302, ""),
        (b"REDIRECT rtsp://127.0.0.1/ RTSP/1.0\r\n\r\n", None, ""),
        (b"RTSP/1.0 2x0 OK\r\n\r\n", None, ""),
        (b"RTSP/1.0\r\n\r\n", None, ""),
        (b"\r\n\r\n", None, ""),
    ],
)
def test_heads_are_read(head, status, length):
    message = RtspMessage(head)
    assert (message.status, message.header("content-length")) == (status, length)


@given(st.integers(0, 999), st.binary())
def test_the_status_of_an_answer_is_read_whatever_follows_it(status, noise):
    assert RtspMessage(b"RTSP/1.0 %d " % status + noise + b"\r\n\r\n").status == status


@given(st.binary())
def test_what_does_not_begin_like_an_answer_has_no_status(noise):
    assert RtspMessage(b"x" + noise + b"\r\n\r\n").status is None


@pytest.fixture
def server():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def relayed(server, answer):
    """Return what a client sees of `answer`, and whether the relay saw a redirect."""
    relay = RtspRelay(socket.create_connection(server.getsockname(), 2))
    peer, _ = server.accept()

    def say():
        try:
            peer.sendall(answer)
            peer.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the relay hung up, as it should on some answers

    speaker = threading.Thread(target=say)
    with peer, socket.create_connection(("127.0.0.1", relay.port), 5) as client:
        speaker.start()
        seen = b""
        while data := client.recv(65536):
            seen += data
        speaker.join()
    relay.close()
    return seen, isinstance(relay.trouble, Refused) and relay.trouble.location is not None


PACKET = b"$\x00\x00\x05RTSP/"
ANSWER = b"RTSP/1.0 200 OK\r\nContent-Length: 9\r\n\r\nRTSP/1.0 "


def test_answers_and_packets_pass_unchanged(server):
    assert relayed(server, ANSWER + PACKET + ANSWER + PACKET) == (2 * (ANSWER + PACKET), False)


def test_a_redirect_between_packets_does_not_pass(server):
    redirect = b"RTSP/1.0 301 Moved\r\nLocation: rtsp://127.0.0.1/\r\n\r\n"
    assert relayed(server, ANSWER + PACKET + redirect + PACKET) == (ANSWER + PACKET, True)


def test_a_redirect_that_the_server_asks_for_does_not_pass(server):
    request = b"REDIRECT rtsp://127.0.0.1/ RTSP/1.0\r\nCSeq: 1\r\n\r\n"
    assert relayed(server, PACKET + request) == (PACKET, True)


def test_what_a_camera_asks_passes(server):
    request = b"OPTIONS rtsp://client/ RTSP/1.0\r\nCSeq: 1\r\n\r\n"
    assert relayed(server, PACKET + request + PACKET) == (PACKET + request + PACKET, False)


def test_bytes_that_slip_in_between_packets_are_dropped(server):
    assert relayed(server, PACKET + bytes(range(1, 30)) + PACKET) == (2 * PACKET, False)


def test_what_is_no_rtsp_does_not_pass(server):
    assert relayed(server, PACKET + b"HTTP/1.1 200 OK\r\n\r\n") == (PACKET, False)


def test_a_head_without_an_end_is_not_waited_for(server):
    endless = b"RTSP/1.0 200 OK\r\n" + b"X: y\r\n" * LONGEST_HEAD
    assert relayed(server, endless) == (b"", False)
