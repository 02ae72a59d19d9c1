"""Where in what a client sent something is wrong, as the client wrote it."""

from collections.abc import Sequence
from typing import Any


def field_path(sent: Any, place: Sequence[int | str], *, missing: bool) -> str:  # noqa: ANN401 - as JSON has it
    """Return the path to a field, such as `messages.0.content`.

    Pydantic also names the branch of a union that it tried (`constrained-int`, `input_text`). That is no
    field, and stands nowhere in what was sent.

    Args:
        sent: What the client sent.
        place: Where pydantic found it wrong.
        missing: Whether the last part of that is a field that is not there.
    """
    path = list[str]()
    for number, part in enumerate(place):
        if _has(sent, part):
            sent = sent[part]
            path.append(str(part))
        elif missing and number == len(place) - 1:
            path.append(str(part))
    return ".".join(path)


def _has(sent: object, part: int | str) -> bool:
    if isinstance(sent, list):
        return isinstance(part, int) and part < len(sent)
    return isinstance(sent, dict) and part in sent
