"""JSON that a client sent: how many values it may hold, and where in it something is wrong.

A megabyte may be one picture, or 300,000 objects, each of which is then found wrong by itself: a
second of the event loop for one refusal. Length alone does not tell them apart.
"""

import re
from collections.abc import Sequence
from typing import Any

MOST_VALUES = 20_000
TOO_INTRICATE = f"The JSON holds more than {MOST_VALUES} values and names."

_MARKS = re.compile(rb"[{\[,:]")
_STRINGS = re.compile(rb'"(?:[^"\\]+|\\.)*+(?:"|\\?\Z)', re.DOTALL)


def is_intricate(text: bytes | bytearray) -> bool:
    """Say whether there are more than `MOST_VALUES` values and names in `text`.

    Each but the first follows one of four marks; what stands inside of strings does not count.
    """
    if sum(map(text.count, (b"{", b"[", b",", b":"))) <= MOST_VALUES:
        return False
    return len(_MARKS.findall(_STRINGS.sub(b"", text))) > MOST_VALUES


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
