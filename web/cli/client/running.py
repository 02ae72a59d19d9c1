"""Commands that ask a running service; nothing of the service itself is loaded for them."""

from pathlib import Path
from typing import Annotated

import typer

from web.cli.client.watches import HERE
from web.cli.modules import naming_extras
from web.cli.signals import signals_as_interrupt
from web.errors import Failed

app = typer.Typer()

TokenOf = Annotated[
    Path | None, typer.Option("--token-file", metavar="FILE", help="holds the service's token")
]


@app.command()
def streams(
    server: Annotated[str, typer.Option(metavar="URL", help="where the service is")] = HERE,
    token_file: TokenOf = None,
    as_json: Annotated[bool, typer.Option("--json", help="print a JSON list")] = False,
) -> None:
    """List the streams of a running service: how each is doing, and what is remembered of it."""
    from web.cli.client.remote import run_streams

    with signals_as_interrupt():
        run_streams(server, token_file, as_json=as_json)


@app.command()
def top(
    server: Annotated[str, typer.Option(metavar="URL", help="where the service is")] = HERE,
    token_file: TokenOf = None,
    every: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.2, help="how often to look")
    ] = 2.0,
    once: Annotated[bool, typer.Option("--once", help="look once and leave")] = False,
) -> None:
    """Watch a running service: its streams, how old what they see is, clips a second, questions.

    Questions and memory need a token that may read /metrics (the right `admin`). Ctrl-C leaves.
    """
    from web.cli.client.top import run_top

    with signals_as_interrupt():
        run_top(server, token_file, every=every, once=once)


@app.command()
def search(
    text: Annotated[str, typer.Argument(metavar="WORDS", help="such as “red car”, “two dogs”")],
    streams: Annotated[
        list[str] | None, typer.Option("--stream", help="only on this stream; may repeat")
    ] = None,
    last: Annotated[
        float | None,
        typer.Option(min=0, metavar="SECONDS", help="only in the last so many seconds"),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="the best so many")] = 24,
    server: Annotated[str, typer.Option(metavar="URL", help="where the service is")] = HERE,
    token_file: TokenOf = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Find remembered moments of a running service by what they show."""
    from web.cli.client.remote import run_search

    with signals_as_interrupt():
        run_search(server, token_file, text, streams or (), last=last, limit=limit, as_json=as_json)


@app.command()
def summary(
    stream: Annotated[str, typer.Argument(metavar="NAME", help="which stream")],
    last: Annotated[
        float | None, typer.Option(min=0, metavar="SECONDS", help="only its last so many seconds")
    ] = None,
    day: Annotated[
        str | None, typer.Option(metavar="DAY", help="a day, such as 2026-11-27, or today")
    ] = None,
    server: Annotated[str, typer.Option(metavar="URL", help="where the service is")] = HERE,
    token_file: TokenOf = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Say what happened on a stream of a running service: its scenes in order, and what was seen."""
    from web.cli.client.remote import run_summary

    if day is not None:
        without("--day", last=last)
    with signals_as_interrupt():
        run_summary(server, token_file, stream, last=last, day=day, as_json=as_json)


@app.command()
def mcp(
    server: Annotated[str, typer.Option(metavar="URL", help="where the service is")] = HERE,
    token_file: TokenOf = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65535,
            help="speak HTTP on this port of loopback, at /mcp, instead of standard input and output",
        ),
    ] = None,
) -> None:
    """Give the streams of a running service to an assistant, as tools of the Model Context Protocol.

    The tools may do what the token may: list streams, ask, search, look at a moment, watch, forget.
    """
    from web.cli.client.remote import run_mcp

    with signals_as_interrupt(), naming_extras():
        run_mcp(server, token_file, port)


def without(option: str, **given: object) -> None:
    """Refuse options that mean nothing beside another.

    Raises:
        Failed: If one was given.
    """
    for name, value in given.items():
        if value is not None:
            raise Failed(f"--{name} means nothing with {option}", 2)
