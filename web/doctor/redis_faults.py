"""Which Redis servers have a known fault by which whoever may log in can run code on their machine.

CVE-2025-49844: a script in Lua reaches freed memory; every version before these has it.
https://redis.io/blog/security-advisory-cve-2025-49844/
"""

import re
from collections.abc import Mapping

FAULT = "CVE-2025-49844"
_REDIS = {(6, 2): 20, (7, 2): 11, (7, 4): 6, (8, 0): 4, (8, 2): 2}
_VALKEY = {(7, 2): 11, (8, 0): 6, (8, 1): 4}
"""The first patch without the fault, for each line that got one."""


def has_known_fault(version: tuple[int, int, int], *, valkey: bool = False) -> bool:
    """Return whether a server of this version has the fault."""
    fixed = _VALKEY if valkey else _REDIS
    line = version[:2]
    # A line between or before these got no fix of its own.
    return version[2] < fixed[line] if line in fixed else line < max(fixed)


def version_of(server: Mapping[str, object]) -> tuple[tuple[int, int, int], bool]:
    """Return the version that `INFO server` tells, and whether it is a Valkey."""
    valkey = server.get("valkey_version")
    return _numbers(str(valkey or server.get("redis_version", ""))), valkey is not None


def _numbers(text: str) -> tuple[int, int, int]:
    match = re.match(r"(\d+)\.(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2]), int(match[3])) if match else (0, 0, 0)
