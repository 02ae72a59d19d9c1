"""`flashback top`: a running service in the terminal, looked at again and again."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from flashback_client import Flashback, FlashbackError, Stream
from web.cli.client.remote import service_at

_SAMPLE = re.compile(r"^flashback_(\w+?)(?:\{([^}]*)\})? ([0-9.eE+-]+)$", re.MULTILINE)
_STATES = {"live": "green", "ended": "dim", "stalled": "yellow", "retrying": "yellow"}
_OLD_MS = 10_000


@dataclass(frozen=True, slots=True)
class ServiceLook:
    """What was seen of a service at one moment.

    Attributes:
        at: Seconds, of any origin.
        streams: In order of name.
        numbers: What `/metrics` says, by name without our prefix, with the labels in braces; empty if
            it says nothing.
        silent: Why it says nothing.
        away: Why nothing was heard of the service since; empty if this is new.
    """

    at: float
    streams: tuple[Stream, ...]
    numbers: Mapping[str, float]
    silent: str = ""
    away: str = ""


def run_top(url: str, token_file: Path | None, *, every: float, once: bool) -> None:
    """Show a service until stopped, or once."""
    console = Console(highlight=False)
    with service_at(url, token_file) as service:
        before, now = None, look(service, time.monotonic())
        if once:
            console.print(drawn(now, None))
            return
        with Live(drawn(now, None), console=console, auto_refresh=False, screen=True) as screen:
            while True:
                time.sleep(every)
                before, now = now, look_again(service, now, time.monotonic())
                screen.update(drawn(now, before), refresh=True)


def look(service: Flashback, at: float) -> ServiceLook:
    """Return what the service says of itself now.

    Raises:
        FlashbackError: If it cannot be reached, or does not show its streams to this token.
    """
    streams = tuple(service.streams())
    try:
        return ServiceLook(at, streams, read_numbers(service.metrics()))
    except FlashbackError as error:
        if error.status is None:
            raise
        return ServiceLook(at, streams, {}, str(error))


def look_again(service: Flashback, before: ServiceLook, at: float) -> ServiceLook:
    """Return what the service says now, or what it said `before` while it is away: it may be restarting.

    Raises:
        FlashbackError: If it does not let this token in any more.
    """
    try:
        return look(service, at)
    except FlashbackError as error:
        if error.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            raise
        return replace(before, away=str(error))


def read_numbers(text: str) -> dict[str, float]:
    """Return the samples of Prometheus' text format that are ours."""
    found = {}
    for name, labels, value in _SAMPLE.findall(text):
        found[f"{name}{{{labels}}}" if labels else name] = float(value)
    return found


def drawn(now: ServiceLook, before: ServiceLook | None) -> RenderableType:
    """Return what to show; clips a second need the look before."""
    table = Table(box=None, pad_edge=False)
    for title in ("stream", "state"):
        table.add_column(title)
    for title in ("age", "looks/s", "clips", "clips/s", "lost"):
        table.add_column(title, justify="right")
    known = {} if before is None else {stream.name: stream for stream in before.streams}
    seconds = 0.0 if before is None else now.at - before.at
    for stream in now.streams:
        table.add_row(*_row(stream, known.get(stream.name), seconds))
    return Group(_head(now), table if now.streams else Text("There are no streams.", "dim"))


def _row(stream: Stream, before: Stream | None, seconds: float) -> list[Text]:
    age = stream.frame_age_ms if stream.state == "live" else None
    rate = None
    if before is not None and seconds > 0:
        rate = max(0, stream.clips - before.clips) / seconds
    lost = stream.lost.total
    return [
        Text(stream.name),
        Text(stream.state, _STATES.get(stream.state, "")),
        Text("" if age is None else f"{age / 1000:.1f} s", "red" if (age or 0) > _OLD_MS else ""),
        Text(f"{stream.rate:.1f}" if stream.state == "live" else ""),
        Text(str(stream.clips)),
        Text("" if rate is None else f"{rate:.2f}"),
        Text(str(lost), "red" if lost else "dim"),
    ]


def _head(now: ServiceLook) -> Text:
    live = sum(stream.state == "live" for stream in now.streams)
    words = [f"{live} of {len(now.streams)} streams live"]
    if now.away:
        return Text(f"{now.away}; tried again. The last that was seen:\n", "red")
    if now.silent:
        return Text(f"{words[0]}; questions and memory are not shown: {now.silent}\n")
    numbers = now.numbers
    words += [
        f"{numbers.get('requests_running', 0):.0f} questions answered now",
        f"{numbers.get('requests_waiting', 0):.0f} waiting",
        f"memory {numbers.get('resident_memory_bytes', 0) / 2**20:.0f} MiB",
    ]
    if "history_bytes" in numbers:
        words.append(f"histories {numbers['history_bytes'] / 2**20:.0f} MiB")
    words.append(f"longest pause {numbers.get('loop_pause_seconds', 0) * 1000:.0f} ms")
    return Text(", ".join(words) + "\n")
