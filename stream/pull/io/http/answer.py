"""What an HTTP answer holds of a file: from which byte on, how long the whole is, whether it is video at all.

Servers of cameras have their own ways: 203, 206 without a range, lengths that are made up.
https://www.rfc-editor.org/rfc/rfc9110#section-14
"""

import re

import httpx

from stream.errors import BadSource
from stream.pull.errors import Refused
from stream.pull.io.numbers import number_in

_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)")
# What is written for want of a length, of live video.
_MADE_UP = {2**31 - 1, 2**31, 2**32 - 1, 2**32}
_ONLY_NINES = re.compile(r"9{8,}")
_LONGEST = 2**40
_COMPRESSIONS = {"gzip", "x-gzip", "deflate", "br", "zstd", "compress", "x-compress"}


def first_byte(response: httpx.Response) -> int | None:
    """Return where in the file begins what comes; None if it is no answer that holds any of it."""
    match response.status_code:
        case httpx.codes.OK | httpx.codes.NON_AUTHORITATIVE_INFORMATION:
            return 0
        case httpx.codes.PARTIAL_CONTENT if "content-range" not in response.headers:
            return 0  # of some cameras, that mean all of it
        case httpx.codes.PARTIAL_CONTENT:
            found = _range(response)
            return None if found is None else int(found[1])
        case _:
            return None


def last_byte(response: httpx.Response) -> int | None:
    """Return where in the file ends what comes, if that is said."""
    found = _range(response)
    return None if found is None else int(found[2])


def whole_length(response: httpx.Response) -> int | None:
    """Return how long the whole file is, not the part of it that comes; None if nobody says.

    A length that is made up is none: what has one would be live, and be taken for a film.
    """
    length = response.headers.get("content-length", "")
    if "content-range" in response.headers:
        found = _range(response)
        length = "" if found is None else found[3]
    number = number_in(length)
    if number is None or number in _MADE_UP or number > _LONGEST or _ONLY_NINES.fullmatch(length):
        return None
    return number


def is_compressed(response: httpx.Response) -> bool:
    """Say whether what comes is packed, though nobody asked for that."""
    return response.headers.get("content-encoding", "").strip().lower() in _COMPRESSIONS


def why_not(response: httpx.Response) -> Refused | BadSource | OSError:
    """Return the error for an answer that does not hold what was asked for."""
    if not response.is_success:
        return Refused(response.status_code)
    if is_compressed(response):
        return BadSource("The server compresses what it sends, which it was asked not to do.")
    if first_byte(response) is None:
        return BadSource(
            f"The source answered with status {response.status_code}, and sent no video."
        )
    return OSError("this source cannot be read from the middle")


def _range(response: httpx.Response) -> re.Match[str] | None:
    return _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
