"""What `flashback ask` watches: a film as fast as it can be read, what is live at its own pace.

A source that has an end is watched to it. A live one has none, so it is watched for as long as the
user says; without that it is refused before the model is loaded, because a command that
never returns is not an answer.
"""

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from stream.address.source_url import SourceUrl, read_source
from stream.errors import BadSource, NoVideo
from stream.file.film import Film, LocalFilm, is_whole, open_film
from stream.file.reader import feed_file
from stream.file.sampling import MOST
from stream.file.whole_file import Sampled, feed_whole_file
from stream.live import LiveStream
from stream.pull.errors import AT_ITS_END
from stream.pull.probe import probe
from stream.pull.process import PullSettings, make_order
from stream.pull.remote_film import LOST, RemoteFilm
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
        film: What can be read from beginning to end as fast as it comes; None if its source decides.
    """

    source: SourceUrl
    length: float | None
    last: float | None
    live: bool
    pulling: PullSettings
    film: Film | None = None


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
            film: Film = LocalFilm(Path(where.path))
            return Subject(where, None, last, live=False, pulling=pulling, film=film)
        found = await probe(
            where, settings=pulling, monotonic=time.monotonic, trusted=True, patient=True
        )
        subject = Subject(where, found.length, last, live=found.live, pulling=pulling)
        if not found.live and where.scheme in {"http", "https"}:
            order = await make_order(where, pulling, trusted=True)
            subject = replace(subject, film=RemoteFilm(order, where.shown))
    except (BadSource, NoVideo) as error:
        raise Failed(str(error), 2) from None
    if found.live and last is None:
        raise Failed(
            f"{where.shown} is live and has no end: say for how many seconds to watch it before "
            "the question is answered, with --last SECONDS",
            2,
        )
    return subject


def no_frame(subject: Subject) -> str:
    """Return what is said of a source that was read to its end and showed nothing."""
    return (
        f"no frame of {subject.source.shown} could be decoded: it is damaged, encrypted, or a part "
        "without a keyframe"
    )


async def watch(
    subject: Subject,
    live: LiveStream,
    progress: Progress,
    most: int = MOST,
    *,
    say: Callable[[str], None] = lambda _text: None,
) -> Sampled | None:
    """Show `live` what is to be watched; of a whole file, return what was looked at.

    Args:
        subject: From `look_at`.
        live: Where it is remembered.
        progress: Is told how many seconds were watched, of how many if that is known, in words.
        most: Frames of a whole file to look at, at most.
        say: Is told what a person should know beside the answer, in a sentence.

    Raises:
        Failed: If not one picture comes, or no more before the end.
    """
    if subject.film is not None:
        sampled, left_out = await _watch_film(subject, subject.film, live, most, progress)
        if left_out:
            say(left_out)
        return sampled
    puller = Puller(
        subject.source, live, settings=subject.pulling, monotonic=time.monotonic, trusted=True
    )
    puller.start()
    try:
        await _pull(subject, puller, live, progress)
        for text in not_seen(puller.breaks, live.status().reason):
            say(text)
    finally:
        await puller.close()
    return None


def not_seen(breaks: int, reason: str) -> list[str]:
    """Return in sentences what was not seen of a source that was watched as it came.

    Args:
        breaks: How often it was away, after it had shown something.
        reason: Why it is over, if it is.
    """
    times = "once" if breaks == 1 else f"{breaks} times"
    away = f"The source was away {times}: what it showed until it came back was not seen."
    more = reason.removeprefix(AT_ITS_END.reason).strip()
    return [away] * bool(breaks) + [more] * bool(more and more != reason)


async def _watch_film(
    subject: Subject, film: Film, live: LiveStream, most: int, progress: Progress
) -> tuple[Sampled | None, str]:
    """Read a film to its end; return what was looked at, and what of it was not read.

    Raises:
        Failed: If it stops before that.
    """

    def watching(at: float, of: float | None) -> None:
        progress(at, of, f"{at:.0f} s")

    try:
        if subject.last is not None:
            return None, await feed_file(film, live, last=subject.last, progress=watching)
        sampled = await feed_whole_file(
            film,
            live,
            most=most,
            indexing=lambda at, of: progress(at, of, f"{at:.0f} s read through"),
            watching=watching,
        )
    except LOST as error:
        cut = f"{film} cannot be read to its end."
        raise Failed(film.explain(error) if isinstance(film, RemoteFilm) else cut) from None
    except NoVideo as error:
        raise Failed(str(error), 2) from None
    return sampled, sampled.left_out


async def _pull(subject: Subject, puller: Puller, live: LiveStream, progress: Progress) -> None:
    """Wait until the source is at its end, or was live for as long as was asked for.

    Raises:
        Failed: If not one picture comes, or no more before the end.
    """
    over = asyncio.create_task(puller.wait_over())
    length = subject.last if subject.live else subject.length
    silence = subject.pulling.silence
    deadline = time.monotonic() + subject.pulling.open_within + silence
    began: float | None = None
    try:
        while not over.done():
            await asyncio.wait([over], timeout=_LOOK_EVERY)
            now, status = time.monotonic(), live.status()
            if began is None and status.frames:
                began = now
            if status.state == "live" or puller.waits_for_keyframe:
                deadline = now + subject.pulling.open_within + silence
            if now > deadline and (began is None or not subject.live):
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
        NoVideo: If it is not a video.
    """
    container, _ = open_film(path)
    with container:
        return is_whole(container)
