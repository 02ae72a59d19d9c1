"""Fixtures of the live loop's tests: a real RTSP server, a web server, films, and pullers of them."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from stream.address.source_url import read_source
from stream.pull.supervisor import Puller
from stream.registry import Registry
from stream.settings import StreamSettings
from tests.ports import ReservedPort
from tests.stream.fakes import FakeEngine, FakeStore, HandClock
from tests.stream.http_server import Site, serve
from tests.stream.pulling import SETTINGS
from tests.stream.videos import write_video

SYSTEM_PYTHON = "/usr/bin/python3"
SCRIPT = Path(__file__).with_name("rtsp_server.py")
NEEDED = (
    "glib-networking gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-good gstreamer1.0-plugins-bad"
)


class RtspServer:
    """GStreamer's RTSP server in a process of its own, on a port that stays the same."""

    def __init__(self, film):
        self._reserved = ReservedPort()
        self.port = self._reserved.number
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

    def close(self):
        """Die, and let the port go."""
        self.kill()
        self._reserved.close()


@pytest.fixture(scope="session")
def reordered_film(tmp_path_factory):
    """A film with B-frames, as OBS and many cameras send."""
    path = tmp_path_factory.mktemp("films") / "reordered.mp4"
    return write_video(path, seconds=20, rate=20, codec="libx264", options={"g": "20", "bf": "3"})


@pytest.fixture
def rtsp_server(reordered_film):
    server = RtspServer(reordered_film)
    yield server
    server.close()


@pytest.fixture(scope="session")
def films(tmp_path_factory):
    """Eight seconds, 20 pictures a second, in the shapes cameras send."""
    folder = tmp_path_factory.mktemp("films")

    def film(name, codec="libx264", **options):
        return write_video(folder / name, seconds=8.0, rate=20, codec=codec, options=options)

    return {
        "long": film("long.mp4", g="400", bf="0"),
        "short": film("short.mp4", g="10", bf="0", keyint_min="10"),
        "reordered": film("reordered.mp4", g="400", bf="3"),
        "jpeg": film("jpeg.avi", codec="mjpeg"),
        "ts": film("film.ts", g="20", bf="0"),
    }


@pytest.fixture
def site():
    return Site()


@pytest.fixture
def address(site):
    with serve(site) as address:
        yield address


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def store():
    return FakeStore()


@pytest.fixture
def engine():
    return FakeEngine()


@pytest.fixture
async def registry_of(engine, store):
    registries = []

    def make(settings, store=store, **more):
        clocks = {"wall": time.time, "monotonic": time.monotonic}
        registry = Registry(engine=engine, store=store, settings=settings, **clocks | more)
        registries.append(registry)
        return registry

    yield make
    engine.gate.set()
    for registry in registries:
        await registry.close()


@pytest.fixture
def registry(registry_of):
    return registry_of(StreamSettings(rate=4.0, close_within=30, stalled_after=60.0))


@pytest.fixture
async def live(registry):
    return await registry.open("cam")


@pytest.fixture
async def pull(live):
    pullers = []

    def start(url, settings=SETTINGS, live=live, **options):
        source = read_source(str(url), local=True)
        puller = Puller(source, live, settings=settings, monotonic=time.monotonic, **options)
        pullers.append(puller)
        puller.start()
        return puller

    yield start
    for puller in pullers:
        await puller.close()
