"""Numbers as servers write them: digits, and no more of them than make sense.

Python reads other scripts' digits, calls `²` one and fails on it, and refuses numbers of thousands of
digits: of a stranger's text each would be an error nobody expected.
"""

import re

_NUMBER = re.compile(r"[0-9]{1,18}")


def number_in(text: str) -> int | None:
    """Return the number that `text` is; None if it is something else."""
    return int(text) if _NUMBER.fullmatch(text) else None
