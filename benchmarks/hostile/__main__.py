"""What strangers and callers can do to the event loop: expensive input, and clients that take nothing.

    flashback bench hostile

For each attack a service of its own, with the model `tiny`. Counted is the longest turn of its event
loop in processor time: how long nobody else is served, whatever else the machine does meanwhile. The
first line is a service that nobody attacks.
"""

import argparse
import asyncio
import base64
import contextlib
import io
import json
import os
import socket
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import websockets
from PIL import Image
from rich.console import Console
from rich.progress import track

from benchmarks.command.report import Report, benchmark_main, met
from benchmarks.harness.counted_service import longest_turn_ms
from benchmarks.harness.service import running

_SECONDS = 5.0
_PATIENCE = 120.0
_SCANS = 4588
_EMPTY_SCAN = bytes.fromhex("ffda0008010100013f00")
_STYLE = b"GET /static/style.css HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
_CHAT = "/v1/chat/completions"

_Attack = Callable[[str], Awaitable[None]]


async def _nothing(_url: str) -> None:
    await asyncio.sleep(_SECONDS)


async def _pictures(url: str) -> None:
    """Send progressive JPEGs of thousands of empty scans over six connections."""
    whole = io.BytesIO()
    Image.new("L", (16, 16)).save(whole, "JPEG", progressive=True)
    slow = whole.getvalue().removesuffix(b"\xff\xd9") + _EMPTY_SCAN * _SCANS + b"\xff\xd9"
    await asyncio.gather(*(_say(url, _picture_part(slow), 20) for _ in range(6)))


async def _claims(url: str) -> None:
    """Send JPEGs that claim to be 30,000 pixels wide."""
    huge = _jpeg().replace(b"\x00\x10\x00\x10", b"\x75\x30\x75\x30", 1)
    await _say(url, _picture_part(huge), 100)


async def _long_text(url: str) -> None:
    """Ask with 900 KB of words."""
    await _ask(url, "word " * 180_000, 10)


async def _words_of_time(url: str) -> None:
    """Ask questions made of numbers and words of time alone."""
    await _ask(url, ("at 3 , " * 150)[:1000], 40)


async def _offers(url: str) -> None:
    """Offer 127 KB of attributes, and one section twice."""
    line = "a=rtpmap:96 VP8/90000\r\n"
    section = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n"
    head = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
    headers = {"Content-Type": "application/sdp"}
    async with httpx.AsyncClient(base_url=url, timeout=_PATIENCE) as client:
        for sdp in (head + section + line * 5400, head + (section + line) * 2) * 5:
            await client.post("/whip/cam", content=sdp, headers=headers)


async def _takes_nothing(url: str) -> None:
    """Ask for the page's style over 600 connections, 200 times each, and read nothing."""
    await _hold(url, 600, _STYLE * 200)


async def _small_chunks(url: str) -> None:
    """Send bodies of 256 KB in chunks of one byte, over six connections, and answers untaken."""
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    await _hold(url, 6, head + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 43_000)


async def _many_headers(url: str) -> None:
    """Send requests with 60 KB of empty headers."""
    await _hold(
        url, 6, (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"a:\r\n" * 15_000 + b"\r\n") * 3
    )


async def _small_messages(url: str) -> None:
    """Send small messages over six WebSockets, as many as are no flood, and take no answer."""
    shake = (
        b"GET /v1/realtime?stream=cam HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
        b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    message = b"\x81\xbd\0\0\0\0" + b'{"type": "x"}'.ljust(61)
    await _hold(url, 6, shake, [message * 3000] * 20)


async def _idle(url: str) -> None:
    """Open 1,100 connections and say nothing."""
    await _hold(url, 1100, b"")


_ATTACKS: dict[str, _Attack] = {
    "nobody": _nothing,
    "JPEGs of 4,588 empty scans, six at a time": _pictures,
    "JPEGs that claim 30,000 x 30,000": _claims,
    "questions of 900 KB": _long_text,
    "questions of words of time": _words_of_time,
    "offers of 127 KB; one section twice": _offers,
    "600 connections that take no answer": _takes_nothing,
    "bodies of 43,000 chunks": _small_chunks,
    "requests of 15,000 headers": _many_headers,
    "60,000 small messages over each of six WebSockets": _small_messages,
    "1,100 connections that say nothing": _idle,
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's options."""
    parser.add_argument("--only", default="", help="attacks whose name holds this")


def run(options: argparse.Namespace) -> Report:
    """Attack one service after the other."""
    rows: list[list[str | float]] = []
    chosen = {name: attack for name, attack in _ATTACKS.items() if options.only in name}
    for name in track(chosen, "attacking", console=Console(stderr=True), transient=True):
        rows += [[name, *asyncio.run(_measure(chosen[name]))]]
    turns_ms = [float(row[1]) for row in rows]
    return Report(
        title="The event loop under attack",
        settings={"model": "tiny", "load": round(os.getloadavg()[0], 1)},
        columns=[
            "attack",
            "longest turn, ms of processor",
            "processor, s",
            "seconds",
            "memory, MiB",
        ],
        rows=rows,
        numbers={"longest_turn_ms": max(turns_ms)},
        notes=[met("longest turn below 100 ms", max(turns_ms), 100)],
    )


async def _measure(attack: _Attack) -> list[float]:
    """Return the longest turn, processor seconds, duration and memory of a service that is attacked."""
    with tempfile.TemporaryDirectory(prefix="flashback-turns-") as folder:
        turns = Path(folder) / "turns"
        return await _attacked(attack, turns)


async def _attacked(attack: _Attack, turns: Path) -> list[float]:
    arguments = [str(turns), "serve", "--model", "tiny"]
    async with running("benchmarks.harness.counted_service", arguments) as service:
        await _say(
            service.address, _picture_part(_jpeg()), 4
        )  # so that there is something to ask about
        before, began, since = service.cpu_seconds(), time.perf_counter(), time.time()
        await attack(service.address)
        seconds = time.perf_counter() - began
        spent = service.cpu_seconds() - before
        health = await service.get("/health")
    memory = health["rss_bytes"] / 2**20
    longest = await asyncio.to_thread(longest_turn_ms, turns, since)
    return [round(longest, 1), round(spent, 2), round(seconds, 1), round(memory)]


def _jpeg() -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (16, 16)).save(data, "JPEG")
    return data.getvalue()


def _picture_part(jpeg: bytes) -> dict[str, str]:
    url = "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()
    return {"type": "input_image", "image_url": url}


async def _say(url: str, part: dict[str, str], times: int) -> None:
    """Add a line with `part` to a conversation, again and again, and hear what is said to it."""
    item = {"type": "message", "role": "user", "content": [part]}
    event = json.dumps({"type": "conversation.item.create", "item": item})
    address = url.replace("http", "ws", 1) + "/v1/realtime?stream=cam"
    async with websockets.connect(address, proxy=None, open_timeout=60) as talk:
        for _ in range(times):
            await talk.send(event)
            while json.loads(await talk.recv())["type"] not in {
                "error",
                "conversation.item.done",
            }:
                continue


async def _ask(url: str, text: str, times: int) -> None:
    asked = {"model": "tiny@cam", "messages": [{"role": "user", "content": text}]}
    async with httpx.AsyncClient(base_url=url, timeout=_PATIENCE) as client:
        await asyncio.gather(*(client.post(_CHAT, json=asked) for _ in range(times)))


async def _hold(url: str, count: int, request: bytes, more: Sequence[bytes] = ()) -> None:
    """Open connections, send `request` over each, then what else is taken; read nothing for some seconds."""
    loop, found = asyncio.get_running_loop(), urlsplit(url)
    opened: list[socket.socket] = []
    with contextlib.ExitStack() as held:
        for _ in range(count):
            silent = held.enter_context(socket.socket())
            silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            silent.setblocking(False)
            with contextlib.suppress(OSError):
                await loop.sock_connect(silent, (found.hostname, found.port))
                await asyncio.wait_for(loop.sock_sendall(silent, request), _SECONDS)
            opened.append(silent)
        for part in more:
            await asyncio.sleep(_SECONDS / len(more))
            for silent in opened:
                with contextlib.suppress(OSError):
                    silent.send(part)
        await asyncio.sleep(_SECONDS)


if __name__ == "__main__":
    benchmark_main("hostile", __doc__, run, add_options)
