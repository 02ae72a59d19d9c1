"""`flashback watch`: watches of a running service, from the terminal."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from web.cli.signals import signals_as_interrupt
from web.errors import Failed

if TYPE_CHECKING:
    import httpx

_LOOK_EVERY = 2.0
_MOST_EVENTS = 500
_TOLD_LATE = 120.0
"""Seconds by which an event may be told after it fired: the model was asked, or the service started anew."""

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
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Service:
    client: "httpx.Client"

    def ask(self, method: str, path: str, **options: Any) -> Json:  # noqa: ANN401 - as httpx takes them
        """Return the reply, read.

        Raises:
            Failed: If the service cannot be reached, or refuses.
        """
        reply = self.send(method, path, **options)
        return reply.json() if reply.content else {}

    def send(self, method: str, path: str, **options: Any) -> "httpx.Response":  # noqa: ANN401 - as httpx takes them
        """Return the reply as it came.

        Raises:
            Failed: If the service refuses, or, with the code unreachable, does not answer now.
        """
        import httpx  # late: other commands need no client

        try:
            reply = self.client.request(method, f"/v1/watches{path}", **options)
        except httpx.HTTPError:
            message = f"no service answers at {self.client.base_url}"
            raise Failed(message, code="unreachable") from None
        if reply.is_server_error:
            raise Failed(_detail(reply), code="unreachable")
        if reply.is_error:
            raise Failed(_detail(reply))
        return reply


@contextmanager
def _service(server: str, token_file: Path | None) -> Iterator[_Service]:
    import httpx  # late: other commands need no client

    headers = {}
    if token_file is not None:
        try:
            token = token_file.expanduser().read_text(encoding="utf-8").strip()
        except OSError as error:
            raise Failed(f"{token_file} cannot be read: {error.strerror}", 2) from None
        headers["Authorization"] = f"Bearer {token}"
    with (
        signals_as_interrupt(),
        httpx.Client(base_url=server, headers=headers, timeout=60, trust_env=False) as client,
    ):
        yield _Service(client)


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
    body: dict[str, Any] = {"question": question, "streams": streams or [], "verify": verify}
    if webhook is not None:
        body["webhook"] = {"url": webhook}
    with _service(server, token_file) as service:
        made = service.ask("POST", "", json=body)
    out.print(f"{made['id']}: I will tell you: {made['understood']}.", markup=False)
    if made["unmatched"]:
        parts = ", ".join(f"“{part}”" for part in made["unmatched"])
        out.print(f"Clips cannot be matched on {parts}.", markup=False)
    if made.get("webhook_secret"):
        out.print(f"What is sent is signed with {made['webhook_secret']}", markup=False)


@app.command(name="list")
def list_watches(
    as_json: AsJson = False, server: Server = HERE, token_file: TokenFile = None
) -> None:
    """List the watches and what became of them."""
    with _service(server, token_file) as service:
        found = service.ask("GET", "")
    if as_json:
        typer.echo(json.dumps(found))
        return
    table = Table("id", "question", "watched for", "streams", "state", "seen", "trouble")
    table.columns[0].no_wrap = True  # it is copied into other commands
    for watch in found["watches"]:
        counters = watch["counters"]
        table.add_row(
            watch["id"], watch["question"], watch["understood"],
            ", ".join(watch["streams"]) or "every one", watch["state"],
            str(counters["fired"]), _trouble(watch),
        )  # fmt: skip
    out.print(table, markup=False)


def _trouble(watch: Json) -> str:
    hard = watch.get("hard_to_see", {})
    where = [f"{stream} (in {share:.0%} of clips)" for stream, share in hard.items()]
    said = [f"hard to see on {', '.join(where)}"] if where else []
    return "; ".join([*said, *filter(None, [watch["counters"]["last_error"]])])


@app.command(name="remove")
def remove(
    watch: Annotated[str, typer.Argument(metavar="ID")],
    server: Server = HERE,
    token_file: TokenFile = None,
) -> None:
    """End a watch; its events stay."""
    with _service(server, token_file) as service:
        service.ask("DELETE", f"/{watch}")


@app.command(name="test")
def try_watch(
    watch: Annotated[str, typer.Argument(metavar="ID")],
    server: Server = HERE,
    token_file: TokenFile = None,
) -> None:
    """Say when a watch would have fired, by what is remembered."""
    with _service(server, token_file) as service:
        found = service.ask("POST", f"/{watch}/test")
    for stream in found["streams"]:
        out.print(f"{stream['stream']}: {stream['clips']} clips looked at", markup=False)
        _print(stream["events"])
    if found.get("left_out"):
        out.print(f"{found['left_out']} more streams were not looked at.", markup=False)


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
    with _service(server, token_file) as service:
        asked: dict[str, Any] = {} if watch is None else {"watch": watch}

        def newest(**more: float) -> Sequence[Json]:
            found: list[Json] = service.ask("GET", "/events", params=asked | more)["events"]
            return found[::-1]

        found = newest(limit=_MOST_EVENTS if follow else limit)
        _print(found[-limit:], as_json=as_json)
        if follow:
            for one in following(newest, found, _say):
                _print(one, as_json=as_json)
                time.sleep(_LOOK_EVERY)


def following(
    newest: Callable[..., Sequence[Json]], told: Sequence[Json], say: Callable[[str], None]
) -> Iterator[Sequence[Json]]:
    """Yield, again and again, the events that were not `told` yet, oldest first; also over a restart.

    An event may be told later than one that fired after it: what fired shortly before the newest is
    looked at again.

    Args:
        newest: Returns the newest events after a Unix second, oldest first.
        told: What it returned at first.
        say: Is told that the service does not answer, once each time.

    Raises:
        Failed: If `newest` fails otherwise.
    """
    known = {one["id"]: one["at"] for one in told}
    silent = False
    while True:
        after = max(known.values(), default=0.0) - _TOLD_LATE
        try:
            found = newest(after=after, limit=_MOST_EVENTS)
        except Failed as error:
            if error.code != "unreachable":
                raise
            if not silent:
                say(f"{error}; trying again")
            found, silent = [], True
        else:
            silent = False
        fresh = [one for one in found if one["id"] not in known]
        known |= {one["id"]: one["at"] for one in fresh}
        known = {key: at for key, at in known.items() if at > after}
        yield fresh


def _say(text: str) -> None:
    Console(stderr=True, highlight=False, soft_wrap=True).print(text, markup=False)


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
    with _service(server, token_file) as service:
        film = service.send("GET", f"/events/{event}/clip").content
    try:
        with file.expanduser().open("xb") as opened:  # what is there already is not overwritten
            opened.write(film)
    except OSError as error:
        raise Failed(f"{file} cannot be written: {error.strerror}", 2) from None


def _print(found: Sequence[Json], *, as_json: bool = False) -> None:
    for event in found:
        if as_json:
            typer.echo(json.dumps(event))
            continue
        at = f"{datetime.fromtimestamp(event['at']).astimezone():%Y-%m-%d %H:%M:%S}"
        verdict = "" if event["verdict"] == "unverified" else f", {event['verdict']}"
        doubt = f"  {event['why']}" if event["verdict"] == "unverified" and event["why"] else ""
        span = f"{event['start']:.0f} to {event['end']:.0f} s"
        line = f"{at}  {event['stream']}  {event['question']}  ({span}{verdict})"
        line += f"{doubt}  {event['id']}" if event["clip"] else doubt
        out.print(line, markup=False)


def _detail(reply: "httpx.Response") -> str:
    try:
        return str(reply.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the service answered with status {reply.status_code}"
