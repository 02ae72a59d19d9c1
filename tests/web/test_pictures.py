import asyncio
import base64
import contextlib
import io
import struct
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from memory.errors import StoreFull
from tests.waiting import holds
from tests.web.conftest import echo_service
from web.errors import BadValue
from web.realtime.jpeg import PictureDecoder, decode


def jpeg(size=(320, 180), colour=(200, 30, 30), kind="JPEG"):
    data = io.BytesIO()
    Image.new("RGB", size, colour).save(data, kind)
    return data.getvalue()


def line(data):
    url = "data:image/jpeg;base64," + base64.b64encode(data).decode()
    content = [{"type": "input_image", "image_url": url}]
    item = {"type": "message", "role": "user", "content": content}
    return {"type": "conversation.item.create", "event_id": "picture", "item": item}


def test_a_picture_becomes_rgb_of_the_size_that_is_wanted():
    pixels = decode(jpeg((1920, 1080)), 360)
    assert pixels.shape == (360, 640, 3)
    assert decode(jpeg((1080, 1920)), 448).shape == (796, 448, 3)
    assert decode(jpeg((320, 180)), 448).shape == (180, 320, 3)
    assert np.abs(pixels.mean(axis=(0, 1)) - (200, 30, 30)).max() < 3


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "I;16"])
def test_a_png_is_a_picture_too(mode):
    data = io.BytesIO()
    picture = Image.new("RGB", (64, 32), (200, 30, 30))
    (Image.new(mode, (64, 32)) if mode == "I;16" else picture.convert(mode)).save(data, "PNG")
    assert decode(data.getvalue(), 360).shape == (32, 64, 3)


@given(st.integers(0, 200), st.binary(max_size=8))
def test_a_damaged_png_is_a_picture_or_none(place, damage):
    data = jpeg((64, 32), kind="PNG")
    with contextlib.suppress(BadValue):  # any other error fails
        decode(data[:place] + damage + data[place + len(damage) :], 360)


def test_a_picture_that_a_telephone_turned_is_shown_upright():
    data, lying = io.BytesIO(), Image.new("RGB", (64, 32), (200, 30, 30))
    lying.paste((30, 30, 200), (0, 0, 32, 32))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned right by a quarter
    lying.save(data, "JPEG", exif=exif)
    pixels = decode(data.getvalue(), 360)
    assert pixels.shape == (64, 32, 3)
    assert pixels[:28, :, 2].mean() > 150
    assert pixels[36:, :, 0].mean() > 150


def claiming(side):
    """Return a small JPEG that claims to be `side` pixels wide and high."""
    data, size = jpeg((16, 16)), struct.pack(">HH", side, side)
    return data.replace(struct.pack(">HH", 16, 16), size, 1)


def with_scans(scans):
    """Return a progressive JPEG with that many scans more, all of them empty."""
    whole = io.BytesIO()
    Image.new("L", (16, 16)).save(whole, "JPEG", progressive=True)
    empty = bytes.fromhex("ffda0008010100013f00")
    return whole.getvalue().removesuffix(b"\xff\xd9") + empty * scans + b"\xff\xd9"


NO_PICTURES = {
    "a claim of 900 million pixels": claiming(30_000),
    "a claim of 81 million pixels": claiming(9000),
    "thousands of scans": with_scans(4588),
    "thousands of segments": jpeg()[:2] + b"\xff\xfe\x00\x02" * 60_000 + jpeg()[2:],
    "nothing": b"",
    "text": b"hello",
    "a GIF": jpeg(kind="GIF"),
    "half a JPEG": jpeg((640, 480))[:400],
    "half a PNG": jpeg((640, 480), kind="PNG")[:100],
    "a PNG of too many pixels": jpeg((5000, 10), kind="PNG"),
    "a PNG that claims 900 million": jpeg((16, 16), kind="PNG").replace(
        struct.pack(">II", 16, 16), struct.pack(">II", 30_000, 30_000), 1
    ),
    "too many pixels": jpeg((5000, 10)),
}


@pytest.mark.parametrize("name", NO_PICTURES)
def test_what_is_no_usable_jpeg_is_refused(name):
    with pytest.raises(BadValue, match=r"\.$"):
        decode(NO_PICTURES[name], 360)


def test_a_progressive_picture_is_a_picture():
    assert decode(with_scans(1), 360).shape == (16, 16, 3)


async def test_a_picture_that_claims_to_be_huge_cuts_nobody_off(service):
    async with service.talk("page") as talk:
        await talk.say(line(claiming(30_000)))
        error = await talk.refusal()
        assert error["code"] == "invalid_picture"
        assert "4096 pixels" in error["message"]
        await talk.say(line(jpeg()))
        await talk.hear("conversation.item.added")


async def test_one_caller_has_one_picture_decoded_at_a_time(monkeypatch):
    at_work, most, go_on = [], [], threading.Event()

    def decoding(data, _side):
        at_work.append(data)
        most.append(tuple(at_work))
        go_on.wait(60)
        at_work.remove(data)

    monkeypatch.setattr("web.realtime.jpeg.decode", decoding)
    decoder = PictureDecoder(360)
    tasks = [asyncio.create_task(decoder.decode(bytes([n]), "ann")) for n in range(3)]
    tasks.append(asyncio.create_task(decoder.decode(b"ben", "ben")))
    await holds(lambda: len(at_work) == 2)
    assert set(at_work) == {b"\0", b"ben"}
    go_on.set()
    await asyncio.gather(*tasks)
    decoder.close()
    assert all(sum(data != b"ben" for data in at_once) <= 1 for at_once in most)


async def test_pictures_over_the_websocket_are_remembered_and_can_be_asked_about():
    async with echo_service(sample_rate=30) as service, service.talk("page") as talk:
        for _ in range(6):
            await talk.say(line(jpeg()))
            added = await talk.hear("conversation.item.added")
            assert added["item"]["content"] == [], "pictures are not sent back"
            await talk.hear("conversation.item.done")
        live = await service.services.registry.find("page")
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
        await service.until(lambda: len(service.services.feeding) == 0)


async def show(talk, data=None):
    """Send a picture and wait until the next may be sent."""
    await talk.say(line(data or jpeg()))
    await talk.hear("conversation.item.added")
    await talk.hear("conversation.item.done")


async def test_pictures_of_a_stream_that_was_taken_over_hold_no_place(player):
    async with (
        echo_service(max_streams=1) as service,
        service.client() as client,
        service.talk("cam") as talk,
    ):
        await show(talk)
        sdp = {"Content-Type": "application/sdp"}
        offered = await client.post("/whip/cam", content=player.offer, headers=sdp)
        assert offered.status_code == 201, "it takes over the place too"
        await client.delete(offered.headers["Location"])
        await service.all_free()
        await talk.say(line(jpeg()))
        refused = await talk.refusal()
        assert refused["code"] == "stream_taken_over"
        assert refused["message"] == "Another source took over."


async def test_pictures_of_a_stream_that_was_deleted_hold_no_place_and_do_not_bring_it_back():
    async with (
        echo_service(max_streams=1) as service,
        service.client() as client,
        service.talk("cam") as talk,
    ):
        await show(talk)
        await client.delete("/v1/streams/cam")
        await service.all_free()
        await talk.say(line(jpeg()))
        assert "deleted" in (await talk.refusal())["message"]
        assert (await client.get("/v1/streams")).json() == {"streams": []}


async def test_a_sender_of_pictures_that_falls_silent_holds_no_place_until_its_next_picture():
    settings = {"max_streams": 1, "silence_seconds": 0.5}
    async with echo_service(**settings) as service, service.talk("cam") as talk:
        await show(talk)
        await service.all_free()
        live = await service.services.registry.find("cam")
        assert live.status().reason == "No picture came for 0.5 seconds."

        async def shows():
            await show(talk)
            return len(service.services.feeding) == service.services.registry.fed == 1

        await holds(shows)  # on a busy machine it may fall silent again before we look


async def test_an_internal_error_costs_clips_and_is_said_while_pictures_go_on():
    settings = {"max_streams": 1, "sample_rate": 30}
    async with echo_service(**settings) as service, service.talk("cam") as talk:
        append = service.store.append

        async def fail(*_):
            raise RuntimeError("nobody thought of this")

        service.store.append = fail
        await pictures_until(talk, lambda event: "internal error" in str(memory_of(event)))
        service.store.append = append
        await pictures_until(talk, lambda event: event["type"] == "flashback.moment")
        assert service.services.registry.fed == 1


def memory_of(event):
    return event["stream"]["memory"] if event["type"] == "flashback.stream" else None


async def pictures_until(talk, told):
    """Send a picture whenever the one before was taken, until something is `told`."""
    await talk.say(line(jpeg()))
    while not told(event := await talk.next()):
        if event["type"] == "conversation.item.done":
            await talk.say(line(jpeg()))


async def test_a_bad_first_picture_makes_no_stream_and_takes_none_over(service):
    async with service.talk("cam") as sender, service.talk("cam") as other:
        await other.say(line(b"no picture"))
        assert (await other.refusal())["code"] == "invalid_picture"
        async with service.client() as client:
            assert (await client.get("/v1/streams")).json() == {"streams": []}
        await show(sender)
        await other.say(line(b"no picture"))
        assert (await other.refusal())["code"] == "invalid_picture"
        await show(sender)


async def test_pictures_give_their_place_back_when_the_service_stops():
    async with echo_service(max_streams=1) as service, service.talk("cam") as talk:
        await show(talk)
        assert len(service.services.feeding) == 1
    await service.all_free()


async def test_a_token_has_its_own_limit_for_pictures_too():
    settings = {"token": "one,two", "max_streams_per_token": 1}
    one, two = (
        {"additional_headers": {"Authorization": f"Bearer {token}"}} for token in ("one", "two")
    )
    async with (
        echo_service(**settings) as service,
        service.talk("a", **one) as first,
        service.talk("b", **one) as second,
        service.talk("b", **two) as third,
    ):
        await show(first)
        await second.say(line(jpeg()))
        refused = await second.refusal()
        assert refused["code"] == "stream_refused"
        assert "This token has its 1 streams" in refused["message"]
        await show(third)


async def test_the_newest_source_wins_and_the_older_one_is_told(service):
    async with service.talk("page") as first, service.talk("page") as second:
        for talk in (first, second):
            await talk.say(line(jpeg()))
            await talk.hear("conversation.item.added")
            await talk.hear("conversation.item.done")
        await first.say(line(jpeg()))
        assert (await first.refusal())["code"] == "stream_taken_over"


async def test_a_picture_that_memory_has_no_room_for_is_refused_in_words(service):
    async def full(stream, now):
        raise StoreFull("Memory is full.")

    service.services.store.begin = full
    async with service.talk("cam") as talk:
        await talk.say(line(jpeg()))
        assert (await talk.refusal())["message"] == "Memory is full."
    assert len(service.services.feeding) == 0
