"""RTSP and RTMP go to the address that was checked, and nowhere else."""

import socket
import ssl
import threading
from contextlib import suppress

import pytest

from stream.pull.errors import CannotOpen
from tests.stream.certificates import Certified
from tests.stream.opening import open_source, order


@pytest.fixture
def rtsp_stranger():
    """A server that answers the first RTSP request with what the test says, then nothing.

    Where that is an empty answer it hangs up.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    answers = []
    asked = []

    def run():
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer:
                asked.append(peer.recv(4096))
                if answers == [b""]:
                    continue
                if answers:
                    peer.sendall(answers[0])
                peer.settimeout(60)
                try:
                    while peer.recv(4096):
                        pass
                except OSError:
                    pass

    threading.Thread(target=run, daemon=True).start()
    yield f"rtsp://127.0.0.1:{listener.getsockname()[1]}/cam", answers, asked
    listener.close()


def test_an_rtsp_server_that_accepts_and_stays_silent_is_given_up(rtsp_stranger):
    url, _, _ = rtsp_stranger
    for trusted in (False, True):
        with pytest.raises(CannotOpen, match=r"did not answer within 0\.3 seconds"):
            open_source(order(url, open_within=0.3, trusted=trusted))


def test_rtsp_nonsense_is_refused_in_words(rtsp_stranger):
    url, answers, _ = rtsp_stranger
    answers.append(b"HTTP/1.1 200 OK\r\n\r\n")
    with pytest.raises(CannotOpen, match=r"failed|no video|not video|did not answer"):
        open_source(order(url, open_within=0.5))


def test_an_rtsp_redirect_is_not_followed(rtsp_stranger):
    url, answers, _ = rtsp_stranger
    inside = socket.create_server(("127.0.0.1", 0))
    inside.settimeout(0.2)
    target = f"rtsp://127.0.0.1:{inside.getsockname()[1]}/secret"
    answers.append(f"RTSP/1.0 302 Moved\r\nCSeq: 1\r\nLocation: {target}\r\n\r\n".encode())
    with pytest.raises(CannotOpen, match="redirects elsewhere"):
        open_source(order(url))
    with pytest.raises(TimeoutError):
        inside.accept()
    inside.close()


def test_without_the_relay_the_redirect_would_be_followed(rtsp_stranger):
    url, answers, _ = rtsp_stranger
    came = []

    def listen():
        peer, address = inside.accept()
        came.append(address)
        with peer:
            peer.recv(4096)
            peer.sendall(b"RTSP/1.0 404 Not Found\r\nCSeq: 1\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as inside:
        listening = threading.Thread(target=listen)
        listening.start()
        target = f"rtsp://127.0.0.1:{inside.getsockname()[1]}/secret"
        answers.append(f"RTSP/1.0 302 Moved\r\nCSeq: 1\r\nLocation: {target}\r\n\r\n".encode())
        with pytest.raises(CannotOpen):
            open_source(order(url, trusted=True))
        listening.join()
    assert len(came) == 1


@pytest.mark.parametrize("scheme", ["rtsps", "http"])
def test_an_rtsp_redirect_to_another_protocol_is_never_followed(rtsp_stranger, scheme):
    url, answers, _ = rtsp_stranger
    with socket.create_server(("127.0.0.1", 0)) as inside:
        inside.settimeout(0.2)
        target = f"{scheme}://127.0.0.1:{inside.getsockname()[1]}/secret"
        answers.append(f"RTSP/1.0 302 Moved\r\nCSeq: 1\r\nLocation: {target}\r\n\r\n".encode())
        with pytest.raises(CannotOpen):
            open_source(order(url, open_within=1.0, trusted=True))
        with pytest.raises(TimeoutError):
            inside.accept()


@pytest.mark.parametrize("trusted", [True, False])
def test_rtsp_is_spoken_to_the_address_that_was_checked(rtsp_stranger, trusted):
    url, answers, asked = rtsp_stranger
    answers.append(b"")  # it hangs up
    named = url.replace("127.0.0.1", "camera.invalid")
    with pytest.raises(CannotOpen):
        open_source(order(named, address="127.0.0.1", trusted=trusted))
    assert len(asked) == 1
    assert asked[0].startswith(b"OPTIONS rtsp://")


@pytest.mark.parametrize("encrypted", [False, True])
def test_rtmp_and_tls_are_spoken_to_the_address_that_was_checked(encrypted):
    first = []

    def listen():
        peer, _ = listener.accept()
        with peer:
            first.append(peer.recv(1))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listening = threading.Thread(target=listen)
        listening.start()
        scheme = "rtmps" if encrypted else "rtmp"
        url = f"{scheme}://camera.invalid:{listener.getsockname()[1]}/live/cam"
        with pytest.raises(CannotOpen):
            open_source(order(url, address="127.0.0.1"))
        listening.join()
    # RTMP 1.0, section 5.2: the version; RFC 8446, section 5.1: a handshake.
    assert first == [b"\x16" if encrypted else b"\x03"]


def test_an_encrypted_rtmp_server_is_spoken_to_once_its_certificate_is_believed(tmp_path):
    certified = Certified(tmp_path, "rtmp")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certified.both)
    greeting = 1 + 1536  # version and random bytes: RTMP 1.0, section 5.2
    said = []

    def listen():
        for _ in range(2):
            plain, _ = listener.accept()
            with (
                plain,
                suppress(ssl.SSLError),
                context.wrap_socket(plain, server_side=True) as peer,
                peer.makefile("rb") as words,
            ):
                said.append(words.read(greeting))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listening = threading.Thread(target=listen)
        listening.start()
        url = f"rtmps://127.0.0.1:{listener.getsockname()[1]}/live/cam"
        with pytest.raises(CannotOpen, match="signed by nobody this machine trusts"):
            open_source(order(url, trusted=True))
        with pytest.raises(CannotOpen, match="hung up before"):
            open_source(order(url, certificates=str(certified.certificate)))
        listening.join()
    assert [(words[0], len(words)) for words in said] == [(3, greeting)]
