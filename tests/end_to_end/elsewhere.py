"""What runs on the other machine: sends to the service there, or looks at the network.

    python -m tests.end_to_end.elsewhere film|in-vain|relayed|endless|pictures FILM ADDRESS TOKEN
    python -m tests.end_to_end.elsewhere remembered ADDRESS TOKEN
    python -m tests.end_to_end.elsewhere moments ADDRESS TOKEN SINCE COUNT
    python -m tests.end_to_end.elsewhere relay URL USERNAME CREDENTIAL

`film` is sent by WHIP, `in-vain` where no path is expected to open; `relayed` too, with the ICE servers that the service names in its answer;
`endless` again and again until it is killed. `remembered` waits until a clip of it is kept, `moments` until so many
that start after a Unix time are, and says when each began and ended. `relay` asks a TURN server for
a relay address. Says in one line on its output how it went.
"""

import asyncio
import base64
import io
import itertools
import json
import re
import sys
from contextlib import aclosing
from pathlib import Path

import av
import httpx

from stream.errors import NotDelivered
from stream.webrtc import whip_client
from stream.webrtc.ice import IceServer, WebRtcSettings
from stream.webrtc.whip_client import Player, play
from tests.websocket import connect
from web.doctor.turn import ask_for_relay
from web.errors import WebError

WAIT_SECONDS = 150
FRAME_SECONDS = 0.1
"""Between two pictures, as a camera has it."""
LINK = re.compile(r'<(\S+)>; rel="ice-server"(?:; username="(\S+)"; credential="(\S+)";.*)?')


async def send_film(film, address, token, settings=None, within=WAIT_SECONDS):
    whip_client._CONNECT_WITHIN = within
    url = f"http://{address}/whip/cam"
    try:
        await play(
            Path(film), url, token=token, repeat=False, settings=settings or WebRtcSettings()
        )
    except NotDelivered as failed:
        return f"failed: {failed}"
    return "played"


async def send_in_vain(film, address, token):
    return await send_film(film, address, token, within=whip_client._CONNECT_WITHIN)


async def send_endless(film, address, token):
    whip_client._CONNECT_WITHIN = WAIT_SECONDS
    await play(Path(film), f"http://{address}/whip/cam", token=token)


async def send_relayed(film, address, token):
    servers = await told_servers(film, address, token)
    return await send_film(film, address, token, WebRtcSettings(ice_servers=servers))


async def told_servers(film, address, token):
    """Offer once, to learn of the ICE servers (RFC 9725, section 4.6), and hang up."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
    base = f"http://{address}"
    async with (
        httpx.AsyncClient(base_url=base, headers=headers, timeout=None) as client,
        Player(Path(film)) as player,
    ):
        answer = await client.post("/whip/cam", content=player.offer)
        await client.delete(answer.headers["Location"])
    links = [LINK.fullmatch(link) for link in answer.headers.get_list("Link")]
    return tuple(IceServer(*link.groups()) for link in links)


def talking(address, token):
    headers = {"Authorization": f"Bearer {token}"}
    url = f"ws://{address}/v1/realtime?stream=cam"
    return connect(url, additional_headers=headers)


async def send_pictures(film, address, token):
    with av.open(film) as container:
        data = io.BytesIO()
        next(container.decode(video=0)).to_image().save(data, "JPEG")
    image_url = "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode()
    content = [{"type": "input_image", "image_url": image_url}]
    item = {"type": "message", "role": "user", "content": content}
    picture = json.dumps({"type": "conversation.item.create", "item": item})
    async with (
        talking(address, token) as talk,
        asyncio.timeout(WAIT_SECONDS),
        aclosing(frames()) as camera,
    ):
        async for _ in camera:
            await talk.send(picture)
            said = ""
            while said not in {"conversation.item.done", "flashback.moment"}:
                said = json.loads(await talk.recv())["type"]
            if said == "flashback.moment":
                break
    return "remembered"


async def frames():
    """Count the frames of a camera, each when it is due by the clock, however long the others took.

    The service dates pictures by their arrival, and a clip is made of those that lie apart.
    """
    now = asyncio.get_running_loop().time
    began = now()
    for number in itertools.count():
        await asyncio.sleep(began + number * FRAME_SECONDS - now())
        yield number


async def wait_remembered(address, token):
    async with talking(address, token) as talk, asyncio.timeout(WAIT_SECONDS):
        while json.loads(await talk.recv())["type"] != "flashback.moment":
            pass
    return "yes"


async def list_moments(address, token, since, count):
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx.AsyncClient(
            base_url=f"http://{address}/v1/streams/", headers=headers, timeout=None
        ) as client,
        talking(address, token) as talk,
        asyncio.timeout(WAIT_SECONDS),
    ):
        while True:
            moments = await get_moments(client)
            if sum(start > float(since) for start, _ in moments) >= int(count):
                return json.dumps(moments)
            await talk.recv()


async def get_moments(client):
    """Return when each moment began and ended, in Unix seconds."""
    stream, found = await client.get("cam"), await client.get("cam/moments")
    if not (stream.is_success and found.is_success):
        return []
    began = stream.json()["began"]
    return [(began + moment["start"], began + moment["end"]) for moment in found.json()["moments"]]


async def get_relay(url, username, credential):
    try:
        return f"relay at {await ask_for_relay(IceServer(url, username, credential))}"
    except WebError as why:
        return f"none: {why}"


WAYS = {
    "film": send_film,
    "in-vain": send_in_vain,
    "relayed": send_relayed,
    "endless": send_endless,
    "pictures": send_pictures,
    "remembered": wait_remembered,
    "moments": list_moments,
    "relay": get_relay,
}


if __name__ == "__main__":
    way, *arguments = sys.argv[1:]
    sys.stdout.write(asyncio.run(WAYS[way](*arguments)) + "\n")
