"""The time zone of this machine by its name, so that a service says times by the clock here."""

import os
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_LINK = Path("/etc/localtime")
_FILES = "zoneinfo/"


def local_timezone() -> str:
    """Return the name, such as `Europe/Berlin`; UTC where the machine says none that is known. Blocks."""
    told = os.environ.get("TZ", "").lstrip(":")  # noqa: TID251 - the machine's, no setting of ours
    name = told or str(_LINK.resolve()).rpartition(_FILES)[2]
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "UTC"
