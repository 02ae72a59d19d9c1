"""The whole service as it runs for people: a process of its own, Redis beside it, a real port."""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import socket
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import av
import pytest
from playwright.async_api import async_playwright

from tests.end_to_end import coturn
from tests.end_to_end.needs import need
from tests.stream.videos import write_video
from tests.web.forked import Command

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium")
START_SECONDS = 100
STOP_SECONDS = 60
PATIENCE = 100_000
"""Milliseconds that a browser and a page have for each step: on a busy machine they need many."""


@pytest.fixture
def namespaces():
    root = os.geteuid() == 0
    need(root and shutil.which("ip"), "root and iproute2 to make network namespaces")


@pytest.fixture
def turn_server():
    need(coturn.TURNSERVER, "coturn's turnserver; `make turn-server` gets it")


@pytest.fixture
def nat_rules():
    need(shutil.which("nft"), "nftables for the NAT")


@pytest.fixture(scope="session")
def film(tmp_path_factory):
    """A short film to send; nobody changes it, so all tests have the same."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    return write_video(path, seconds=6, size=(320, 180))


@pytest.fixture(scope="session")
def camera(film):
    """Its first seconds, as what Chromium takes for a camera."""
    return as_camera(film, film.with_name("camera.mjpeg"), 0.0, 4.0)


class Running:
    """A started `flashback` command.

    Attributes:
        url: Where it serves, once it has said so.
        said: Every line it has printed.
    """

    def __init__(self, process):
        self.process = process
        self.url = ""
        self.said = []

    async def ready(self):
        async with asyncio.timeout(START_SECONDS):
            while not self.url:
                line = (await self.process.stdout.readline()).decode()
                assert line, f"it ended before it was ready: {self.said}"
                self.said.append(line)
                if found := re.search(r"ready: (http://[\d.:]+)", line):
                    self.url = found[1]

    async def stop(self, with_signal=signal.SIGINT):
        """End it as Ctrl-C does; return its exit code."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(with_signal)
        async with asyncio.timeout(STOP_SECONDS):
            rest, _ = await self.process.communicate()
        self.said += rest.decode().splitlines()
        return self.process.returncode


@asynccontextmanager
async def flashback(*arguments, forked=True, network=None, **environment):
    """Run `flashback serve` or another command that serves, until the end of the block.

    Forked, it starts in a fraction of the time; the tests of the process itself start it with the
    interpreter. `network` is the name of a network namespace to run it in.
    """
    variables = {k: v for k, v in os.environ.items() if not k.startswith("FLASHBACK_")}
    if forked:
        process = await Command.start(
            arguments, variables | environment, ROOT, apart=False, network=network
        )
    else:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "web.cli", *arguments),
            cwd=ROOT,
            env=variables | environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
    running = Running(process)
    try:
        await running.ready()
        yield running
    finally:
        if process.returncode is None:
            await running.stop()


@asynccontextmanager
async def browser(film=None, *more_flags, program=CHROMIUM):
    """Run Chromium with a fake camera that shows `film`, an MJPEG file."""
    flags = ["--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    if film is not None:
        flags.append(f"--use-file-for-fake-video-capture={film}")
    flags += more_flags
    assert program, "Chromium is missing; `make test` installs it"
    # Its driver is begun for every test; a third of the work is to compile the same scripts again.
    os.environ.setdefault("NODE_COMPILE_CACHE", str(ROOT / ".pytest_cache" / "node"))
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=program, args=flags, timeout=PATIENCE
        )
        try:
            yield chromium
        finally:
            await chromium.close()


# Of a page whose seconds for a path of WebRTC are over single pictures would come instead of video.
WITHIN = re.search(r"CONNECT_WITHIN = (\d+)", (ROOT / "web/static/js/rtc.js").read_text())[1]
NO_HASTE = f"""{{
    const wait = window.setTimeout;
    window.setTimeout = (act, time, ...more) => wait(act, time === {WITHIN} ? {PATIENCE} : time, ...more);
}}"""


async def patient_page(chromium, *, hasty=False, **options):
    """Open an empty page that waits for what comes late; `hasty` gives up WebRTC as soon as people do."""
    context = await chromium.new_context(**options)
    context.set_default_timeout(PATIENCE)
    if not hasty:
        await context.add_init_script(NO_HASTE)
    return await context.new_page()


@contextlib.contextmanager
def reserved_port():
    """Keep a port for services that follow one another on it: nothing else gets it in between."""
    with socket.socket() as reserved:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the services do
        reserved.bind(("127.0.0.1", 0))
        yield str(reserved.getsockname()[1])


def as_camera(source, target, start=0.0, seconds=6.0, rate=10):
    """Write part of the film `source` as the MJPEG file that Chromium takes for a camera."""
    wanted = start
    with av.open(str(source)) as film, target.open("wb") as camera:
        for frame in film.decode(video=0):
            if wanted <= frame.time < start + seconds:
                wanted += 1 / rate
                frame.to_image().save(camera, "JPEG", quality=90)
    return target
