"""The time zone of whoever asks, by its name."""

import asyncio
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from web.errors import BadValue


async def zone_called(name: str) -> ZoneInfo:
    """Return the time zone `name`.

    Raises:
        BadValue: If there is none.
    """
    try:
        return await asyncio.to_thread(ZoneInfo, name)  # reads a file
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = f"{name} is not a time zone; send one such as Europe/Berlin."
        raise BadValue(message) from None
