"""What `flashback ask` watches: a file as fast as it can be seen, a URL at the pace at which it comes.

A source that has an end is watched to it. A live one has none, so it is watched for as long as the
user says; without that it is refused before the model is loaded, because a command that
never returns is no answer.
"""

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from stream.address.source_url import BadSource, SourceUrl, read_source
from stream.file.film import NoVideo, is_whole, open_film
from stream.file.reader import feed_file
from stream.file.sampling import MOST
from stream.file.whole_file import Sampled, feed_whole_file
from stream.live import LiveStream
from stream.pull.probe import probe
from stream.pull.process import PullSettings
from stream.pull.supervisor import Puller
from web.errors import Failed

_LOOK_EVERY = 0.25

Progress = Callable[[float, float | None, str], None]


@dataclass(frozen=True, slots=True)
class Subject:
    """What is to be watched.

    Attributes:
        source: Where it comes from.
        length: Seconds until its end, where that is known.
        last: Seconds to watch: of a source that has an end the last ones, of a live one the next.
        live: Whether it has no end.
        pulling: How to pull it.
    """

    source: SourceUrl
    length: float | None
    last: float | None
    live: bool
    pulling: PullSettings


async def look_at(source: str, last: float | None, pulling: PullSettings) -> Subject:
    """Open `source`, see whether it is video and whether it ends, and let go.

    Raises:
        Failed: If it cannot be watched, or not without `last`.
    """
    if last is not None and not (0 < last < math.inf):
        raise Failed("--last takes a number of seconds above 0", 2)
    try:
        where = read_source(source, local=True)
        if where.scheme == "file" and await asyncio.to_thread(_is_whole, Path(where.path)):
            return Subject(where, None, last, live=False, pulling=pulling)
        found = await probe(
            where, settings=pulling, monotonic=time.monotonic, trusted=True, patient=True
        )
    except (BadSource, NoVideo) as error:
        raise Failed(str(error), 2) from None
    if found.live and last is None:
        raise Failed(
            f"{where.shown} is live and has no end: say for how many seconds to watch it before "
            "the question is answered, with --last SECONDS",
            2,
        )
    return Subject(where, found.length, last, live=found.live, pulling=pulling)


async def watch(
    subject: Subject, live: LiveStream, progress: Progress, most: int = MOST
) -> Sampled | None:
    """Show `live` what is to be watched; of a whole file, return what was looked at.

    Args:
        subject: From `look_at`.
        live: Where it is remembered.
        progress: Is told how many seconds were watched, of how many if that is known, in words.
        most: Frames of a whole file to look at, at most.

    Raises:
        Failed: If not one picture comes.
    """
    if subject.source.scheme == "file" and not subject.live:
        return await _watch_file(subject, live, most, progress)
    puller = Puller(
        subject.source, live, settings=subject.pulling, monotonic=time.monotonic, trusted=True
    )
    puller.start()
    try:
        await _pull(subject, puller, live, progress)
    finally:
        await puller.close()
    return None


async def _watch_file(
    subject: Subject, live: LiveStream, most: int, progress: Progress
) -> Sampled | None:
    path = Path(subject.source.path)

    def watching(at: float, of: float | None) -> None:
        progress(at, of, f"{at:.0f} s")

    if subject.last is not None:
        await feed_file(path, live, last=subject.last, progress=watching)
        return None
    return await feed_whole_file(
        path,
        live,
        most=most,
        indexing=lambda at, of: progress(at, of, f"{at:.0f} s read through"),
        watching=watching,
    )


async def _pull(subject: Subject, puller: Puller, live: LiveStream, progress: Progress) -> None:
    """Wait until the source is at its end, or was live for as long as was asked for.

    Raises:
        Failed: If not one picture comes, or no more before the end.
    """
    over = asyncio.create_task(puller.wait_over())
    length = subject.last if subject.live else subject.length
    silence = subject.pulling.silence
    patience = time.monotonic() + subject.pulling.open_within + silence
    began: float | None = None
    try:
        while not over.done():
            await asyncio.wait([over], timeout=_LOOK_EVERY)
            now, status = time.monotonic(), live.status()
            if began is None and status.frames:
                began = now
            if status.state == "live" or puller.waits_for_keyframe:
                patience = now + subject.pulling.open_within + silence
            if now > patience and (began is None or not subject.live):
                what = "not one picture came" if began is None else "nothing more came"
                raise Failed(f"{what} from {subject.source.shown}. {status.reason}")
            watched = 0.0 if began is None else now - began
            progress(watched, length, _words(watched, length, status.clips, status.state))
            if subject.live and length is not None and watched >= length:
                return
    finally:
        over.cancel()


def _words(watched: float, length: float | None, clips: int, state: str) -> str:
    of = "" if length is None else f" of {length:.0f}"
    trouble = "" if state in {"live", "ended"} else f", {state}"
    return f"{watched:.0f}{of} s, {clips} {'moment' if clips == 1 else 'moments'}{trouble}"


def _is_whole(path: Path) -> bool:
    """Say whether all of a file is there; a live playlist grows.

    Raises:
        NoVideo: If it is no video.
    """
    container, _ = open_film(path)
    with container:
        return is_whole(container)
