"""`flashback doctor`: looks at this machine and ends with 1 if something needed is missing."""

from rich.console import Console

from web.doctor import print_findings, run
from web.failed import Failed
from web.settings import Settings


def run_doctor(settings: Settings) -> None:
    """Print what this machine has and lacks.

    Raises:
        Failed: If something that is needed is missing.
    """
    if not print_findings(run(settings), Console()):
        raise Failed("something that is needed is missing; see above")
