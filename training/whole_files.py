"""Files that are written whole or not at all: training is stopped at any time, and goes on from them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(file: Path) -> Iterator[Path]:
    """Yield where to write what becomes `file` when the block ends; an error leaves the old one."""
    partial = file.with_name(file.name + ".partial")
    yield partial
    partial.replace(file)
