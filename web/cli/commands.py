"""What can be typed after `flashback`: reads it, runs it, and puts failures into a sentence.

Exit codes: 0 done, 1 it did not work, 2 what was typed or set cannot be used, 130 stopped.
"""

import re
import signal
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from web.cli import modules, token, upkeep
from web.cli.client import running, watch_changes, watches
from web.cli.client.running import TokenOf, without
from web.cli.signals import STOPPED, raise_instead, raise_on_sigint, signals_as_interrupt
from web.errors import BadValue, Failed
from web.settings import read_settings, variables

app = typer.Typer(
    name="flashback",
    help="Watch live video and ask about anything it has shown.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.add_typer(running.app)
app.add_typer(upkeep.app)
app.add_typer(modules.app)
app.add_typer(token.app, name="token")
watches.app.add_typer(watch_changes.app)
app.add_typer(watches.app, name="watch")
_errors = Console(stderr=True, highlight=False)

_SETTINGS = "Settings, as environment variables:\n\n" + "\n\n".join(
    f"[bold]{name}[/bold]  {meaning}" + (f" [dim](default {default})[/dim]" if default else "")
    for name, default, meaning in variables()
)
Server = Annotated[
    str | None, typer.Option("--server", metavar="URL", help="ask a stream of this service")
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
    except BadValue as error:
        return _say(str(error), 2)
    except Failed as error:
        return _say(str(error), error.exit_code)
    except typer.TyperException as error:
        return _mistyped(error)


def _mistyped(error: typer.TyperException) -> int:
    message = error.format_message().strip()
    if not message:  # nothing was typed: the help is shown already
        return 2
    context = getattr(error, "ctx", None)
    command = "flashback" if context is None else context.command_path
    end = "" if message[-1] in ".?!" else "."
    return _say(f"{message}{end} See {command} --help.", 2)


def _say(message: str, code: int) -> int:
    _errors.print(f"flashback: {message}", style="red", markup=False, soft_wrap=True)
    return code


def _media_seconds(text: str) -> float:
    """Return a place in a film or stream in seconds.

    Raises:
        BadParameter: If it is written in neither way.
    """
    match = re.fullmatch(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d+)?)", text.strip())
    if match is None:
        raise typer.BadParameter(f"{text} is not a time: write seconds, or 1:27, or 1:02:03")
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
    cluster: Annotated[
        bool | None,
        typer.Option("--cluster", help="share the work with other hosts on the same Redis, by Ray"),
    ] = None,
    encoders: Annotated[
        int | None, typer.Option(help="with --cluster: processes here that encode clips")
    ] = None,
    answerers: Annotated[
        int | None, typer.Option(help="with --cluster: processes here that answer questions")
    ] = None,
) -> None:
    """Serve streams and questions, with the page to watch and ask.

    Raises:
        Failed: If it cannot start.
    """
    from web.cli.serve import run_service  # late: loads the whole service

    given = {
        "host": host,
        "port": port,
        "model": model,
        "source": source or None,
        "data": data,
        "keep": keep,
        "cluster": cluster,
        "cluster_encoders": encoders,
        "cluster_answerers": answerers,
    }
    settings = read_settings(**given)
    if settings.cluster and find_spec("ray") is None:
        raise Failed(modules.missing_extra("ray"))
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
    --all there is no SOURCE, and all of its streams are asked: each answer as it comes, the best last.

    A file is looked at by 64 or more of its frames, spread evenly over all of it: one a second, up
    to --frames. What else has an end is watched to its end. A live source (RTSP, a live playlist, a camera) has
    none: say with --last for how many seconds to watch it. Ctrl-C stops without an answer. A name
    that begins with a dash goes after `--`.
    """
    if every:
        without("--all", last=last, since=since, until=until, model=model)
        _ask_all(server or watches.HERE, token_file, [source, *(questions or ())], as_json=as_json)
        return
    questions = _needed(questions)
    if server is not None:
        from web.cli.client.remote import run_remote_ask

        without("--server", last=last, model=model)
        with signals_as_interrupt():
            run_remote_ask(
                server, token_file, source, questions, since=since, until=until, as_json=as_json
            )
        return
    from web.cli.source.ask import SourcePart, run_ask  # late: loads the model's libraries

    settings = read_settings(model=model)
    with signals_as_interrupt():
        part = SourcePart(last, since, until)
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
    from web.cli.client.remote import run_ask_all

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
    from web.cli.source.caption import run_caption  # late: loads the model's libraries

    settings = read_settings(model=model)
    with signals_as_interrupt():
        run_caption(settings, source, every=every, last=last, question=question, as_json=as_json)
