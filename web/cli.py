"""The command `flashback`: reads what was typed, runs it, and puts failures into a sentence.

Exit codes: 0 done, 1 it did not work, 2 what was typed or set cannot be used, 130 stopped by Ctrl-C.
"""

import importlib.util
import os
import runpy
import signal
import sys
from typing import Annotated

import typer
from rich.console import Console

from web.failed import Failed
from web.settings import BadSetting, Settings, variables

app = typer.Typer(
    name="flashback",
    help="Watch live video and ask about anything it has shown.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
errors = Console(stderr=True, highlight=False)

_SETTINGS = "Settings, as environment variables:\n\n" + "\n\n".join(
    f"[bold]{name}[/bold]  {meaning}" + (f" [dim](default {default})[/dim]" if default else "")
    for name, default, meaning in variables()
)

Model = Annotated[
    str | None, typer.Option("--model", help="lite, tiny, flash-2b, …, a folder or a hub id")
]
PassedOn = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def main() -> None:
    """Run the command line."""
    # A parent that ignores Ctrl-C (`nohup`, a script's `&`) must not make us ignore it too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        code = app(standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    except BadSetting as error:
        code = _say(str(error), 2)
    except Failed as error:
        code = _say(str(error), error.code)
    except typer.TyperException as error:
        code = _say(f"{error.format_message()} See flashback --help.", 2)
    sys.exit(code or 0)


def _say(message: str, code: int) -> int:
    errors.print(f"flashback: {message}", style="red", markup=False, soft_wrap=True)
    return code


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
) -> None:
    """Serve streams and questions, with the page to watch and ask."""
    from web.running import run_service  # late: loads the whole service

    given = {"host": host, "port": port, "model": model, "source": source or None, "data": data}
    run_service(Settings.from_env(os.environ, **given))


@app.command()
def demo(
    port: Annotated[int | None, typer.Option(help="port to listen on")] = None,
    model: Model = None,
) -> None:
    """Serve on loopback with a bundled sample stream that plays live through WebRTC."""
    from web.running import run_demo  # late: loads the whole service

    run_demo(Settings.from_env(os.environ, port=port, model=model, host="127.0.0.1"))


@app.command()
def ask(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="a video file, a URL or a device")
    ],
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="what to ask about it")],
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
    last: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="of a file: look at its last seconds only; of a live source, which has no end: "
            "watch it for so many seconds, then answer (needed there)",
        ),
    ] = None,
    model: Model = None,
) -> None:
    """Watch a file, URL or device, without a server, and answer one question about it.

    What has an end is watched to its end. A live source (RTSP, a live playlist, a camera) has
    none: say with --last for how many seconds to watch it. Ctrl-C stops without an answer.
    """
    from web.asking import run_ask  # late: loads the model's libraries

    run_ask(Settings.from_env(os.environ, model=model), source, question, last, as_json=as_json)


@app.command()
def doctor() -> None:
    """Say what this machine has and lacks, and what each lack costs."""
    from web.examining import run_doctor  # late: loads everything to look at it

    run_doctor(Settings.from_env(os.environ))


@app.command()
def weights() -> None:
    """Convert the base weights of `lite` into the cache; does nothing if they are there."""
    from web.converting import run_weights  # late: loads the model's libraries

    run_weights()


@app.command(context_settings=PassedOn)
def bench(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="such as live, or --help")] = "--help",
) -> None:
    """Measure something: NAME is live, join, question, ingest or flops; NAME --help says more."""
    _run_module("benchmarks", name, context.args)


@app.command(name="eval", context_settings=PassedOn)
def evaluate(name: str, context: typer.Context) -> None:
    """Evaluate a model: NAME is a model (`lite`); `lite --help` says more."""
    _run_module("training", "evaluate", [*_options_of_exam(name), *context.args])


def _options_of_exam(name: str) -> list[str]:
    if name not in {"lite", "--help"}:
        raise Failed(f"there is an exam for lite alone, not for {name}", 2)
    return [] if name == "lite" else [name]


def _run_module(package: str, name: str, arguments: list[str]) -> None:
    if name == "--help":
        raise Failed(
            "say what to measure: flashback bench live, join, question, ingest or flops", 2
        )
    module = f"{package}.{name}"
    if not name.isidentifier() or importlib.util.find_spec(module) is None:
        raise Failed(f"there is no {module}", 2)
    # By name: nothing of the service may depend on what measures or trains it.
    sys.argv = [name, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
