"""`flashback serve` and `flashback demo`: a server in the foreground, and what it tells people."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
from pydantic import SecretStr
from rich.console import Console

from stream.errors import NotDelivered
from stream.webrtc.whip_client import play
from web.access.tokens import TokenFile, make_token
from web.cli.server import serve, take_port
from web.errors import Failed
from web.settings import Settings

_SAMPLE = Path(__file__).parents[1] / "sample" / "sample.mp4"
_SAMPLE_STREAM = "sample"
_LOOK_SECONDS = 1.0
_CLIPS_BEFORE_SUGGESTIONS = 8
"""So much must have been shown that there is a past to ask about: half a minute."""

_UNGUARDED = (
    "It needs no token: whoever reaches {names} through a proxy may do everything. "
    "Set FLASHBACK_TOKEN, or make named tokens with `flashback token add`."
)

_screen = Console(highlight=False, soft_wrap=True)


def run_service(settings: Settings) -> None:
    """Serve until stopped.

    Raises:
        Failed: If it cannot start.
    """
    settings, made = _with_token(settings)
    unguarded = not made and _lets_others_in(settings)

    async def ready(address: str) -> None:
        _screen.print(f"Flashback is ready: [bold]{address}/[/bold]")
        if made:
            token = settings.token[0].get_secret_value()
            _screen.print(f"Its token, made for this run and shown once: [bold]{token}[/bold]")
        if unguarded:
            _screen.print(_UNGUARDED.format(names=", ".join(settings.allowed_hosts)))

    _run(settings, ready)


def run_demo(settings: Settings) -> None:
    """Serve on loopback and play the bundled sample into it, until stopped.

    Raises:
        Failed: If it cannot start, or the sample cannot be played.
    """
    # On loopback, for whoever sits here: the sample has no named tokens of its own.
    settings = settings.model_copy(update={"token_file": _SAMPLE.parent / "tokens.json"})

    async def ready(address: str) -> None:
        _screen.print(f"Flashback is ready: [bold]{address}/#sample[/bold]")
        _screen.print("A sample stream is playing live; the page suggests questions about it.")
        _screen.print("Ctrl-C stops everything.", style="dim")
        token = settings.token[0].get_secret_value() if settings.token else None
        suggesting = asyncio.create_task(_suggest_questions(address, token))
        try:
            await _keep_playing(address, token)
        finally:
            suggesting.cancel()

    if not _SAMPLE.exists():
        raise Failed(f"The sample stream is missing: {_SAMPLE}.")
    _run(settings, ready)


async def _keep_playing(address: str, token: str | None) -> None:
    """Play the sample, and again whenever its stream was deleted or left by another sender.

    Raises:
        NotDelivered: If it cannot be played.
    """
    while True:
        try:
            await play(_SAMPLE, f"{address}/whip/{_SAMPLE_STREAM}", token=token)
        except NotDelivered as error:
            if error.code != "connection_lost":
                raise
            await _left_alone(address, token)


async def _suggest_questions(address: str, token: str | None) -> None:
    """Print questions to try, once the sample has shown something to ask about."""
    async with _client(address, token) as client:
        while not (texts := await _suggestions(client)):  # noqa: ASYNC110 - it is asked over HTTP
            await asyncio.sleep(_LOOK_SECONDS)
    _screen.print("Questions to try, from what it has shown:")
    for text in texts:
        _screen.print(f"  {text}", style="italic", markup=False)


async def _suggestions(client: httpx.AsyncClient) -> list[str]:
    """Return questions about the sample; none while little has been shown of it."""
    with contextlib.suppress(httpx.HTTPError):  # the service is busy: it is asked again soon
        stream = await client.get(f"/v1/streams/{_SAMPLE_STREAM}")
        if stream.is_success and stream.json()["clips"] >= _CLIPS_BEFORE_SUGGESTIONS:
            found = await client.get(f"/v1/streams/{_SAMPLE_STREAM}/suggestions")
            # What is present now soon is not, but the lines on the screen stay.
            said = found.json()["suggestions"] if found.is_success else []
            return [each["text"] for each in said if each["kind"] != "present"]
    return []


def _client(address: str, token: str | None) -> httpx.AsyncClient:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return httpx.AsyncClient(base_url=address, headers=headers)


async def _left_alone(address: str, token: str | None) -> None:
    """Wait until nothing feeds the sample's stream: two senders would fight for it."""
    async with _client(address, token) as client:
        while True:
            stream = await client.get(f"/v1/streams/{_SAMPLE_STREAM}")
            if stream.status_code == httpx.codes.NOT_FOUND or (
                stream.is_success and stream.json()["state"] == "ended"
            ):
                return
            await asyncio.sleep(_LOOK_SECONDS)


def _with_token(settings: Settings) -> tuple[Settings, bool]:
    """Return settings that are safe to serve with, and whether a token had to be made for that."""
    if settings.on_loopback or settings.token or settings.jwt_issuer:
        return settings, False
    return settings.model_copy(update={"token": (SecretStr(make_token()),)}), True


def _lets_others_in(settings: Settings) -> bool:
    """Say whether a proxy seems to stand in front, and nobody who comes through it needs a token."""
    guarded = settings.token or settings.jwt_issuer or TokenFile(settings.tokens_at).stamp()
    return bool(settings.allowed_hosts) and not guarded


def _run(settings: Settings, ready: Callable[[str], Awaitable[None]]) -> None:
    listener = take_port(settings)
    status = _screen.status(f"Loading {settings.model}…")

    async def companion(address: str) -> None:
        status.stop()
        await ready(address)

    with listener, status:
        asyncio.run(serve(settings, listener, companion, status.update))
