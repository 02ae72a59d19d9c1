"""How a command of this folder runs: it can be stopped, and says what it lacks in a sentence."""

import sys
from typing import NoReturn

import typer
from rich.console import Console

from web.cli.signals import STOPPED, signals_as_interrupt

console = Console(stderr=True, highlight=False)


def run_command(app: typer.Typer, name: str, lacking: tuple[type[Exception], ...]) -> NoReturn:
    """Run `app` as this process's command line and end.

    Args:
        app: What was typed is for it.
        name: Of the command, for its help.
        lacking: Errors that a user can mend by what they say.

    Raises:
        SystemExit: With 0, 1 if it failed, 2 if what was typed cannot be used, 130 if stopped.
    """
    try:
        with signals_as_interrupt():
            code = app(prog_name=name, standalone_mode=False) or 0
    except (KeyboardInterrupt, typer.Abort):
        code = STOPPED
    except lacking as error:
        code = _say(name, str(error), 1)
    except OSError as error:
        code = _say(name, f"{error.filename or 'this machine'}: {error.strerror}", 1)
    except typer.TyperException as error:
        code = _say(name, f"{error.format_message().rstrip('.')}. See {name} --help.", 2)
    sys.exit(code)


def _say(name: str, message: str, code: int) -> int:
    console.print(f"{name}: {message}", style="red", markup=False, soft_wrap=True)
    return code
