"""Search over HTTP: moments by the words of what they show."""

import asyncio
from math import inf
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from memory.errors import EncoderMismatch
from stream.moments.search import FoundStretch, describe_search, find, read_search
from stream.past.thing_index import Remembered
from stream.status import StreamStatus
from stream.watches.words.clauses import LONGEST_REQUEST
from web.access.auth import MayWatch
from web.http.lookback.chosen import Streams, choose, thumbnail_at
from web.openapi import refuses
from web.reports.time_report import clock
from web.services import Here, Services
from web.time_words.extent import Reference

_MOST_FOUND = 200

UnixSecond = Annotated[float | None, Query(allow_inf_nan=False, description="Unix second.")]

routes = APIRouter(prefix="/v1", tags=["search"], responses=refuses(422, 503))


class FoundReport(BaseModel):
    """A stretch of neighbouring moments that fit.

    Attributes:
        stream: Where.
        start: Its first media second.
        end: Its last.
        clock: What a clock showed at its start, in ISO 8601.
        best: Where the moment in it begins that fits best; the thumbnail is of it.
        best_end: Where that moment ends.
        score: How sure it is that this shows what is looked for, 0 to 1.
        moments: How many moments of it fit.
        thumbnail: Path of its picture.
    """

    stream: str
    start: float
    end: float
    clock: str | None
    best: float
    best_end: float
    score: float
    moments: int
    thumbnail: str


class LookedAt(BaseModel):
    """What was gone through of a stream.

    Attributes:
        moments: How many.
        whole: Whether that is all that was asked for; of very long streams it is the newest part.
        trouble: Null, or why nothing was gone through.
    """

    stream: str
    moments: int
    whole: bool
    trouble: str | None


class SearchReport(BaseModel):
    """What was found, the surest first.

    Attributes:
        understood: What was looked for, in a sentence.
        unmatched: Parts of the request that no moment can be matched on.
        notes: Sentences that the person should read beside it.
        found: Of like ones the longer and the newer come first.
        total: How many there are, more of them perhaps than are listed.
        looked_at: What was gone through, stream by stream.
        left_out: Streams that were not, because there are too many for one request: name them.
    """

    understood: str
    unmatched: tuple[str, ...]
    notes: tuple[str, ...]
    found: list[FoundReport]
    total: int
    looked_at: list[LookedAt]
    left_out: int


@routes.get("/search", responses=refuses(404, 409))
async def search(
    here: Here,
    caller: MayWatch,
    q: Annotated[str, Query(min_length=1, max_length=LONGEST_REQUEST, description="red car")],
    streams: Streams = None,
    after: UnixSecond = None,
    before: UnixSecond = None,
    limit: Annotated[int, Query(ge=1, le=_MOST_FOUND)] = 24,
) -> SearchReport:
    """Find moments by what they show: things, colours, counts, places, directions, kinds."""
    await here.watcher.check()
    lexicon = here.watcher.lexicon
    wanted = await asyncio.to_thread(read_search, q, lexicon)
    await here.audit.note(caller, "find", None, question=q)
    chosen, left_out = await choose(here, caller, "watch", streams or ())
    looked, seen = [], []
    for status in chosen:
        remembered, trouble = await _read(here, status, after, before)
        seen.append(remembered)
        looked.append(
            LookedAt(
                stream=status.name,
                moments=len(remembered.clips),
                whole=remembered.whole,
                trouble=trouble,
            )
        )
    found = await asyncio.to_thread(find, wanted, seen, lexicon.table)
    began = {one.stream: one.began for one in seen}
    return SearchReport(
        understood=describe_search(wanted, lexicon.table),
        unmatched=wanted.unmatched,
        notes=wanted.notes,
        found=[_report(here, one, began[one.stream]) for one in found[:limit]],
        total=len(found),
        looked_at=looked,
        left_out=left_out,
    )


async def _read(
    here: Services, status: StreamStatus, after: float | None, before: float | None
) -> tuple[Remembered, str | None]:
    since = -inf if after is None else after - status.began
    until = inf if before is None else before - status.began
    try:
        return await here.index.read(status.name, since, until), None
    except EncoderMismatch:
        nothing = Remembered(status.name, status.began, (), whole=False)
        return nothing, "What is remembered of it was made by another model."


def _report(here: Services, found: FoundStretch, began: float) -> FoundReport:
    return FoundReport(
        stream=found.stream,
        start=found.start,
        end=found.end,
        clock=clock(found.start, Reference(found.end, began)),
        best=found.best.start,
        best_end=found.best.end,
        score=round(found.score, 3),
        moments=found.clips,
        thumbnail=thumbnail_at(here, found.stream, found.best.start),
    )
