"""`flashback watch pause|resume|edit|understand|dead-letters`: what else can be done with watches from the terminal."""

import json
import re
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from web.cli.client.watches import (
    HERE,
    AsJson,
    Server,
    TokenFile,
    WatchName,
    by_clock_here,
    id_of,
    out,
    say,
    service_of,
)
from web.errors import BadValue

if TYPE_CHECKING:
    from flashback_client import Watch

app = typer.Typer()
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def _when(text: str) -> float | None:
    """Return the Unix second that `--expires` names; None is never.

    Raises:
        BadValue: If it names none.
    """
    if text == "never":
        return None
    if match := re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text.strip()):
        return time.time() + float(match[1]) * _SECONDS[match[2]]
    try:
        return datetime.fromisoformat(text.strip()).timestamp()  # one without a zone is local
    except ValueError:
        raise BadValue(
            f"--expires: {text} is no time: write 2h or 7d, 2026-12-24T18:00, or never"
        ) from None


@app.command()
def pause(watch: WatchName, server: Server = HERE, token_file: TokenFile = None) -> None:
    """Have a watch rest until it is resumed; it goes on seeing, and tells nothing."""
    with service_of(server, token_file) as service:
        _say_state(service.pause_watch(id_of(service, watch)))


@app.command()
def resume(watch: WatchName, server: Server = HERE, token_file: TokenFile = None) -> None:
    """Have a watch that rests go on."""
    with service_of(server, token_file) as service:
        _say_state(service.resume_watch(id_of(service, watch)))


def _say_state(watch: "Watch") -> None:
    out.print(f"{watch.id} “{watch.question}”: {watch.state}", markup=False)


@app.command()
def edit(
    watch: WatchName,
    question: Annotated[str | None, typer.Option(help="what to watch for instead")] = None,
    streams: Annotated[
        list[str] | None, typer.Option("--stream", help="only on this stream; may repeat")
    ] = None,
    everywhere: Annotated[bool, typer.Option("--everywhere", help="on every stream")] = False,
    hold: Annotated[
        float | None, typer.Option(min=0, metavar="SECONDS", help="how long it has to last")
    ] = None,
    rest: Annotated[
        float | None,
        typer.Option(min=0, metavar="SECONDS", help="how long nothing else is told after an event"),
    ] = None,
    verify: Annotated[
        bool | None, typer.Option("--verify/--no-verify", help="ask the model before telling")
    ] = None,
    expires: Annotated[
        str | None, typer.Option(metavar="WHEN", help="2h, 7d, 2026-12-24T18:00, or never")
    ] = None,
    webhook: Annotated[
        str | None, typer.Option(metavar="URL", help="send events there; none ends that")
    ] = None,
    server: Server = HERE,
    token_file: TokenFile = None,
) -> None:
    """Change a watch while it runs; what is not named stays.

    Raises:
        BadValue: If nothing is to change, or both streams and every stream are named.
    """
    if streams and everywhere:
        raise BadValue("give --stream or --everywhere, not both")
    given = {
        "question": question,
        "streams": [] if everywhere else streams or None,
        "hold_s": hold,
        "refractory_s": rest,
        "verify": verify,
    }
    fields: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if expires is not None:
        fields["expires"] = _when(expires)
    if question is not None:
        fields |= by_clock_here()
    if webhook is not None:
        fields["webhook"] = None if webhook == "none" else {"url": webhook}
    _change(watch, fields, server, token_file)


def _change(watch: str, fields: Mapping[str, Any], server: str, token_file: Path | None) -> None:
    if not fields:
        raise BadValue("say what to change: see flashback watch edit --help")
    with service_of(server, token_file) as service:
        say(service.change_watch(id_of(service, watch), fields))


@app.command()
def understand(
    question: Annotated[str, typer.Argument(help="such as “Tell me when a person is there”")],
    server: Server = HERE,
    token_file: TokenFile = None,
) -> None:
    """Say what would be watched for, without making a watch."""
    with service_of(server, token_file) as service:
        say(service.understand(question, **by_clock_here()))


@app.command(name="dead-letters")
def dead_letters(
    as_json: AsJson = False, server: Server = HERE, token_file: TokenFile = None
) -> None:
    """List the events that a webhook would not take, those given up last first."""
    with service_of(server, token_file) as service:
        found = service.dead_letters()
    if as_json:
        typer.echo(json.dumps([one.model_dump() for one in found]))
        return
    for one in found:
        at = f"{datetime.fromtimestamp(one.at).astimezone():%Y-%m-%d %H:%M:%S}"
        event = one.event
        line = (
            f"{at}  {event.stream}  {event.question}  given up after {one.tries} tries: {one.error}"
        )
        out.print(line, markup=False)
    if not found:
        out.print("No webhook has refused an event for good.")
