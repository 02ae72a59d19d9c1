"""Commands that look after what the service keeps and needs on this machine."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from web.cli.signals import signals_as_interrupt
from web.errors import Failed
from web.settings import read_settings

app = typer.Typer()

_Streams = Annotated[
    list[str] | None, typer.Option("--stream", metavar="NAME", help="only this one; may repeat")
]


@app.command()
def doctor() -> None:
    """Say what this machine has and lacks, and what each lack costs.

    Raises:
        Failed: If something that is needed is missing.
    """
    from web.doctor.findings import exit_code, table
    from web.doctor.machine import run  # late: loads everything to look at it

    settings, screen = read_settings(), Console()
    with signals_as_interrupt():
        with screen.status("Looking at this machine…"):
            findings = run(settings)
        screen.print(table(findings))
    if exit_code(findings):
        raise Failed("something that is needed is missing; see above")


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="to write; must not be there yet")],
    stream: _Streams = None,
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
    stream: _Streams = None,
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
