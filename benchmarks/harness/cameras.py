"""Cameras that speak motion JPEG: `python -m benchmarks.harness.cameras VIDEO PORT`.

Each connection to any path sees the film again and again in real time, five pictures a second, encoded
once beforehand, so that the machine's processors are left to what is measured.
"""

import asyncio
import contextlib
import io
import sys
from pathlib import Path

import av
from PIL import Image

RATE = 5
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=next\r\n\r\n"
_PART = b"--next\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%b\r\n"


def jpegs(path: Path) -> list[bytes]:
    """Return five pictures of each second of a film, as JPEG."""
    pictures: list[bytes] = []
    with av.open(str(path)) as film:
        for frame in film.decode(video=0):
            if frame.time is not None and frame.time * RATE >= len(pictures):
                written = io.BytesIO()
                Image.fromarray(frame.to_ndarray(format="rgb24")).save(written, "JPEG", quality=80)
                pictures.append(written.getvalue())
    return pictures


async def serve(pictures: list[bytes], port: int) -> None:
    """Show `pictures` to everybody who connects, until cancelled."""

    async def show(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        clock = asyncio.get_running_loop().time
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(_HEAD)
            began, sent = clock(), 0
            while True:
                picture = pictures[sent % len(pictures)]
                writer.write(_PART % (len(picture), picture))
                await writer.drain()
                sent += 1
                await asyncio.sleep(began + sent / RATE - clock())
        writer.close()

    async with await asyncio.start_server(show, "127.0.0.1", port) as server:
        sys.stdout.write("showing\n")
        sys.stdout.flush()
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(jpegs(Path(sys.argv[1])), int(sys.argv[2])))
