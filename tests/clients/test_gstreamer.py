"""GStreamer's `webrtcbin`: its certificate is of RSA, and its bundled video is offered with port 0."""

import asyncio
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.clients.conftest import moments, program
from tests.end_to_end.needs import need

SENDER = Path(__file__).with_name("gstreamer_sender.py")
SYSTEM_PYTHON = "/usr/bin/python3"
ELEMENTS = ("webrtcbin", "nicesink", "dtlssrtpenc", "opusenc", "vp8enc")


@pytest.fixture(scope="session")
def gstreamer():
    look = (
        "import gi; gi.require_version('Gst', '1.0'); gi.require_version('GstWebRTC', '1.0');"
        "from gi.repository import Gst, GstWebRTC; Gst.init(None);"
        f"assert all(map(Gst.ElementFactory.find, {ELEMENTS}))"
    )
    there = (
        shutil.which(SYSTEM_PYTHON)
        and not subprocess.run(
            [SYSTEM_PYTHON, "-c", look], capture_output=True, check=False
        ).returncode
    )
    need(there, "GStreamer's webrtcbin for Python; `make stock-clients` gets it")


async def test_webrtcbin_is_seen(gstreamer, service):
    async with program(SYSTEM_PYTHON, SENDER) as sender, service.client() as client:
        async with asyncio.timeout(60):
            offer = json.loads(await sender.stdout.readline())
        assert "a=bundle-only" in offer
        headers = {"Content-Type": "application/sdp"}
        answered = await client.post("/whip/cam", content=offer, headers=headers)
        assert answered.status_code == 201, answered.text
        async with service.talk() as talk:
            sender.stdin.write(json.dumps(answered.text).encode() + b"\n")
            await moments(talk, 1)
