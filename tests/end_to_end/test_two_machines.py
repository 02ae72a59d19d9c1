"""Two machines, as two network namespaces with a cable between them; with and without UDP."""

import asyncio
import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.end_to_end.conftest import flashback
from tests.stream.videos import write_video

ROOT = Path(__file__).parents[2]
SERVER, CLIENT = "10.77.0.1", "10.77.0.2"
TOKEN = "open-sesame"

pytestmark = [
    pytest.mark.timeout(150),
    pytest.mark.skipif(
        os.geteuid() != 0 or shutil.which("ip") is None,
        reason="needs root and iproute2 to make network namespaces",
    ),
]


async def run(*command):
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return output.decode().strip()


async def ip(line):
    await run("ip", *line.split())


@pytest.fixture
async def machines():
    """Two namespaces with a cable; yields how to run a command in each."""
    here, there = (f"fb{os.getpid()}{end}" for end in "ab")
    await ip(f"netns add {here}")
    await ip(f"netns add {there}")
    try:
        await ip(f"link add {here} netns {here} type veth peer name {there} netns {there}")
        for name, address in ((here, SERVER), (there, CLIENT)):
            await ip(f"-n {name} addr add {address}/24 dev {name}")
            await ip(f"-n {name} link set {name} up")
            await ip(f"-n {name} link set lo up")
        yield [("ip", "netns", "exec", name) for name in (here, there)]
    finally:
        await ip(f"netns del {here}")
        await ip(f"netns del {there}")


@pytest.fixture
async def film(tmp_path):
    return await asyncio.to_thread(write_video, tmp_path / "film.mp4", seconds=6, size=(320, 180))


def serving(tmp_path, here):
    options = ("--model", "tiny", "--host", SERVER, "--port", "0", "--data", str(tmp_path / "data"))
    environment = {"FLASHBACK_TOKEN": TOKEN, "FLASHBACK_SAMPLE_RATE": "4"}
    return flashback("serve", *options, inside=here, **environment)


async def send(way, film, service, there):
    address = service.url.removeprefix("http://")
    elsewhere = (sys.executable, "-m", "tests.end_to_end.elsewhere")
    return await run(*there, *elsewhere, way, str(film), address, TOKEN)


async def test_a_sender_on_another_machine_connects_by_udp(tmp_path, film, machines):
    here, there = machines
    async with serving(tmp_path, here) as service:
        assert await send("film", film, service, there) == "played"


async def test_without_udp_webrtc_says_so_and_pictures_get_through(tmp_path, film, machines):
    here, there = machines
    for machine in machines:
        await run(*machine, "ip", "rule", "add", "ipproto", "udp", "blackhole")
    async with serving(tmp_path, here) as service:
        said = await send("film", film, service, there)
        assert said == "failed: The server answered, but no media path to it opened."
        assert await send("pictures", film, service, there) == "remembered"
