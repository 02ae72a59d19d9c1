"""`flashback token`: make, list and take back named tokens while the service runs."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.table import Table

from web.cli.failed import Failed
from web.tokens import (
    NAME,
    RIGHTS,
    BadTokenFile,
    Right,
    TokenFile,
    TokenRecord,
    digest,
    make_token,
)

Value = TypeVar("Value")

_UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_PATTERN = re.compile(r"[A-Za-z0-9_*?-]{1,64}")


def add_token(file: Path, name: str, may: str, streams: str, expires: str | None) -> None:
    """Make a token, keep its hash, and print it once.

    Args:
        file: Where tokens stand.
        name: Whose it is; a token of the same name is good no more.
        may: Rights, comma-separated.
        streams: Patterns of names of streams, comma-separated.
        expires: After how long it is good no more, such as `30d`; None for never.

    Raises:
        Failed: If something that was typed cannot be used, or the file cannot be written.
    """
    if NAME.fullmatch(name) is None:
        raise Failed("a token's name is 1 to 64 letters, digits, _ and -", code=2)
    token = make_token()
    record = TokenRecord(
        name=name,
        digest=digest(token).hex(),
        may=_rights(may),
        streams=_patterns(streams),
        expires=None if expires is None else time.time() + _seconds(expires),
    )
    _try(lambda: TokenFile(file).add(record))
    Console().print(token, markup=False, highlight=False, soft_wrap=True)
    Console(stderr=True).print(
        f"This is the token of {name}; it is shown once. A running service takes it in a second.",
        markup=False,
    )


def list_tokens(file: Path) -> None:
    """Print whose tokens there are and what they may do; never the tokens.

    Raises:
        Failed: If the file cannot be read.
    """
    table = Table("name", "may", "streams", "good until")
    for record in _try(TokenFile(file).read):
        until = "for ever" if record.expires is None else _date(record.expires)
        table.add_row(record.name, ", ".join(record.may), ", ".join(record.streams), until)
    Console().print(table)


def remove_token(file: Path, name: str) -> None:
    """Take a token back: what is open with it is closed.

    Raises:
        Failed: If there is none of that name, or the file cannot be written.
    """
    if not _try(lambda: TokenFile(file).remove(name)):
        raise Failed(f"there is no token called {name}; `flashback token list` shows them")


def _rights(text: str) -> tuple[Right, ...]:
    named = {word.strip() for word in text.split(",")}
    if unknown := sorted(named - set(RIGHTS)):
        raise Failed(f"{unknown[0]!r} is no right: they are {', '.join(RIGHTS)}", code=2)
    return tuple(right for right in RIGHTS if right in named)


def _patterns(text: str) -> tuple[str, ...]:
    patterns = tuple(word.strip() for word in text.split(","))
    for pattern in patterns:
        if _PATTERN.fullmatch(pattern) is None:
            raise Failed(f"{pattern!r} matches no stream's name; write names, or door-*", code=2)
    return patterns


def _seconds(text: str) -> float:
    match = re.fullmatch(r"(\d{1,5})([mhdw])", text.strip())
    if match is None or int(match[1]) == 0:
        raise Failed(f"{text!r} is no time: write 90m, 12h, 30d or 8w", code=2)
    return float(int(match[1]) * _UNITS[match[2]])


def _date(seconds: float) -> str:
    date = datetime.fromtimestamp(seconds, UTC)
    gone = ", gone" if date < datetime.now(UTC) else ""
    return f"{date:%Y-%m-%d %H:%M} UTC{gone}"


def _try(action: Callable[[], Value]) -> Value:
    try:
        return action()
    except BadTokenFile as error:
        raise Failed(str(error)) from None
