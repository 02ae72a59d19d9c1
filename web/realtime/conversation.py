"""What was said on one connection, bounded: the oldest lines go first.

Pure: no socket, no clock. `question` turns the lines, the session and the wish of one response
into what the engine answers.
"""

from typing import TypeVar

from model.engine.generation import MAX_ANSWER_TOKENS
from model.types import Question, Sampling, Turn
from web.errors import BadRequest
from web.realtime.client_events import ResponseOptions, SessionChange
from web.realtime.server_events import Session
from web.realtime.wire_items import Message

_Value = TypeVar("_Value")

_LINES = 40


ROOT = "root"
"""Stands for the place before the first line."""
INSTRUCTING = ("system", "developer")
OF_A_PICTURE = "What is shown?"
"""What is asked when a picture was given, and no words."""


class Conversation:
    """The lines of one connection."""

    def __init__(self) -> None:
        self._lines: list[Message] = []
        self._pictured = False

    @property
    def last_id(self) -> str | None:
        """Identifier of the last line."""
        return self._lines[-1].id if self._lines else None

    def add(self, line: Message, after: str | None = None) -> list[str]:
        """Add `line` and return the identifiers of the lines that had to go.

        Args:
            line: One with an identifier; it takes the place of none.
            after: The line before it; `ROOT` for none, None for the last.

        Raises:
            BadRequest: If there is no line `after`.
        """
        place = len(self._lines) if after is None else 0 if after == ROOT else self._find(after) + 1
        self._lines.insert(place, line)
        gone = self._lines[:-_LINES]
        del self._lines[:-_LINES]
        return [line.id or "" for line in gone]

    def add_picture(self) -> None:
        """Note that a picture was given: it may be asked about without words."""
        self._pictured = True

    def find(self, key: str) -> Message:
        """Return the line `key`.

        Raises:
            BadRequest: If there is none.
        """
        return self._lines[self._find(key)]

    def remove(self, key: str) -> None:
        """Take the line `key` out.

        Raises:
            BadRequest: If there is none.
        """
        del self._lines[self._find(key)]

    def question(self, session: Session, wish: ResponseOptions) -> Question:
        """Return what to answer now.

        Raises:
            BadRequest: If the last line is not the user's, and no picture was given.
        """
        lines, pictured = list(self._lines), self._pictured
        if wish.conversation == "none":
            lines = list(wish.input) if wish.input is not None else lines[-1:]
            pictured = any(line.pictures for line in wish.input or ())
        told = [line.text for line in lines if line.role in INSTRUCTING]
        said = [line for line in lines if line.role not in INSTRUCTING and line.text]
        if said and said[-1].role == "user":
            asked = said.pop().text
        elif pictured:
            asked = OF_A_PICTURE
        else:
            message = "There is no question; add one with conversation.item.create first."
            raise BadRequest("no_question", message)
        tokens = _given(wish.max_output_tokens, session.max_output_tokens)
        instructions = _given(wish.instructions, session.instructions)
        return Question(
            text="\n".join(filter(None, (instructions, *told, asked))),
            conversation=tuple(
                Turn("assistant" if line.role == "assistant" else "user", line.text)
                for line in said
            ),
            tokens=MAX_ANSWER_TOKENS if tokens == "inf" else tokens,
            sampling=Sampling(
                temperature=_given(wish.temperature, session.temperature),
                top_p=_given(wish.top_p, session.top_p),
                top_k=_given(wish.top_k, session.top_k),
                repetition_penalty=_given(wish.repetition_penalty, session.repetition_penalty),
            ),
            since=wish.since,
            until=wish.until,
        )

    def _find(self, key: str) -> int:
        for place, line in enumerate(self._lines):
            if line.id == key:
                return place
        message = f"There is no line {key} in this conversation."
        raise BadRequest("item_not_found", message, "item_id")


def changed(session: Session, change: SessionChange) -> Session:
    """Return `session` with what `change` sets."""
    mine = Session.model_fields.keys() - {"id"}
    return session.model_copy(update=change.model_dump(include=mine, exclude_none=True))


def _given(value: _Value | None, otherwise: _Value) -> _Value:
    return otherwise if value is None else value
