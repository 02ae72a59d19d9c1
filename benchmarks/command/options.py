"""What a benchmark can be told, read strictly: a wrong option is said before anything is measured."""

import argparse
import math
from pathlib import Path

from stream.errors import NoVideo
from stream.file.film import open_film


def at_least_one(text: str) -> int:
    """Read a whole number above 0, for `argparse`.

    Raises:
        ArgumentTypeError: If `text` is none.
    """
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number above 0")
    return int(text)


def above_zero(text: str) -> float:
    """Read a number above 0, for `argparse`.

    Raises:
        ArgumentTypeError: If `text` is none.
    """
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return value


def video_file(text: str) -> Path:
    """Read the name of a video file, for `argparse`.

    Raises:
        ArgumentTypeError: If it is none.
    """
    path = Path(text)
    try:
        container, _ = open_film(path)
    except NoVideo as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    container.close()
    return path
