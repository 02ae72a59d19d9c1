"""What can be typed after `flashback`: reads it, runs it, and puts failures into a sentence.

Exit codes: 0 done, 1 it did not work, 2 what was typed or set cannot be used, 130 stopped.
"""

import re
import signal
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from web.cli import modules, token, watches
from web.cli.modules import naming_extras
from web.cli.signals import STOPPED, raise_instead, raise_on_sigint, signals_as_interrupt
from web.errors import BadSetting, Failed
from web.settings import read_settings, variables

app = typer.Typer(
    name="flashback",
    help="Watch live video and ask about anything it has shown.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.add_typer(modules.app)
app.add_typer(token.app, name="token")
app.add_typer(watches.app, name="watch")
errors = Console(stderr=True, highlight=False)

_SETTINGS = "Settings, as environment variables:\n\n" + "\n\n".join(
    f"[bold]{name}[/bold]  {meaning}" + (f" [dim](default {default})[/dim]" if default else "")
    for name, default, meaning in variables()
)
HERE = watches.HERE
Server = Annotated[
    str | None, typer.Option("--server", metavar="URL", help="ask a stream of this service")
]
TokenOf = Annotated[
    Path | None, typer.Option("--token-file", metavar="FILE", help="holds the service's token")
]
Model = Annotated[
    str | None, typer.Option("--model", help="lite, tiny, flash-2b, …, a folder or a hub id")
]


def run() -> int:
    """Run the command line and return its exit code."""
    try:
        return app(prog_name="flashback", standalone_mode=False) or 0
    except (KeyboardInterrupt, typer.Abort):
        return STOPPED
    except BadSetting as error:
        return _say(str(error), 2)
    except Failed as error:
        return _say(str(error), error.exit_code)
    except typer.TyperException as error:
        return _mistyped(error)


def _mistyped(error: typer.TyperException) -> int:
    message = error.format_message().strip().rstrip(".")
    if not message:  # nothing was typed: the help is shown already
        return 2
    context = getattr(error, "ctx", None)
    command = "flashback" if context is None else context.command_path
    return _say(f"{message}. See {command} --help.", 2)


def _say(message: str, code: int) -> int:
    errors.print(f"flashback: {message}", style="red", markup=False, soft_wrap=True)
    return code


def _media_seconds(text: str) -> float:
    """Return a place in a film or stream in seconds.

    Raises:
        BadParameter: If it is written in neither way.
    """
    match = re.fullmatch(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d+)?)", text.strip())
    if match is None:
        raise typer.BadParameter(f"{text} is no time: write seconds, or 1:27, or 1:02:03")
    hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return 3600 * hours + 60 * minutes + seconds


@app.command(epilog=_SETTINGS)
def serve(
    host: Annotated[str | None, typer.Option(help="address to listen on")] = None,
    port: Annotated[int | None, typer.Option(help="port to listen on; 0 takes a free one")] = None,
    model: Model = None,
    source: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=SOURCE",
            help="pull this stream from a URL, a file or a device (/dev/video0); may repeat",
        ),
    ] = None,
    data: Annotated[str | None, typer.Option(help="folder of the embedded Redis")] = None,
    keep: Annotated[
        str | None, typer.Option(metavar="AGE", help="forget what is older, such as 7d or 12h")
    ] = None,
) -> None:
    """Serve streams and questions, with the page to watch and ask."""
    from web.cli.serve import run_service  # late: loads the whole service

    given = {
        "host": host,
        "port": port,
        "model": model,
        "source": source or None,
        "data": data,
        "keep": keep,
    }
    settings = read_settings(**given)
    raise_on_sigint()
    # The server ends in good order by SIGTERM.
    raise_instead(signal.SIGTERM, signal.SIGHUP)
    run_service(settings)


@app.command()
def demo(
    port: Annotated[int | None, typer.Option(help="port to listen on")] = None,
    model: Model = None,
) -> None:
    """Serve on loopback with a bundled sample stream that plays live through WebRTC."""
    from web.cli.serve import run_demo  # late: loads the whole service

    settings = read_settings(port=port, model=model, host="127.0.0.1")
    raise_on_sigint()
    raise_instead(signal.SIGTERM, signal.SIGHUP)
    run_demo(settings)


@app.command()
def ask(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="a video file, a URL or a device")
    ],
    questions: Annotated[
        list[str] | None, typer.Argument(metavar="QUESTION...", help="what to ask about it")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="print one JSON object a line, one for each question")
    ] = False,
    last: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="of a file: look at its last seconds only; of a live source, which has no end: "
            "watch it for so many seconds, then answer (needed there)",
        ),
    ] = None,
    since: Annotated[
        float | None,
        typer.Option(
            metavar="TIME",
            parser=_media_seconds,
            help="look only at what is shown from there on: seconds, or 1:27; what a question says of "
            "time (“in the first minute”) counts where neither this nor --until is given",
        ),
    ] = None,
    until: Annotated[
        float | None,
        typer.Option(
            metavar="TIME", parser=_media_seconds, help="look only at what is shown up to there"
        ),
    ] = None,
    frames: Annotated[
        int,
        typer.Option(
            metavar="COUNT",
            help="of a whole file: look at this many frames at most, spread over all of it",
        ),
    ] = 512,
    model: Model = None,
    server: Server = None,
    token_file: TokenOf = None,
    every: Annotated[
        bool, typer.Option("--all", help="ask all streams of the service; SOURCE is a question too")
    ] = False,
) -> None:
    """Watch a file, URL or device, without a server, and answer questions about it.

    With --server, SOURCE is the name of a stream of a running service, which is asked instead; with
    --all there is no SOURCE, and all of its streams are asked, answers first that count most.

    A file is looked at by 64 or more of its frames, spread evenly over all of it: one a second, up
    to --frames. What else has an end is watched to its end. A live source (RTSP, a live playlist, a camera) has
    none: say with --last for how many seconds to watch it. Ctrl-C stops without an answer. A name
    that begins with a dash goes after `--`.
    """
    if every:
        _without("--all", last=last, since=since, until=until, model=model)
        _ask_all(server or HERE, token_file, [source, *(questions or ())], as_json=as_json)
        return
    questions = _needed(questions)
    if server is not None:
        from web.cli.remote import run_remote_ask

        _without("--server", last=last, model=model)
        with signals_as_interrupt():
            run_remote_ask(
                server, token_file, source, questions, since=since, until=until, as_json=as_json
            )
        return
    from web.cli.ask import Part, run_ask  # late: loads the model's libraries

    settings = read_settings(model=model)
    with signals_as_interrupt():
        part = Part(last, since, until)
        run_ask(settings, source, questions, part=part, frames=frames, as_json=as_json)


def _needed(questions: list[str] | None) -> list[str]:
    """Return what is asked.

    Raises:
        Failed: If it is nothing.
    """
    if not questions:
        raise Failed("Missing argument 'QUESTION...'. See flashback ask --help.", 2)
    return questions


def _ask_all(server: str, token_file: Path | None, questions: list[str], *, as_json: bool) -> None:
    from web.cli.remote import run_ask_all

    with signals_as_interrupt():
        run_ask_all(server, token_file, questions, as_json=as_json)


@app.command()
def caption(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="a video file, a URL or a device")
    ],
    every: Annotated[float, typer.Option(metavar="SECONDS", help="length of a span")] = 5.0,
    last: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="as for ask; needed for a live source"),
    ] = None,
    question: Annotated[str, typer.Option(help="what is asked of every span")] = "What do you see?",
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object a line")] = False,
    model: Model = None,
) -> None:
    """Say what a film or stream shows, span after span, with the times."""
    from web.cli.caption import run_caption  # late: loads the model's libraries

    settings = read_settings(model=model)
    with signals_as_interrupt():
        run_caption(settings, source, every=every, last=last, question=question, as_json=as_json)


def _without(option: str, **given: object) -> None:
    """Refuse options that mean nothing beside another.

    Raises:
        Failed: If one was given.
    """
    for name, value in given.items():
        if value is not None:
            raise Failed(f"--{name} means nothing with {option}", 2)


@app.command()
def streams(
    server: Annotated[str, typer.Option(metavar="URL", help="where the service is")] = HERE,
    token_file: TokenOf = None,
    as_json: Annotated[bool, typer.Option("--json", help="print a JSON list")] = False,
) -> None:
    """List the streams of a running service: how each is doing, and what is remembered of it."""
    from web.cli.remote import run_streams

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
    from web.cli.top import run_top

    with signals_as_interrupt():
        run_top(server, token_file, every=every, once=once)


@app.command()
def search(
    text: Annotated[str, typer.Argument(metavar="WORDS", help="such as “red car”, “two dogs”")],
    streams: Annotated[
        list[str] | None, typer.Option("--stream", help="only on this stream; may repeat")
    ] = None,
    last: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="only in the last so many seconds")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="the best so many")] = 24,
    server: Annotated[str, typer.Option(metavar="URL", help="where the service is")] = HERE,
    token_file: TokenOf = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Find remembered moments of a running service by what they show."""
    from web.cli.remote import run_search

    with signals_as_interrupt():
        run_search(server, token_file, text, streams or (), last=last, limit=limit, as_json=as_json)


@app.command()
def summary(
    stream: Annotated[str, typer.Argument(metavar="NAME", help="which stream")],
    last: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="only its last so many seconds")
    ] = None,
    day: Annotated[
        str | None, typer.Option(metavar="DAY", help="a day, such as 2026-11-27, or today")
    ] = None,
    server: Annotated[str, typer.Option(metavar="URL", help="where the service is")] = HERE,
    token_file: TokenOf = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Say what happened on a stream of a running service: its scenes in order, and what was seen."""
    from web.cli.remote import run_summary

    if day is not None:
        _without("--day", last=last)
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
    from web.cli.remote import run_mcp

    with signals_as_interrupt(), naming_extras():
        run_mcp(server, token_file, port)


@app.command()
def doctor() -> None:
    """Say what this machine has and lacks, and what each lack costs."""
    from web.cli.examine import run_doctor  # late: loads everything to look at it

    settings = read_settings()
    with signals_as_interrupt():
        run_doctor(settings)


Streams = Annotated[
    list[str] | None, typer.Option("--stream", metavar="NAME", help="only this one; may repeat")
]


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="to write; must not be there yet")],
    stream: Streams = None,
    data: Annotated[str | None, typer.Option(help="folder of the embedded Redis")] = None,
) -> None:
    """Write all that is remembered, with watches and what they told, to one file with a checksum.

    Of the embedded Redis while the service is stopped, or of FLASHBACK_REDIS_URL at any time.
    """
    from web.cli.backup import run_backup  # late: loads what reads clips

    settings = read_settings(data=data)
    with signals_as_interrupt():
        run_backup(settings, file, stream or [])


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="that backup wrote")],
    stream: Streams = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="delete what there is of the same names first")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="only see whether it is whole, and what is in it")
    ] = False,
    data: Annotated[str | None, typer.Option(help="folder of the embedded Redis")] = None,
) -> None:
    """Put back what a backup holds. It is checked whole first; what there is already is not touched."""
    from web.cli.backup import run_restore  # late: loads what reads clips

    settings = read_settings(data=data)
    with signals_as_interrupt():
        run_restore(settings, file, stream or [], replace=replace, check=check)


@app.command()
def weights() -> None:
    """Convert the base weights of `lite` into the cache; does nothing if they are there."""
    from web.cli.weights import run_weights  # late: loads the model's libraries

    settings = read_settings()
    with signals_as_interrupt():
        run_weights(settings.cache)
