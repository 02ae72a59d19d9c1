"""The list of streams: in parts, and bounded."""

import pytest

from tests.web.test_pictures import jpeg, line


async def names(client, **query):
    response = await client.get("/v1/streams", params=query)
    return [stream["name"] for stream in response.json()["streams"]]


async def test_the_list_comes_in_parts_in_order_of_name(service):
    for i in range(150):
        await service.remember(f"s{i:03}")
    async with service.client() as client:
        first = await names(client)
        assert first == [f"s{i:03}" for i in range(100)]
        assert await names(client, after=first[-1]) == [f"s{i:03}" for i in range(100, 150)]
        assert await names(client, after="s003", limit=2) == ["s004", "s005"]
        assert len(await names(client, limit=1000)) == 150


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 1001}, {"after": "x" * 65}])
async def test_a_part_that_cannot_be_is_refused(service, query):
    async with service.client() as client:
        assert (await client.get("/v1/streams", params=query)).status_code == 422


async def test_a_new_stream_is_refused_with_a_sentence_once_too_many_are_remembered(
    service, player
):
    for i in range(1000):
        await service.remember(f"s{i}")
    sdp = {"Content-Type": "application/sdp"}
    source = {"name": "new", "url": "rtsp://camera.invalid/door"}
    async with service.client() as client, service.talk("new") as talk:
        for response in (
            await client.post("/v1/streams", json=source),
            await client.post("/whip/new", content=player.offer, headers=sdp),
        ):
            assert response.status_code == 507
            assert "1000 streams are remembered" in response.json()["detail"]
        await talk.say(line(jpeg()))
        assert "1000 streams are remembered" in (await talk.refusal())["message"]
        await service.all_free()
        goes_on = await client.post("/v1/streams", json=source | {"name": "s7"})
        assert goes_on.status_code == 201
        assert (await client.delete("/v1/streams/s9")).status_code == 204
        assert (await client.post("/v1/streams", json=source)).status_code == 201


@pytest.mark.parametrize("after", ["nan", "inf", "-inf"])
async def test_moments_after_no_number_are_refused(service, after):
    await service.remember()
    async with service.client() as client:
        response = await client.get("/v1/streams/cam/moments", params={"after": after})
        assert response.status_code == 422
        assert len((await client.get("/v1/streams/cam/moments")).json()["moments"]) == 1
