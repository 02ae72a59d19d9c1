"""`flashback doctor`: what this machine has and lacks for the service, and what each lack costs.

It looks and touches nothing: no file is written, no package installed, no server outside asked
but the ones that the settings name.
"""

import os
import sys
from pathlib import Path

import psutil
import torch

from web.doctor.findings import Finding
from web.doctor.network import check_addresses, check_port, check_servers, check_udp
from web.doctor.storage import check_data, check_model, check_redis
from web.settings import Settings

# What `lite` and the service hold at their most, measured; see benchmarks/results.
_NEEDED_GIB = 2.5


def run(settings: Settings) -> list[Finding]:
    """Look at everything that `flashback serve` with these settings would use.

    Blocks for up to some seconds.
    """
    return [
        check_python(sys.version_info[:3]),
        check_cores(_usable_cores()),
        check_memory(psutil.virtual_memory().available / 2**30, settings.redis_memory_mb / 1024),
        check_device(_processor_flags()),
        check_model(settings),
        check_redis(settings),
        check_data(settings),
        check_port(settings),
        check_addresses(settings),
        check_udp(settings),
        *check_servers(settings),
    ]


def check_python(version: tuple[int, int, int]) -> Finding:
    """Judge the version of Python."""
    found = ".".join(map(str, version))
    if version < (3, 11):
        return Finding("Python", "missing", found, "Flashback needs Python 3.11 or newer")
    if version >= (3, 13):
        cost = "no Redis comes with the installation on 3.13 and newer: install redis-server"
        return Finding("Python", "limited", found, cost)
    return Finding("Python", "good", found)


def check_cores(cores: float) -> Finding:
    """Judge how many processor cores may be used."""
    found = f"{cores:g} usable"
    if cores < 2:
        cost = "video, model and page share less than two cores: frames age and clips are lost"
        return Finding("Cores", "limited", found, cost)
    return Finding("Cores", "good", found)


def check_memory(available_gib: float, redis_gib: float) -> Finding:
    """Judge how much memory is free for the model and for what Redis may grow to."""
    found = f"{available_gib:.1f} GiB free"
    if available_gib < _NEEDED_GIB:
        cost = f"the service needs about {_NEEDED_GIB} GiB: it may be killed in mid-stream"
        return Finding("Memory", "limited", found, cost)
    if available_gib < _NEEDED_GIB + redis_gib:
        cost = (
            f"Redis may grow to {redis_gib:.1f} GiB, and then there is too little: lower "
            "FLASHBACK_REDIS_MEMORY_MB"
        )
        return Finding("Memory", "limited", found, cost)
    return Finding("Memory", "good", found)


def check_device(processor_flags: frozenset[str]) -> Finding:
    """Judge what the network runs on, and how fast bfloat16 is there."""
    if torch.cuda.is_available():
        free, whole = torch.cuda.mem_get_info()
        name = torch.cuda.get_device_name()
        found = f"{name}, {free / 2**30:.0f} of {whole / 2**30:.0f} GiB free"
        return Finding("Compute", "good", f"torch {torch.__version__} on {found}")
    found = f"torch {torch.__version__} on the processor"
    cost = "no GPU: lite answers at some words a second; the flash models are out of reach"
    if "amx_bf16" in processor_flags:
        return Finding("Compute", "limited", f"{found}, fast bfloat16 (AMX)", cost)
    if "avx512_bf16" in processor_flags:
        return Finding("Compute", "limited", f"{found}, bfloat16 (AVX-512)", cost)
    slow = "; bfloat16 is emulated, so reading a long history is slower still"
    return Finding("Compute", "limited", f"{found}, no bfloat16", cost + slow)


def _usable_cores() -> float:
    """Return how many cores this process may use, a container's quota considered."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return min(float(cores), quota(Path("/sys/fs/cgroup/cpu.max")))


def quota(file: Path) -> float:
    """Return the cores that a control group's `cpu.max` allows; infinity without a limit.

    https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files
    """
    if not file.exists():
        return float("inf")
    most, _, period = file.read_text().partition(" ")
    return float("inf") if most == "max" else int(most) / int(period)


def _processor_flags() -> frozenset[str]:
    information = Path("/proc/cpuinfo")
    if not information.exists():
        return frozenset()
    for line in information.read_text().splitlines():
        if line.startswith("flags"):
            return frozenset(line.partition(":")[2].split())
    return frozenset()
