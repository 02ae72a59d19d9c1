"""Fixtures of the live loop's tests: a real RTSP server, and films for it."""

import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.stream.videos import write_video

SYSTEM_PYTHON = "/usr/bin/python3"
SCRIPT = Path(__file__).with_name("rtsp_server.py")
NEEDED = (
    "glib-networking gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-good gstreamer1.0-plugins-bad"
)


class RtspServer:
    """GStreamer's RTSP server in a process of its own, on a port that stays the same."""

    def __init__(self, film):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._film = film
        self._process = None

    def url(self, path, user="", scheme="rtsp"):
        return f"{scheme}://{user}127.0.0.1:{self.port}/{path}"

    def start(self, width=160, height=120, certificate=None):
        arguments = [str(self.port), str(width), str(height), str(self._film)]
        if certificate is not None:
            arguments.append(str(certificate))
        self._process = subprocess.Popen(
            [SYSTEM_PYTHON, str(SCRIPT), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        if self._process.stdout.readline() != "ready\n":
            self.kill()
            if os.environ.get("CI"):
                pytest.fail(f"the RTSP server of the tests needs: apt-get install {NEEDED}")
            pytest.skip(f"needs: apt-get install {NEEDED}")

    def hang(self):
        """Keep all connections open and say nothing more."""
        self._process.send_signal(signal.SIGSTOP)

    def kill(self):
        """Die as a camera does whose plug is pulled."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()
            self._process = None


@pytest.fixture(scope="session")
def reordered_film(tmp_path_factory):
    """A film with B-frames, as OBS and many cameras send."""
    path = tmp_path_factory.mktemp("films") / "reordered.mp4"
    return write_video(path, seconds=20, rate=20, codec="libx264", options={"g": "20", "bf": "3"})


@pytest.fixture
def rtsp_server(reordered_film):
    server = RtspServer(reordered_film)
    yield server
    server.kill()
