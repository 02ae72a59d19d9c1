"""What was said on one connection, bounded: the oldest lines go first.

Pure: no socket, no clock. `question` turns the lines, the session and the wish of one response
into what the engine answers.
"""

from collections import deque
from collections.abc import Sequence
from typing import TypeVar

from model.types import Question, Sampling, Turn
from web.client_events import ResponseWish, SessionChange
from web.server_events import Session
from web.wire_items import Message

Value = TypeVar("Value")

LINES = 40
LONGEST_ANSWER = 1024


class NoQuestion(ValueError):
    """The conversation does not end with words of the user."""


class Conversation:
    """The lines of one connection."""

    def __init__(self) -> None:
        self._lines: deque[Message] = deque()

    def add(self, line: Message) -> list[str]:
        """Add `line` and return the identifiers of the lines that had to go."""
        self._lines.append(line)
        gone = []
        while len(self._lines) > LINES:
            gone.append(self._lines.popleft().id or "")
        return gone

    def question(self, session: Session, wish: ResponseWish) -> Question:
        """Return what to answer now.

        Raises:
            NoQuestion: If the last line is not the user's.
        """
        lines: Sequence[Message] = list(self._lines)
        if wish.conversation == "none":
            lines = wish.input if wish.input is not None else lines[-1:]
        if not lines or lines[-1].role != "user" or not lines[-1].text:
            raise NoQuestion
        tokens = _given(wish.max_output_tokens, session.max_output_tokens)
        instructions = _given(wish.instructions, session.instructions)
        return Question(
            text="\n".join(filter(None, (instructions, lines[-1].text))),
            conversation=tuple(Turn(line.role, line.text) for line in lines[:-1] if line.text),
            tokens=LONGEST_ANSWER if tokens == "inf" else tokens,
            sampling=Sampling(
                temperature=_given(wish.temperature, session.temperature),
                top_p=_given(wish.top_p, session.top_p),
                top_k=_given(wish.top_k, session.top_k),
                repetition_penalty=_given(wish.repetition_penalty, session.repetition_penalty),
            ),
            since=wish.since,
            until=wish.until,
        )


def changed(session: Session, change: SessionChange) -> Session:
    """Return `session` with what `change` sets."""
    return session.model_copy(update=change.model_dump(exclude_none=True))


def _given(value: Value | None, otherwise: Value) -> Value:
    return otherwise if value is None else value
