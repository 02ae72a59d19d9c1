"""Bounds how many values a JSON text may hold, before anything is made of it.

A megabyte may be one picture, or 300,000 objects, each of which is then found wrong by itself: a
second of the event loop for one refusal. Length alone does not tell them apart.
"""

import re

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
