"""What `flashback doctor` found: one thing each, with what its lack costs and what to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich.table import Table

_Verdict = Literal["good", "limited", "missing"]
_MARKS = {"good": "[green]good[/green]", "limited": "[yellow]limited[/yellow]", "missing": "[red]missing[/red]"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the service needs or profits from.

    Attributes:
        subject: What was looked at.
        verdict: `good`, `limited` (the service runs, with a cost) or `missing` (it does not).
        found: What is there.
        cost: What the lack costs, and what to do about it; empty if it is good.
    """

    subject: str
    verdict: _Verdict
    found: str
    cost: str = ""


def table(findings: Sequence[Finding]) -> Table:
    """Return the findings as people read them."""
    drawn = Table(title="This machine", show_lines=True)
    for heading in ("", "", "What is there", "What it costs, and what to do"):
        drawn.add_column(heading, overflow="fold")
    for finding in findings:
        words = [finding.subject, finding.found, finding.cost]
        subject, found, cost = (word.replace("[", r"\[") for word in words)
        drawn.add_row(_MARKS[finding.verdict], subject, found, cost)
    return drawn


def exit_code(findings: Sequence[Finding]) -> int:
    """Return 1 if something is missing that the service cannot do without, else 0."""
    return int(any(finding.verdict == "missing" for finding in findings))
