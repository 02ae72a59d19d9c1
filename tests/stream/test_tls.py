import socket
import ssl
import threading
from contextlib import contextmanager

import pytest

from stream.pull.io.tls import describe_certificate_error, dial_tls
from tests.stream.certificates import Certified

ELSEWHERE = "192.0.2.1"


@contextmanager
def echo(certified):
    """A server on loopback that speaks TLS and sends back what it gets; gives its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certified.both)

    def serve():
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            with plain:
                try:
                    with context.wrap_socket(plain, server_side=True) as peer:
                        while data := peer.recv(65536):
                            peer.sendall(data)
                except OSError:
                    pass  # who does not believe the certificate hangs up

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def dial(port, certificates=None, host="127.0.0.1"):
    given = None if certificates is None else str(certificates)
    return dial_tls("127.0.0.1", port, host=host, timeout=60, certificates=given)


def refused(port, certificates=None):
    """Return in words why the server is not believed."""
    with pytest.raises(ssl.SSLError) as refusal:
        dial(port, certificates)
    return describe_certificate_error(refusal.value)


def test_what_an_authority_of_the_operators_signed_is_believed(tmp_path):
    authority = Certified(tmp_path, "authority")
    with (
        echo(Certified(tmp_path, "camera", signed_by=authority)) as port,
        dial(port, authority.certificate) as connection,
    ):
        connection.sendall(b"hello")
        assert connection.recv(100) == b"hello"
        connection.shutdown(socket.SHUT_RDWR)


def test_what_nobody_known_signed_is_not(tmp_path):
    with echo(Certified(tmp_path, "camera")) as port:
        other = Certified(tmp_path, "another")
        for certificates in (None, other.certificate):
            assert "signed by nobody this machine trusts" in refused(port, certificates)


def test_a_camera_is_believed_under_any_name_by_its_own_certificate_alone(tmp_path):
    authority = Certified(tmp_path, "authority")
    camera = Certified(tmp_path, "camera", address=ELSEWHERE, signed_by=authority)
    with echo(camera) as port:
        assert "made out to another name" in refused(port, authority.certificate)
        chain = tmp_path / "chain.pem"
        chain.write_bytes(authority.certificate.read_bytes() + camera.certificate.read_bytes())
        with dial(port, chain) as connection:
            connection.shutdown(socket.SHUT_RDWR)


def test_a_certificate_that_is_over_is_not_believed(tmp_path):
    old = Certified(tmp_path, "old", days=-1)
    with echo(old) as port:
        assert refused(port, old.certificate) == "The source's certificate has expired."


def test_a_server_that_does_not_encrypt_is_told_apart():
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer():
            plain, _ = listener.accept()
            with plain:
                plain.recv(1000)
                plain.sendall(b"RTSP/1.0 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        said = refused(listener.getsockname()[1])
        thread.join()
    assert said == "No encrypted connection to the source can be made."


def test_one_thread_reads_while_another_writes(tmp_path):
    camera = Certified(tmp_path, "camera")
    sent = bytes(range(256)) * 40_000
    with echo(camera) as port, dial(port, camera.certificate) as connection:
        writer = threading.Thread(target=connection.sendall, args=(sent,))
        writer.start()
        with connection.makefile() as answers:
            assert answers.read(len(sent)) == sent
        writer.join()
        connection.shutdown(socket.SHUT_RDWR)


def test_who_waits_for_data_is_woken_by_the_end(tmp_path):
    camera = Certified(tmp_path, "camera")
    with echo(camera) as port, dial(port, camera.certificate) as connection:
        got = []
        reader = threading.Thread(target=lambda: got.append(connection.recv(100)))
        reader.start()
        connection.shutdown(socket.SHUT_RDWR)
        reader.join(60)
        assert got == [b""]
