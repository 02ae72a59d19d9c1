"""Named tokens: who they are for, what they may do, on which streams, and until when.

They stand hashed in a file that the running service reads again when it changes, so a token is
made, changed and taken back without a restart. The token itself is shown once, when it is made.
"""

import asyncio
import contextlib
import fcntl
import fnmatch
import hashlib
import os
import re
import secrets
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from web.access.limits import Limits
from web.errors import BadValue

Right = Literal["ingest", "watch", "ask", "forget", "admin"]
RIGHTS: tuple[Right, ...] = ("ingest", "watch", "ask", "forget", "admin")
"""Send video, see streams and their pictures, ask, delete; and `admin`: everything, `/metrics` too."""

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
MOST_TOKENS = 1000


@dataclass(frozen=True, slots=True)
class Caller:
    """Someone who was let in. Callers with the same token share a `name`, and its limits.

    Attributes:
        name: Whose token it is.
        may: What it lets do.
        streams: Patterns of the names of streams that it is for, such as `door-*`.
        limits: How much it may have.
        shown: What stands in the audit log, if not its name.
        revoked: Set once the token is good no more: what is open then is closed. None if that
            cannot happen while the service runs.
        mark: Tells its token from others of the same name, older or newer ones; never shown.
    """

    name: str
    may: frozenset[Right] = field(default=frozenset(RIGHTS), compare=False)
    streams: tuple[str, ...] = field(default=("*",), compare=False)
    limits: Limits = field(default=Limits(), compare=False)
    shown: str | None = field(default=None, compare=False)
    revoked: asyncio.Event | None = field(default=None, compare=False, repr=False)
    mark: str = field(default="", compare=False, repr=False)

    @property
    def label(self) -> str:
        """Whose token it is, for people."""
        return self.shown or self.name.removesuffix("@")

    async def wait_revoked(self) -> None:
        """Wait until the token is good no more; for ever, if that cannot happen."""
        await (self.revoked or asyncio.Event()).wait()

    def allows(self, right: Right, stream: str | None = None) -> bool:
        """Return whether it may do something, with `stream` if one is named."""
        if right not in self.may and "admin" not in self.may:
            return False
        return stream is None or any(fnmatch.fnmatchcase(stream, p) for p in self.streams)


class TokenRecord(BaseModel):
    """One token, as it stands in the file.

    Attributes:
        name: Whose it is.
        digest: SHA-256 of the token, in hex: 192 random bits need no slower one.
        may: What it lets do.
        streams: Patterns of names of streams.
        expires: Unix second from which on it is good no more; None for never.
        limits: How much it may have.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=f"^{NAME.pattern}$")]
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    may: tuple[Right, ...]
    streams: tuple[str, ...] = ("*",)
    expires: float | None = None
    limits: Limits = Limits()


class _Content(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    tokens: Annotated[tuple[TokenRecord, ...], Field(max_length=MOST_TOKENS)] = ()


class TokenFile:
    """The file that named tokens stand in; a missing one holds none.

    Args:
        path: Where it is.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> tuple[TokenRecord, ...]:
        """Return the tokens.

        Raises:
            BadValue: If it cannot be read.
        """
        try:
            return _Content.model_validate_json(self._path.read_bytes()).tokens
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise BadValue(f"{self._path} cannot be read: {error.strerror}.") from None
        except ValidationError:
            raise BadValue(
                f"{self._path} is not a file of tokens: mend or delete it, then make them anew with "
                "`flashback token add`."
            ) from None

    def stamp(self) -> tuple[int, int, int] | None:
        """Return what changes whenever the file does; None while there is none."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def add(self, record: TokenRecord) -> bool:
        """Add `record`, in place of one of the same name; say whether there was one.

        Raises:
            BadValue: If the file cannot be read or written, or holds too many.
        """
        before = self._change(lambda kept: (*(r for r in kept if r.name != record.name), record))
        return any(old.name == record.name for old in before)

    def rotate(self, name: str, token: str, expires: float | None) -> TokenRecord | None:
        """Give whoever is called `name` a new `token`, with the rights and limits of the old one.

        Args:
            name: Whose; None is returned if there is nobody of that name.
            token: The new one.
            expires: From when on it is good no more; None for the time of the old one.

        Raises:
            BadValue: If the file cannot be read or written.
        """
        new: dict[str, object] = {"digest": digest(token).hex()}
        if expires is not None:
            new["expires"] = expires
        made: list[TokenRecord] = []

        def change(kept: tuple[TokenRecord, ...]) -> tuple[TokenRecord, ...]:
            made.extend(r.model_copy(update=new) for r in kept if r.name == name)
            return (*(r for r in kept if r.name != name), *made)

        self._change(change)
        return made[0] if made else None

    def remove(self, name: str) -> bool:
        """Remove the token called `name`; say whether there was one.

        Raises:
            BadValue: If the file cannot be read or written.
        """
        before = self._change(lambda kept: tuple(r for r in kept if r.name != name))
        return any(record.name == name for record in before)

    def _change(
        self, change: Callable[[tuple[TokenRecord, ...]], tuple[TokenRecord, ...]]
    ) -> tuple[TokenRecord, ...]:
        """Write what `change` makes of the tokens, and return what there was before.

        Raises:
            BadValue: If the file cannot be read or written, or holds too many.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self._locked():
                before = self.read()
                tokens = change(before)
                if len(tokens) > MOST_TOKENS:
                    raise BadValue(f"{self._path} holds {MOST_TOKENS} tokens, and no more.")
                if tokens != before:
                    self._write(_Content(tokens=tokens))
                return before
        except OSError as error:
            raise BadValue(f"{self._path} cannot be written: {error.strerror}.") from None

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _write(self, content: _Content) -> None:
        # In one step: whoever reads meanwhile sees the old or the new one. Only we may read it.
        handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=".tokens")
        try:
            with os.fdopen(handle, "w") as partial:
                partial.write(content.model_dump_json(indent=2, exclude_none=True) + "\n")
                partial.flush()
                os.fsync(partial.fileno())
            Path(name).replace(self._path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise


def make_token() -> str:
    """Return a new token nobody can guess."""
    return secrets.token_urlsafe(24)


def digest(token: str) -> bytes:
    """Return the hash that stands for `token`."""
    return hashlib.sha256(token.encode()).digest()
