"""The machine a benchmark ran on, and the code it ran: numbers mean nothing without them."""

import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil
import torch

_ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True, slots=True)
class Machine:
    """What a report says about where it was made.

    Attributes:
        processor: The processor's own name for itself.
        cores: Processor cores this process may use.
        memory_gib: Memory of the machine.
        accelerator: The GPU's name; None without one.
        python: Version of Python.
        torch: Version of torch.
    """

    processor: str
    cores: int
    memory_gib: float
    accelerator: str | None
    python: str
    torch: str

    def __str__(self) -> str:
        gpu = f", {self.accelerator}" if self.accelerator else ""
        return (
            f"{self.cores} cores of {self.processor}, {self.memory_gib} GiB{gpu}; "
            f"Python {self.python}, torch {self.torch}"
        )


def this_machine() -> Machine:
    """Describe the machine this runs on."""
    cuda = torch.cuda.is_available()
    return Machine(
        processor=_processor(),
        cores=_cores(),
        memory_gib=round(psutil.virtual_memory().total / 2**30, 1),
        accelerator=torch.cuda.get_device_name() if cuda else None,
        python=platform.python_version(),
        torch=torch.__version__,
    )


def commit() -> str:
    """Name the commit that ran, with `+` if tracked files differed from it."""
    try:
        name = _git("rev-parse", "--short=12", "HEAD")
        return name + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return "not from a repository"


def _cores() -> int:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(_ROOT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
