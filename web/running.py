"""`flashback serve` and `flashback demo`: a server in the foreground, and what it tells people."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
from pydantic import SecretStr
from rich.console import Console

from stream.player import ConnectionLost, play
from web.security import make_token
from web.serving import CannotServe, serve, take_port
from web.settings import Settings

SAMPLE = Path(__file__).parent / "sample" / "sample.mp4"
SAMPLE_STREAM = "sample"
LOOK_SECONDS = 1.0
QUESTIONS = (
    "What is shown now?",
    "What came after the dog?",
    "Which way did the dog move?",
    "What came before the rocket?",
    "What colour was the circle?",
)

screen = Console(highlight=False, soft_wrap=True)


def run_service(settings: Settings) -> None:
    """Serve until stopped.

    Raises:
        CannotServe: If it cannot start.
    """
    settings, made = with_token(settings)

    async def ready(address: str) -> None:
        screen.print(f"Flashback is ready: [bold]{address}/[/bold]")
        if made:
            token = settings.token[0].get_secret_value()
            screen.print(f"Its token, made for this run and shown once: [bold]{token}[/bold]")

    _run(settings, ready)


def run_demo(settings: Settings) -> None:
    """Serve on loopback and play the bundled sample into it, until stopped.

    Raises:
        CannotServe: If it cannot start, or the sample cannot be played.
    """

    async def ready(address: str) -> None:
        screen.print(f"Flashback is ready: [bold]{address}/#sample[/bold]")
        screen.print("A sample stream is playing live. Questions to try:")
        for question in QUESTIONS:
            screen.print(f"  {question}", style="italic")
        screen.print("Ctrl-C stops everything.", style="dim")
        token = settings.token[0].get_secret_value() if settings.token else None
        await _keep_playing(address, token)

    if not SAMPLE.exists():
        raise CannotServe(f"The sample stream is missing: {SAMPLE}.")
    _run(settings, ready)


async def _keep_playing(address: str, token: str | None) -> None:
    """Play the sample, and again whenever its stream was deleted or left by another sender."""
    while True:
        try:
            await play(SAMPLE, f"{address}/whip/{SAMPLE_STREAM}", token=token)
        except ConnectionLost:
            await _left_alone(address, token)


async def _left_alone(address: str, token: str | None) -> None:
    """Wait until nothing feeds the sample's stream: two senders would fight for it."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=address, headers=headers) as client:
        while True:
            stream = await client.get(f"/v1/streams/{SAMPLE_STREAM}")
            if stream.status_code == httpx.codes.NOT_FOUND or (
                stream.is_success and stream.json()["state"] == "ended"
            ):
                return
            await asyncio.sleep(LOOK_SECONDS)


def with_token(settings: Settings) -> tuple[Settings, bool]:
    """Return settings that are safe to serve with, and whether a token had to be made for that."""
    if settings.on_loopback or settings.token:
        return settings, False
    return settings.model_copy(update={"token": (SecretStr(make_token()),)}), True


def _run(settings: Settings, ready: Callable[[str], Awaitable[None]]) -> None:
    listener = take_port(settings)
    status = screen.status(f"Loading {settings.model}…")

    async def companion(address: str) -> None:
        status.stop()
        await ready(address)

    with listener, status:
        asyncio.run(serve(settings, listener, companion, status.update))
