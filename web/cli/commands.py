"""What can be typed after `flashback`: reads it, runs it, and puts failures into a sentence.

Exit codes: 0 done, 1 it did not work, 2 what was typed or set cannot be used, 130 stopped.
"""

import re
import runpy
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from web.cli import watches
from web.cli.failed import Failed
from web.cli.signals import STOPPED, raise_instead, raise_on_sigint, signals_as_interrupt
from web.settings import BadSetting, read_settings, variables

app = typer.Typer(
    name="flashback",
    help="Watch live video and ask about anything it has shown.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
errors = Console(stderr=True, highlight=False)

BENCHMARKS = {
    "live": "how live the service is: age of what is seen, time to the first word",
    "memory": "what memory takes, and how fast it is",
    "join": "how soon a sender is answered and seen",
    "question": "time to the first word by length of history, three ways in one run",
    "ingest": "what taking streams in costs, and whether the service falls behind",
    "flops": "what a question costs, counted by formula",
    "watches": "what many watches on many streams add to a clip",
}
EXAMS = {
    "lite": ("training.evaluate", "drawings that `lite` was never trained on"),
    "real": ("training.evaluate_real", "questions about video files: --data DIR with cases.json"),
    "demo": ("benchmarks.evaluate_demo", "what the demo suggests to ask, as its sample plays"),
    "recall": ("training.evaluate_recall", "what is still known of a day, by how long ago it was"),
    "report": ("training.evaluations.card", "a model card of the results of evaluations"),
    "watches": ("training.watches.evaluate", "hits and false alarms of watches in quiet streams"),
    "niah": ("training.needles.niah", "one picture hidden in a long film"),
    "mhniah": ("training.needles.mhniah", "chains of pictures hidden in a long film"),
    "mvbench": ("training.evaluations.mvbench", "MVBench: 20 tasks on short films"),
    "perception_test": ("training.evaluations.perception_test", "Perception Test, validation"),
    "longvideobench": ("training.evaluations.longvideobench", "LongVideoBench, validation"),
    "mlvu": ("training.evaluations.mlvu", "MLVU, multiple choice, dev and test"),
    "lvbench": ("training.evaluations.lvbench", "LVBench: films of half an hour and more"),
    "videomme": ("training.evaluations.videomme", "Video-MME, with or without subtitles"),
    "charades": ("training.evaluations.charades", "Charades-STA: when something happens"),
    "vdc": ("training.evaluations.vdc", "VDC: captions, judged by a language model"),
    "streamingbench": ("training.evaluations.streamingbench", "StreamingBench, as a stream"),
    "ovobench": ("training.evaluations.ovobench", "OVO-Bench, as a stream"),
}
STAGES = {
    "alignment": ("training.finetune.command", "the projector, on images and short captions"),
    "short": ("training.finetune.command", "everything, on images and short films"),
    "joint": ("training.finetune.command", "everything, on short and long films together"),
    "high-resolution": ("training.finetune.command", "vision and projector, at 448 pixels"),
    "lite": ("training.train", "our own small model, by its own stages (--stage)"),
}
_BENCHMARKS = "NAME is one of\n\n" + "\n\n".join(
    f"[bold]{name}[/bold]  {meaning}" for name, meaning in BENCHMARKS.items()
)
_EXAMS = "NAME is one of\n\n" + "\n\n".join(
    f"[bold]{name}[/bold]  {meaning}" for name, (_, meaning) in EXAMS.items()
)
_STAGES = "STAGE is one of\n\n" + "\n\n".join(
    f"[bold]{name}[/bold]  {meaning}" for name, (_, meaning) in STAGES.items()
)
_SETTINGS = "Settings, as environment variables:\n\n" + "\n\n".join(
    f"[bold]{name}[/bold]  {meaning}" + (f" [dim](default {default})[/dim]" if default else "")
    for name, default, meaning in variables()
)
# What only benchmarks and training need, by the extra that brings it.
_EXTRAS = {
    "mcp": "mcp",
    "matplotlib": "bench",
    "resvg_py": "train",
    "pyarrow": "evaluate",
    "yaml": "train",
}

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
# What follows NAME is passed on, also --help; what stands before it is for us.
_PassedOn = {"allow_extra_args": True, "allow_interspersed_args": False}


def run() -> int:
    """Run the command line and return its exit code."""
    try:
        return app(prog_name="flashback", standalone_mode=False) or 0
    except (KeyboardInterrupt, typer.Abort):
        return STOPPED
    except BadSetting as error:
        return _say(str(error), 2)
    except Failed as error:
        return _say(str(error), error.code)
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
        list[str], typer.Argument(metavar="QUESTION...", help="what to ask about it")
    ],
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
) -> None:
    """Watch a file, URL or device, without a server, and answer questions about it.

    With --server, SOURCE is the name of a stream of a running service, which is asked instead.

    A file is looked at by 64 or more of its frames, spread evenly over all of it: one a second, up
    to --frames. What else has an end is watched to its end. A live source (RTSP, a live playlist, a camera) has
    none: say with --last for how many seconds to watch it. Ctrl-C stops without an answer. A name
    that begins with a dash goes after `--`.
    """
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


token = typer.Typer(
    help="Make, list and take back named tokens; a running service follows within a second.",
    no_args_is_help=True,
)
app.add_typer(token, name="token")
app.add_typer(watches.app, name="watch")


@token.command(name="add")
def token_add(
    name: Annotated[str, typer.Argument(help="whose token it is; an older one of that name ends")],
    may: Annotated[
        str,
        typer.Option(help="what it lets do: ingest, watch, ask, forget, admin; comma-separated"),
    ] = "watch,ask",
    streams: Annotated[
        str, typer.Option(help="names of the streams it is for, such as 'door-*'; comma-separated")
    ] = "*",
    expires: Annotated[
        str | None, typer.Option(metavar="TIME", help="good for so long: 90m, 12h, 30d, 8w")
    ] = None,
) -> None:
    """Make a token and print it once; only its hash is kept."""
    from web.cli.token import add_token

    add_token(read_settings().tokens_at, name, may, streams, expires)


@token.command(name="list")
def token_list() -> None:
    """Show whose tokens there are, and what they may do."""
    from web.cli.token import list_tokens

    list_tokens(read_settings().tokens_at)


@token.command(name="remove")
def token_remove(name: Annotated[str, typer.Argument(help="whose token")]) -> None:
    """Take a token back: what is open with it is closed."""
    from web.cli.token import remove_token

    remove_token(read_settings().tokens_at, name)


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

    The tools may do what the token may: list streams, ask, look at a moment, forget.
    """
    from web.cli.remote import run_mcp

    with signals_as_interrupt(), _naming_extras():
        run_mcp(server, token_file, port)


@app.command()
def doctor() -> None:
    """Say what this machine has and lacks, and what each lack costs."""
    from web.cli.examine import run_doctor  # late: loads everything to look at it

    settings = read_settings()
    with signals_as_interrupt():
        run_doctor(settings)


@app.command()
def weights() -> None:
    """Convert the base weights of `lite` into the cache; does nothing if they are there."""
    from web.cli.weights import run_weights  # late: loads the model's libraries

    settings = read_settings()
    with signals_as_interrupt():
        run_weights(settings.cache)


@app.command(context_settings=_PassedOn, epilog=_BENCHMARKS)
def bench(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="what to measure")],
) -> None:
    """Measure something and print a table, then one line of JSON; NAME --help says more."""
    _check(name, BENCHMARKS, "a benchmark")
    _run_module(f"benchmarks.{name}", context.args)


@app.command(name="eval", context_settings=_PassedOn, epilog=_EXAMS)
def evaluate(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="what to ask about")],
) -> None:
    """Examine a model and print a table, then one line of JSON; NAME --help says more."""
    _check(name, EXAMS, "an exam")
    _run_module(EXAMS[name][0], context.args)


@app.command(context_settings=_PassedOn, epilog=_STAGES)
def train(
    context: typer.Context,
    stage: Annotated[str, typer.Argument(metavar="STAGE", help="what to train")],
) -> None:
    """Train a stage of the paper's recipe, or our own small model; STAGE --help says more."""
    _check(stage, STAGES, "a stage")
    module = STAGES[stage][0]
    _run_module(module, context.args if stage == "lite" else [stage, *context.args])


@app.command(context_settings=_PassedOn)
def export(context: typer.Context) -> None:
    """Write what a training run has learned as a checkpoint for --model; --help says more."""
    _run_module("training.finetune.export", context.args)


@app.command(context_settings=_PassedOn)
def films(context: typer.Context) -> None:
    """Make long films with questions and answers about them, to train on; --help says more."""
    _run_module("training.long_films.command", context.args)


def _check(name: str, known: Iterable[str], what: str) -> None:
    if name not in known:
        raise Failed(f"there is not {what} called {name}; there is {', '.join(known)}", 2)


def _run_module(module: str, arguments: list[str]) -> None:
    # By name: nothing of the service may depend on what measures or trains it.
    sys.argv = [module, *arguments]
    with _naming_extras():
        runpy.run_module(module, run_name="__main__", alter_sys=True)


@contextmanager
def _naming_extras() -> Iterator[None]:
    """Say of a module that is missing which extra brings it.

    Raises:
        Failed: In place of the module's own error.
        ModuleNotFoundError: If no extra brings it.
    """
    try:
        yield
    except ModuleNotFoundError as missing:
        extra = _EXTRAS.get(missing.name or "")
        if extra is None:
            raise
        raise Failed(
            f"{missing.name} is not installed. In the folder of the repository: "
            f"pip install --constraint constraints.txt --editable '.[{extra}]'"
        ) from None
