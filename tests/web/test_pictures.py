import base64
import io

import numpy as np
import pytest
from PIL import Image

from tests.web.conftest import echo_service
from web.pictures import BadPicture, decode


def jpeg(size=(320, 180), colour=(200, 30, 30), kind="JPEG"):
    data = io.BytesIO()
    Image.new("RGB", size, colour).save(data, kind)
    return data.getvalue()


def line(data):
    url = "data:image/jpeg;base64," + base64.b64encode(data).decode()
    content = [{"type": "input_image", "image_url": url}]
    item = {"type": "message", "role": "user", "content": content}
    return {"type": "conversation.item.create", "event_id": "picture", "item": item}


def test_a_picture_becomes_rgb_of_moderate_size():
    pixels = decode(jpeg((1920, 1080)))
    assert max(pixels.shape[:2]) <= 640
    assert pixels.shape[2] == 3
    assert np.abs(pixels.mean(axis=(0, 1)) - (200, 30, 30)).max() < 3


NO_PICTURES = {
    "nothing": b"",
    "text": b"hello",
    "a PNG": jpeg(kind="PNG"),
    "half a JPEG": jpeg((640, 480))[:400],
    "too many pixels": jpeg((5000, 10)),
}


@pytest.mark.parametrize("name", NO_PICTURES)
def test_what_is_no_usable_jpeg_is_refused(name):
    with pytest.raises(BadPicture, match=r"\.$"):
        decode(NO_PICTURES[name])


async def test_pictures_over_the_websocket_are_remembered_and_can_be_asked_about():
    async with echo_service(sample_rate=30) as service, service.talk("page") as talk:
        for _ in range(6):
            await talk.say(line(jpeg()))
            added = await talk.hear("conversation.item.added")
            assert added["item"]["content"] == [], "pictures are not sent back"
            await talk.hear("conversation.item.done")
        live = await service.house.registry.find("page")
        assert live.status().source == "pictures"
    await service.until(lambda: live.status().state == "ended")


async def test_a_bad_picture_gets_an_error_that_names_its_event(service):
    async with service.talk("page") as talk:
        await talk.say(line(b"no picture"))
        error = await talk.refusal()
        assert error["code"] == "invalid_picture"
        assert error["event_id"] == "picture"


async def test_a_stream_of_pictures_takes_a_place_and_gives_it_back():
    async with echo_service(max_streams=1) as service:
        async with service.talk("one") as talk:
            await talk.say(line(jpeg()))
            await talk.hear("conversation.item.added")
            async with service.talk("two") as other:
                await other.say(line(jpeg()))
                assert (await other.refusal())["code"] == "stream_refused"
        await service.until(lambda: len(service.house.feeding) == 0)


async def test_the_newest_source_wins_and_the_older_one_is_told(service):
    async with service.talk("page") as first, service.talk("page") as second:
        for talk in (first, second):
            await talk.say(line(jpeg()))
            await talk.hear("conversation.item.added")
            await talk.hear("conversation.item.done")
        await first.say(line(jpeg()))
        assert (await first.refusal())["code"] == "stream_taken_over"
