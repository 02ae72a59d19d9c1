"""FFmpeg's WHIP muxer, of imageio-ffmpeg: it answers no consent checks while it sends."""

import aioice.ice
import aioice.stun
import imageio_ffmpeg
import pytest

from tests.clients.conftest import moments, program
from tests.web.conftest import echo_service

PICTURE = "-re -f lavfi -i testsrc=size=320x180:rate=10"
ENCODED = (
    "-c:v libx264 -profile:v baseline -preset ultrafast -tune zerolatency -g 10 -pix_fmt yuv420p"
)

WHIP = (
    "-f",
    "whip",
    "-handshake_timeout",
    "60000",
)  # milliseconds; on a busy machine it takes some


@pytest.fixture
def impatient(monkeypatch):
    """Consent that is not renewed runs out in six seconds instead of half a minute."""
    monkeypatch.setattr(aioice.ice, "CONSENT_INTERVAL", 1.0)
    monkeypatch.setattr(aioice.stun, "RETRY_RTO", 0.05)


async def test_ffmpeg_is_seen_for_as_long_as_it_sends(impatient):
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", *PICTURE.split(), *ENCODED.split()]
    async with (
        echo_service(sample_rate=4) as service,
        service.talk() as talk,
        program(*command, *WHIP, f"{service.url}/whip/cam") as ffmpeg,
    ):
        await moments(talk, 9)  # a second each, the first sooner
        assert len(service.services.senders) == 1
        ffmpeg.terminate()
        await service.all_free()
