"""`flashback token`: make, list, rotate and take back named tokens while the service runs."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from web.access.limits import Limits, Rate, read_size
from web.access.tokens import NAME, RIGHTS, Right, TokenFile, TokenRecord, digest, make_token
from web.errors import BadValue, Failed
from web.settings import read_settings

_Value = TypeVar("_Value")

app = typer.Typer(
    help="Make, list, rotate and take back named tokens; a running service follows within a second.",
    no_args_is_help=True,
)

_UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_PATTERN = re.compile(r"[A-Za-z0-9_*?-]{1,64}")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="whose token it is; an older one of that name ends")],
    may: Annotated[
        str,
        typer.Option(help="what it lets do: ingest, watch, ask, forget, admin; comma-separated"),
    ] = "watch,ask",
    streams: Annotated[
        str, typer.Option(help="names of the streams it is for, such as 'door-*'; comma-separated")
    ] = "*",
    expires: Annotated[
        str | None, typer.Option(metavar="TIME", help="good for so long: 90m, 12h, 30d, 8w")
    ] = None,
    max_streams: Annotated[
        int | None, typer.Option(min=1, help="live streams that it may feed at once")
    ] = None,
    questions: Annotated[
        str | None, typer.Option(metavar="RATE", help="how often it may ask: 30/min, 100/hour")
    ] = None,
    sends: Annotated[
        str | None,
        typer.Option(
            "--bytes", metavar="SIZE", help="of video and pictures that it may send: 2GB/day"
        ),
    ] = None,
) -> None:
    """Make a token and print it once; only its hash is kept. What is more than its limits is refused."""
    file = TokenFile(read_settings().tokens_at)
    token = make_token()
    record = TokenRecord(
        name=_name(name),
        digest=digest(token).hex(),
        may=_rights(may),
        streams=_patterns(streams),
        expires=None if expires is None else time.time() + _seconds(expires),
        limits=_limits(max_streams, questions, sends),
    )
    replaced = _try(lambda: file.add(record))
    _show_once(name, token)
    if replaced:
        _say(
            "The one before ends, and its rights, streams and limits with it; `flashback token "
            "rotate` keeps those."
        )


@app.command()
def rotate(
    name: Annotated[str, typer.Argument(help="whose token")],
    expires: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="good for so long from now; by default as the old one"),
    ] = None,
) -> None:
    """Make a new token with the rights, streams and limits of NAME's, which ends."""
    token = make_token()
    _rotate(TokenFile(read_settings().tokens_at), name, token, expires)
    _show_once(name, token)


@app.command(name="list")
def list_tokens() -> None:
    """Show whose tokens there are, and what they may do."""
    table = Table("name", "may", "streams", "good until", "limits")
    for record in _try(TokenFile(read_settings().tokens_at).read):
        until = "for ever" if record.expires is None else _date(record.expires)
        may, streams = ", ".join(record.may), ", ".join(record.streams)
        table.add_row(record.name, may, streams, until, str(record.limits))
    Console().print(table)


@app.command()
def remove(name: Annotated[str, typer.Argument(help="whose token")]) -> None:
    """Take a token back: what is open with it is closed."""
    _remove(read_settings().tokens_at, name)


def _name(text: str) -> str:
    if NAME.fullmatch(text) is None:
        raise Failed("a token's name is 1 to 64 letters, digits, _ and -", 2)
    return text


def _remove(path: Path, name: str) -> None:
    file = TokenFile(path)
    if not _try(lambda: file.remove(name)):
        raise _unknown(name)
    if not _try(file.read):
        _say(
            "No named token is left, and none lets in any more. To let everyone on this machine in "
            f"without, delete {path} and start the service anew."
        )


def _rotate(file: TokenFile, name: str, token: str, expires: str | None) -> None:
    now = time.time()
    until = None if expires is None else now + _seconds(expires)
    old = next((record for record in _try(file.read) if record.name == name), None)
    if old is not None and until is None and old.expires is not None and old.expires <= now:
        raise Failed(f"the token of {name} has expired: say for how long, such as --expires 30d", 2)
    if _try(lambda: file.rotate(name, token, until)) is None:
        raise _unknown(name)


def _unknown(name: str) -> Failed:
    return Failed(f"there is no token called {name}; `flashback token list` shows them")


def _show_once(name: str, token: str) -> None:
    """Print `token` alone to standard output, for scripts, and beside it what it is."""
    Console().print(token, markup=False, highlight=False, soft_wrap=True)
    _say(f"This is the token of {name}; it is shown once. A running service takes it in a second.")


def _say(words: str) -> None:
    Console(stderr=True).print(words, markup=False, highlight=False, soft_wrap=True)


def _rights(text: str) -> tuple[Right, ...]:
    named = {word.strip() for word in text.split(",")}
    if unknown := sorted(named - set(RIGHTS)):
        raise Failed(f"{unknown[0]!r} is not a right: they are {', '.join(RIGHTS)}", 2)
    return tuple(right for right in RIGHTS if right in named)


def _patterns(text: str) -> tuple[str, ...]:
    patterns = tuple(word.strip() for word in text.split(","))
    for pattern in patterns:
        if _PATTERN.fullmatch(pattern) is None:
            raise Failed(f"{pattern!r} matches no stream's name; write names, or door-*", 2)
    return patterns


def _limits(streams: int | None, questions: str | None, sends: str | None) -> Limits:
    try:
        return Limits(
            streams=streams,
            questions=None if questions is None else Rate.read(questions),
            bytes_a_day=None if sends is None else read_size(sends),
        )
    except BadValue as error:
        raise Failed(str(error), 2) from None


def _seconds(text: str) -> float:
    match = re.fullmatch(r"(\d{1,5})([mhdw])", text.strip())
    if match is None or int(match[1]) == 0:
        raise Failed(f"{text!r} is not a time: write 90m, 12h, 30d or 8w", 2)
    return float(int(match[1]) * _UNITS[match[2]])


def _date(seconds: float) -> str:
    date = datetime.fromtimestamp(seconds, UTC)
    gone = ", gone" if date < datetime.now(UTC) else ""
    return f"{date:%Y-%m-%d %H:%M} UTC{gone}"


def _try(action: Callable[[], _Value]) -> _Value:
    try:
        return action()
    except BadValue as error:
        raise Failed(str(error)) from None
