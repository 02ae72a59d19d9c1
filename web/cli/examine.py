"""`flashback doctor`: looks at this machine and ends with 1 if something needed is missing."""

from rich.console import Console

from web.doctor.machine import exit_code, run, table
from web.errors import Failed
from web.settings import Settings

_screen = Console()


def run_doctor(settings: Settings) -> None:
    """Print what this machine has and lacks.

    Raises:
        Failed: If something that is needed is missing.
    """
    with _screen.status("Looking at this machine…"):
        findings = run(settings)
    _screen.print(table(findings))
    if exit_code(findings):
        raise Failed("something that is needed is missing; see above")
