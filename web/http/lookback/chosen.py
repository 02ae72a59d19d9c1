"""Which streams a request over several is about: those that it names, or the newest that one may see."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Query

from stream.status import StreamStatus
from web.access.auth import require
from web.access.tokens import Caller, Right
from web.errors import Refusal
from web.http.streams import MOST_STREAMS, permitted
from web.services import Services

MOST_AT_ONCE = 16
"""Streams that one request goes through."""

Streams = Annotated[
    list[str] | None,
    Query(description="Names, comma-separated or repeated; none is every stream.", max_length=64),
]


async def choose(
    here: Services, caller: Caller, right: Right, named: Sequence[str]
) -> tuple[list[StreamStatus], int]:
    """Return the streams that are gone through, and how many more there are than can be.

    Without names they are those that `caller` has the right to: those that show something now come
    first, then those that did so last.

    Raises:
        Refusal: 403 if one of those named is not the caller's, 422 if too many are named.
        UnknownStream: If one of those named is not there.
    """
    names = list(dict.fromkeys(n for part in named for n in part.split(",") if n))
    if len(names) > MOST_AT_ONCE:
        raise Refusal(422, f"At most {MOST_AT_ONCE} streams at once, not {len(names)}.")
    for name in names:
        require(caller, right, name)
    if names:
        return [(await here.registry.find(name)).status() for name in names], 0
    found = await permitted(here, caller, right, "", MOST_STREAMS)
    found.sort(key=lambda s: (s.state == "ended", -(s.began + (s.end or 0.0))))
    return found[:MOST_AT_ONCE], max(0, len(found) - MOST_AT_ONCE)


def thumbnail_at(here: Services, stream: str, start: float) -> str:
    """Return the path of the JPEG of the moment of `stream` that starts at `start`."""
    return f"{here.settings.root_path}/v1/streams/{stream}/thumbnails/{start!r}.jpg"
