"""A web server on loopback that behaves as well or as badly as a test wants."""

import base64
import hashlib
import ssl
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BOUNDARY = "picture"


class Site:
    """What the server answers, by path; and what was asked of it.

    An answer is bytes (a file), or a function that takes the handler.
    """

    def __init__(self):
        self.answers = {}
        self.asked = []
        self.left = threading.Event()

    def file(self, path, data, content_type="application/octet-stream"):
        self.answers[path] = lambda handler: send_file(handler, data, content_type)

    def unannounced(self, path, data, most=None):
        """Serve ranges of `data`, at most `most` bytes of it at once, and say so nowhere."""

        def answer(handler):
            first, last = handler.headers["Range"].removeprefix("bytes=").split("-")
            start, end = int(first), min(int(last or len(data) - 1), len(data) - 1)
            end = end if most is None else min(end, start + most - 1)
            handler.send_response(206)
            handler.send_header("Content-Range", f"bytes {start}-{end}/{len(data)}")
            handler.send_header("Content-Length", str(end - start + 1))
            handler.end_headers()
            handler.wfile.write(data[start : end + 1])

        self.answers[path] = answer

    def whole(self, path, data, content_type="application/octet-stream"):
        """Serve `data` from its beginning alone, whatever part is asked for."""

        def answer(handler):
            handler.send_response(200)
            handler.send_header("Content-Type", content_type)
            handler.send_header("Content-Length", str(len(data)))
            handler.end_headers()
            handler.wfile.write(data)

        self.answers[path] = answer

    def redirect(self, path, target):
        def answer(handler):
            handler.send_response(302)
            handler.send_header("Location", target)
            handler.send_header("Content-Length", "0")
            handler.end_headers()

        self.answers[path] = answer

    def guarded_by_basic(self, path, username, password):
        inner = self.answers[path]
        expected = "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()

        def answer(handler):
            if handler.headers.get("Authorization") == expected:
                inner(handler)
            else:
                challenge(handler, 'Basic realm="cam"')

        self.answers[path] = answer

    def guarded_by_digest(self, path, username, password):
        inner = self.answers[path]

        def answer(handler):
            fields = dict(
                part.strip().split("=", 1)
                for part in handler.headers.get("Authorization", "")
                .removeprefix("Digest ")
                .split(",")
                if "=" in part
            )
            fields = {name: value.strip('"') for name, value in fields.items()}
            ha1 = hashlib.md5(f"{username}:cam:{password}".encode()).hexdigest()
            ha2 = hashlib.md5(f"GET:{handler.path}".encode()).hexdigest()
            middle = f"{fields.get('nc')}:{fields.get('cnonce')}:auth"
            right = hashlib.md5(f"{ha1}:n0nce:{middle}:{ha2}".encode()).hexdigest()
            if fields.get("response") == right:
                inner(handler)
            else:
                challenge(handler, 'Digest realm="cam", nonce="n0nce", qop="auth", algorithm=MD5')

        self.answers[path] = answer


def challenge(handler, text):
    handler.send_response(401)
    handler.send_header("WWW-Authenticate", text)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def send_file(handler, data, content_type):
    start = 0
    if wanted := handler.headers.get("Range"):
        start = int(wanted.removeprefix("bytes=").split("-")[0])
        handler.send_response(206)
        handler.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
    else:
        handler.send_response(200)
    handler.send_header("Accept-Ranges", "bytes")
    handler.send_header("Content-Type", content_type)
    handler.send_header("Content-Length", str(len(data) - start))
    handler.end_headers()
    handler.wfile.write(data[start:])


def send_pictures(handler, pictures, gaps):
    """Send JPEGs as a camera does, each `gaps.wait()` apart, until there are none."""
    handler.send_response(200)
    handler.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={BOUNDARY}")
    handler.end_headers()
    handler.close_connection = True
    for picture in pictures:
        head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
        handler.wfile.write(head.encode() + picture + b"\r\n")
        handler.wfile.flush()
        if gaps():
            return


def send_nothing(site):
    """Accept, and stay silent until the test is over."""

    def answer(handler):
        site.left.wait(120)
        handler.close_connection = True

    return answer


class QuietServer(ThreadingHTTPServer):
    """Says nothing of clients that leave: whoever seeks in a file does."""

    def handle_error(self, request, client_address):
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serve(site, host="127.0.0.1", port=0, certificate=None):
    """Serve `site` and give its base URL; encrypted by a PEM file with certificate and key."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            site.asked.append((self.path, dict(self.headers)))
            answer = site.answers.get(self.path.partition("?")[0])
            try:
                if answer is None:
                    self.send_error(404)
                else:
                    answer(self)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, *_args):
            pass

    server = QuietServer((host, port), Handler)
    server.daemon_threads = True
    scheme = "http" if certificate is None else "https"
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_: None  # a client that hangs up is no failure here
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"{scheme}://{host}:{server.server_port}"
    finally:
        site.left.set()
        server.shutdown()
        server.server_close()
        thread.join()


def serve_also(site, host, address):
    """Serve `site` at another address of this machine, at the port of `address`."""
    return serve(site, host, int(address.rpartition(":")[2]))
