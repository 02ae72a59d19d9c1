import pytest

from stream.ice import WebRtcSettings, new_connection
from stream.peer import hang_up
from stream.receiver import LONGEST_BACKLOG, _waiting, is_behind, skip_to_now, stop_decoding


@pytest.fixture
async def receiver():
    connection = new_connection(WebRtcSettings())
    connection.addTransceiver("video", direction="recvonly")
    [receiver] = connection.getReceivers()
    yield receiver
    await hang_up(connection)


async def test_a_decoder_that_falls_behind_is_noticed_and_skips_to_now(receiver):
    for _ in range(LONGEST_BACKLOG):
        _waiting(receiver).put("an encoded picture")
    assert not is_behind(receiver)
    _waiting(receiver).put("one more")
    assert is_behind(receiver)
    skip_to_now(receiver)
    assert not is_behind(receiver)
    assert _waiting(receiver).empty()


async def test_a_receiver_that_never_started_stops_at_once(receiver):
    await stop_decoding(receiver)
