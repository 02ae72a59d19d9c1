"""`flashback watch`: watches of a running service, from the terminal."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from web.cli.signals import signals_as_interrupt
from web.errors import Failed

if TYPE_CHECKING:
    from flashback_client import Flashback, FlashbackError, Watch, WatchEvent, WatchReading

_MOST_EVENTS = 500

app = typer.Typer(
    help="Have a running service tell you of what it sees.", no_args_is_help=True, add_completion=False
)  # fmt: skip
out = Console(highlight=False, soft_wrap=True)

Server = Annotated[str, typer.Option("--server", help="address of the service")]
TokenFile = Annotated[
    Path | None, typer.Option("--token-file", help="file that holds a token of the service")
]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]
HERE = "http://127.0.0.1:8700"
_ID = "watch_"
"""What every watch's id begins with."""


@contextmanager
def service_of(server: str, token_file: Path | None) -> Iterator["Flashback"]:
    """Open the service that a command is for; Ctrl-C leaves it."""
    from web.cli.client.remote import service_at  # late: other commands need no client

    with signals_as_interrupt(), service_at(server, token_file) as service:
        yield service


def _known(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Return the watches whose id a shell may complete; none if the service does not answer."""
    from web.cli.client.remote import service_at

    server, token_file = context.params.get("server"), context.params.get("token_file")
    try:
        with service_at(server or HERE, token_file and Path(token_file)) as service:
            found = service.watches()
    except Failed:
        return []
    return [(one.id, one.question) for one in found if one.id.startswith(incomplete)]


WatchName = Annotated[
    str,
    typer.Argument(metavar="WATCH", help="its id, or its question", autocompletion=_known),
]


def id_of(service: "Flashback", watch: str) -> str:
    """Return the id of a watch that is named by it or by its question.

    Raises:
        Failed: If no watch is called so, or several are.
    """
    if watch.startswith(_ID):
        return watch
    asked = _plain(watch)
    listed = service.watches()
    found = [one for one in listed if _plain(one.question) == asked]
    found = found or [one for one in listed if asked in _plain(one.question)]
    if len(found) == 1:
        return found[0].id
    if not found:
        raise Failed(f"There is no watch “{watch}”: `flashback watch list` names them.")
    named = "; ".join(f"{one.id} “{one.question}”" for one in found)
    raise Failed(f"Several watches are called so: {named}. Give the id.")


def _plain(question: str) -> str:
    return " ".join(question.casefold().split()).rstrip(".?! ")


@app.command(name="add")
def add(
    question: Annotated[str, typer.Argument(help="such as “Tell me when a person is there”")],
    streams: Annotated[
        list[str] | None, typer.Option("--stream", help="only on this stream; may repeat")
    ] = None,
    verify: Annotated[bool, typer.Option(help="ask the model before anybody is told")] = False,
    webhook: Annotated[str | None, typer.Option(help="send events to this address")] = None,
    server: Server = HERE,
    token_file: TokenFile = None,
) -> None:
    """Make a watch, and say what was understood."""
    with service_of(server, token_file) as service:
        made = service.watch(
            question, streams or (), verify=verify, webhook=webhook, fields=by_clock_here()
        )
    say(made)


def by_clock_here() -> dict[str, str]:
    """Return what has hours in a question be by the clock of this machine."""
    from flashback_client import local_timezone

    return {"timezone": local_timezone()}


def say(read: "WatchReading") -> None:
    """Print what a watch waits for, or would, and what of its question cannot be matched."""
    key, secret = getattr(read, "id", None), getattr(read, "webhook_secret", None)
    said = (
        f"I would tell you: {read.understood}."
        if key is None
        else f"{key}: I will tell you: {read.understood}."
    )
    out.print(said, markup=False)
    if read.unmatched:
        parts = ", ".join(f"“{part}”" for part in read.unmatched)
        out.print(f"Clips cannot be matched on {parts}.", markup=False)
    for note in read.notes:
        out.print(note, markup=False)
    if secret:
        out.print(f"What is sent is signed with {secret}", markup=False)


@app.command(name="list")
def list_watches(
    as_json: AsJson = False, server: Server = HERE, token_file: TokenFile = None
) -> None:
    """List the watches and what became of them."""
    with service_of(server, token_file) as service:
        found = service.watch_list()
    if as_json:
        typer.echo(json.dumps(found.model_dump(exclude_unset=True)))
        return
    table = Table("id", "question", "watched for", "streams", "state", "seen", "trouble")
    table.columns[0].no_wrap = True  # it is copied into other commands
    for watch in found.watches:
        table.add_row(
            watch.id, watch.question, watch.understood, ", ".join(watch.streams) or "every one",
            watch.state, str(watch.counters.fired), _trouble(watch),
        )  # fmt: skip
    out.print(table, markup=False)


def _trouble(watch: "Watch") -> str:
    hard = watch.hard_to_see
    where = [f"{stream} (in {share:.0%} of clips)" for stream, share in hard.items()]
    said = [f"hard to see on {', '.join(where)}"] if where else []
    return "; ".join([*said, *filter(None, [watch.counters.last_error])])


@app.command(name="remove")
def remove(
    watch: WatchName,
    server: Server = HERE,
    token_file: TokenFile = None,
) -> None:
    """End a watch; its events stay."""
    with service_of(server, token_file) as service:
        service.stop_watching(id_of(service, watch))


@app.command(name="test")
def try_watch(
    watch: WatchName,
    server: Server = HERE,
    token_file: TokenFile = None,
) -> None:
    """Say when a watch would have fired, by what is remembered."""
    with service_of(server, token_file) as service:
        found = service.test_watch(id_of(service, watch))
    for one in found.streams:
        out.print(f"{one.stream}: {one.clips} clips looked at", markup=False)
        _print(one.events)
    if found.left_out:
        out.print(f"{found.left_out} more streams were not looked at.", markup=False)


@app.command(name="events")
def events(
    follow: Annotated[bool, typer.Option("--follow", help="go on until stopped")] = False,
    watch: Annotated[str | None, typer.Option(help="only of this watch")] = None,
    limit: Annotated[int, typer.Option(min=1, max=_MOST_EVENTS, help="the newest so many")] = 20,
    as_json: AsJson = False,
    server: Server = HERE,
    token_file: TokenFile = None,
) -> None:
    """Print what watches saw, oldest first."""
    with service_of(server, token_file) as service:
        found = service.events(watch=watch, limit=_MOST_EVENTS if follow else limit)[::-1]
        _print(found[-limit:], as_json=as_json)
        if follow:
            for event in service.follow_events(found, watch=watch, on_away=_say_away):
                _print([event], as_json=as_json)


def _say_away(error: "FlashbackError") -> None:
    again = Console(stderr=True, highlight=False, soft_wrap=True)
    again.print(f"{error}; trying again", markup=False)


@app.command(name="clip")
def save_clip(
    event: Annotated[str, typer.Argument(metavar="EVENT", help="as `events` says it")],
    file: Annotated[Path, typer.Argument(help="where to, such as clip.mp4")],
    server: Server = HERE,
    token_file: TokenFile = None,
) -> None:
    """Save the film of an event as MP4.

    Raises:
        Failed: If the file cannot be written.
    """
    with service_of(server, token_file) as service:
        film = service.event_clip(event)
    try:
        with file.expanduser().open("xb") as opened:  # what is there already is not overwritten
            opened.write(film)
    except OSError as error:
        raise Failed(f"{file} cannot be written: {error.strerror}", 2) from None


def _print(found: Sequence["WatchEvent"], *, as_json: bool = False) -> None:
    for event in found:
        if as_json:
            typer.echo(json.dumps(event.model_dump(exclude_unset=True)))
            continue
        at = f"{datetime.fromtimestamp(event.at).astimezone():%Y-%m-%d %H:%M:%S}"
        unverified = event.verdict == "unverified"
        verdict = "" if unverified else f", {event.verdict}"
        doubt = f"  {event.why}" if unverified and event.why else ""
        span = f"{event.start:.0f} to {event.end:.0f} s"
        line = f"{at}  {event.stream}  {event.question}  ({span}{verdict})"
        line += f"{doubt}  {event.id}" if event.clip else doubt
        out.print(line, markup=False)
