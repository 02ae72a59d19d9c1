"""What runs on the other machine: sends a film by WHIP, or pictures over the WebSocket.

    python -m tests.end_to_end.elsewhere film|pictures FILM ADDRESS TOKEN

Says in one line on its output how it went.
"""

import asyncio
import base64
import io
import json
import sys
from pathlib import Path

import av
import websockets

from stream.player import PlayFailed, play


async def send_film(film, address, token):
    try:
        await play(film, f"http://{address}/whip/cam", token=token, repeat=False)
    except PlayFailed as failed:
        return f"failed: {failed}"
    return "played"


async def send_pictures(film, address, token):
    with av.open(str(film)) as container:
        data = io.BytesIO()
        next(container.decode(video=0)).to_image().save(data, "JPEG")
    image_url = "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode()
    content = [{"type": "input_image", "image_url": image_url}]
    item = {"type": "message", "role": "user", "content": content}
    picture = json.dumps({"type": "conversation.item.create", "item": item})
    headers = {"Authorization": f"Bearer {token}"}
    url = f"ws://{address}/v1/realtime?stream=cam"
    async with websockets.connect(url, additional_headers=headers, proxy=None) as talk:
        await talk.send(picture)
        async with asyncio.timeout(30):
            while (event := json.loads(await talk.recv()))["type"] != "flashback.moment":
                if event["type"] == "conversation.item.done":
                    await asyncio.sleep(0.1)
                    await talk.send(picture)
    return "remembered"


if __name__ == "__main__":
    way, film, address, token = sys.argv[1:]
    send = {"film": send_film, "pictures": send_pictures}[way]
    sys.stdout.write(asyncio.run(send(Path(film), address, token)) + "\n")
