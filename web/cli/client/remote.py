"""What can be done with a running service from a terminal; loads nothing of the service itself."""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from http import HTTPStatus
from itertools import islice
from pathlib import Path

from rich.console import Console
from rich.table import Table

from flashback_client import (
    AllAnswers,
    Answer,
    Flashback,
    FlashbackError,
    Stream,
    StreamAnswer,
    Unanswered,
    local_timezone,
)
from web.errors import Failed

_COUNTED = 4
_NAMED = 50
"""Streams that a mistaken name is compared with."""


@contextmanager
def service_at(url: str, token_file: Path | None) -> Iterator[Flashback]:
    """Open the service at `url`, and put what it refuses into a sentence.

    Raises:
        Failed: If the token cannot be read, or the service cannot be reached, or refuses.
    """
    token = None
    if token_file is not None:
        try:
            token = token_file.expanduser().read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Failed(f"the token in {token_file} cannot be read: {error}", 2) from None
    try:
        with Flashback(url, token) as service:
            yield service
    except FlashbackError as error:
        raise Failed(str(error)) from None


def run_streams(url: str, token_file: Path | None, *, as_json: bool) -> None:
    """List the streams of a service on standard output."""
    with service_at(url, token_file) as service:
        streams = list(service.streams())
    if as_json:
        sys.stdout.write(json.dumps([stream.model_dump() for stream in streams]) + "\n")
        return
    table = Table("stream", "state", "moments", "from", "to", box=None, pad_edge=False)
    for stream in streams:
        end = "" if stream.end is None else _local(stream, stream.end)
        table.add_row(stream.name, stream.state, str(stream.clips), _local(stream, 0.0), end)
    Console(highlight=False).print(table if streams else "There are no streams.")


def run_remote_ask(
    url: str,
    token_file: Path | None,
    stream: str,
    questions: Sequence[str],
    *,
    since: float | None,
    until: float | None,
    as_json: bool,
) -> None:
    """Ask a stream of a service, one question after another, and print what it answers.

    Raises:
        Failed: If it has no such stream, or refuses.
    """
    with service_at(url, token_file) as service:
        for question in questions:
            try:
                answer = service.ask(
                    stream, question, since=since, until=until, timezone=local_timezone()
                )
            except FlashbackError as error:
                if error.status == HTTPStatus.NOT_FOUND:
                    _check_there_is(service, stream)
                raise Failed(str(error)) from None
            _say(question, answer, alone=len(questions) == 1, as_json=as_json)


def _check_there_is(service: Flashback, stream: str) -> None:
    """Check that a stream is there.

    Raises:
        Failed: If it is not.
    """
    names = [found.name for found in islice(service.streams(), _NAMED)]
    if stream in names or len(names) == _NAMED:
        return
    known = f"there is {', '.join(names)}" if names else "there are none"
    raise Failed(f"There is no stream {stream}: {known}.", 2)


def run_search(
    url: str,
    token_file: Path | None,
    text: str,
    streams: Sequence[str],
    *,
    last: float | None,
    limit: int,
    as_json: bool,
) -> None:
    """Look for moments by what they show, and print them, the surest first."""
    after = None if last is None else time.time() - last
    with service_at(url, token_file) as service:
        found = service.search(text, streams, after=after, limit=limit)
    if as_json:
        sys.stdout.write(json.dumps(found.model_dump()) + "\n")
        return
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"Looked for {found.understood}.", markup=False)
    for part in found.unmatched:
        console.print(f"Moments cannot be matched on “{part}”.", markup=False)
    for note in found.notes:
        console.print(note, markup=False)
    table = Table("sure", "stream", "at", "from", "to", "moments", box=None, pad_edge=False)
    for one in found.found:
        at = _clock(one.clock)
        span = (f"{one.start:.1f}", f"{one.end:.1f}")
        table.add_row(f"{one.score:.0%}", one.stream, at, *span, str(one.moments))
    console.print(table if found.found else "Nothing that is remembered shows it.")


def run_summary(
    url: str,
    token_file: Path | None,
    stream: str,
    *,
    last: float | None,
    day: str | None,
    as_json: bool,
) -> None:
    """Say what happened on a stream, scene after scene."""
    with service_at(url, token_file) as service:
        end = None if last is None else service.stream(stream).end
        since = None if end is None or last is None else end - last
        found = service.summary(stream, since=since, day=day)
    if as_json:
        sys.stdout.write(json.dumps(found.model_dump()) + "\n")
        return
    console = Console(highlight=False, soft_wrap=True)
    if not found.scenes:
        console.print("Nothing of that time is remembered.")
    for scene in found.scenes:
        span = f"{_clock(scene.start_clock)} to {_clock(scene.end_clock)[11:]}"
        news = [f"{name} comes" for name in scene.came] + [f"{name} gone" for name in scene.left]
        more = f"  ({', '.join(news)})" if news else ""
        console.print(f"{span}  {scene.text}{more}", markup=False)
    table = Table("seen", "seconds", "times", "most", "first", "last", box=None, pad_edge=False)
    for one in found.seen:
        most = "5+" if one.most > _COUNTED else str(one.most)
        ends = (_clock(one.first_clock), _clock(one.last_clock))
        table.add_row(one.name, f"{one.seconds:.0f}", str(one.times), most, *ends)
    if found.seen:
        console.print(table)
    for event in reversed(found.events):
        at = f"{datetime.fromtimestamp(event.at).astimezone():%H:%M:%S}"
        console.print(f"{at}  told by a watch: {event.question}", markup=False)


def run_ask_all(
    url: str, token_file: Path | None, questions: Sequence[str], *, as_json: bool
) -> None:
    """Ask all streams of a service, and print what each answers as it comes, then what all say together."""
    with service_at(url, token_file) as service:
        for question in questions:
            if as_json:
                found = service.ask_all(question, timezone=local_timezone())
                sys.stdout.write(json.dumps({"question": question} | found.model_dump()) + "\n")
                continue
            for one in service.ask_each(question, timezone=local_timezone()):
                sys.stdout.write(_answered(one))
                sys.stdout.flush()


def _answered(one: StreamAnswer | Unanswered | AllAnswers) -> str:
    """Return what one stream answers, or all together, as it is printed."""
    if isinstance(one, Unanswered):
        return f"  {one.stream}: no answer. {one.reason}\n"
    if isinstance(one, AllAnswers):
        left_out = f"  {one.left_out} more streams were not asked.\n" if one.left_out else ""
        return f"{left_out}{one.text}\n"
    seen = f", last seen {_clock(one.seen_last_clock)}" if one.seen_last_clock else ""
    sure = "" if one.sureness is None else f" ({one.sureness:.0%} sure{seen})"
    return f"  {one.stream}{sure}: {one.text}\n"


def _say(question: str, answer: Answer, *, alone: bool, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps({"question": question} | answer.model_dump()) + "\n")
        return
    sys.stdout.write(answer.text + "\n" if alone else f"{question}\n{answer.text}\n\n")
    sys.stdout.flush()


def run_mcp(url: str, token_file: Path | None, port: int | None) -> None:
    """Be an MCP server for the streams of a service, on standard input and output or on a port."""
    from web.mcp.http import run_http  # late: the SDK is an extra
    from web.mcp.server import make_server

    with service_at(url, token_file) as service:
        server = make_server(service)
        if port is None:
            server.run("stdio")
        else:
            run_http(server, port)


def _local(stream: Stream, media: float) -> str:
    when: datetime = stream.clock(media).astimezone()
    return when.strftime("%Y-%m-%d %H:%M:%S")


def _clock(clock: str | None) -> str:
    return (clock or "")[:19].replace("T", " ")
