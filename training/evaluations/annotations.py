"""Reads published annotations: JSON, JSON lines, CSV and Parquet, with errors that name the place."""

import csv
import importlib
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from training.errors import BadData

Record = Mapping[str, Any]
ENCODING = "utf-8-sig"
"""UTF-8, with or without a mark at its beginning, as spreadsheets write it."""
_CLOCK = re.compile(r"(?:(?:\d+:)?\d+:)?\d+(?:[.,]\d+)?")
VIDEO_ENDINGS = (".mp4", ".MP4", ".mkv", ".webm", ".avi", ".mov")


def find(folder: Path, *patterns: str) -> Path:
    """Return the first file or folder below `folder` that one of `patterns` matches, by name.

    Raises:
        BadData: If there is none.
    """
    if not folder.is_dir():
        raise BadData(
            f"{folder} is not a folder: name the one that holds the benchmark with --data"
        )
    for pattern in patterns:
        if found := sorted(folder.glob(pattern)):
            return found[0]
    raise BadData(f"{folder} holds nothing like {' or '.join(patterns)}")


def records(file: Path) -> list[Record]:
    """Return the records of an annotation file.

    Raises:
        BadData: If it cannot be read, or holds no records.
    """
    try:
        found = _READERS[file.suffix](file) if file.suffix in _READERS else read_json(file)
    except BadData:
        raise
    except (OSError, ValueError, csv.Error) as error:
        raise BadData(f"{file} cannot be read: {error}") from None
    except ModuleNotFoundError as error:
        raise BadData(f"{file} needs {error.name}: pip install --editable '.[evaluate]'") from None
    if not isinstance(found, list) or not found:
        raise BadData(f"{file} must be a list of records, with one at least")
    if wrong := next((n for n, one in enumerate(found) if not isinstance(one, dict)), None):
        raise BadData(f"record {wrong} of {file} is not an object")
    return found


def field(record: Record, where: str, *names: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return the first of `names` that `record` has.

    Raises:
        BadData: If it has none of them.
    """
    for name in names:
        if (value := record.get(name)) is not None:
            return value
    raise BadData(f"{where} lacks {' or '.join(names)}; it has {', '.join(record)}")


def texts(record: Record, where: str, *names: str) -> list[str]:
    """Return a field that is a list of texts, with one at least.

    Raises:
        BadData: If it is missing or something else.
    """
    value = field(record, where, *names)
    if isinstance(value, str | Mapping) or not isinstance(value, Iterable):
        raise BadData(f"{where}: {names[0]} must be a list, got {value!r}")
    found = list(value)
    if not found or None in found:
        raise BadData(
            f"{where}: {names[0]} must be a list of texts, with one at least, got {found}"
        )
    return [str(one) for one in found]


def number(record: Record, where: str, *names: str) -> float:
    """Return a field that is a number, or says one.

    Raises:
        BadData: If it is missing or something else.
    """
    value = field(record, where, *names)
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = math.nan
    if not math.isfinite(found):
        raise BadData(f"{where}: {names[0]} must be a number, got {value!r}")
    return found


def parts(record: Record, where: str, name: str) -> list[Record]:
    """Return a field that is a list of objects.

    Raises:
        BadData: If it is missing or something else.
    """
    value = field(record, where, name)
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise BadData(f"{where}: {name} must be a list of objects, got {value!r}")
    return value


def video(folders: Sequence[Path], name: str, endings: Iterable[str] = VIDEO_ENDINGS) -> Path:
    """Return the file or folder of frames called `name`, with or without its ending.

    Where there is none, the first place it could be in: it is said to be missing when it is shown.

    Raises:
        BadData: If it has no name.
    """
    if not name.strip("./"):
        raise BadData(f"a film is called {name!r}")
    for folder in folders:
        for ending in ("", *endings):
            path = folder / f"{name}{ending}"
            if path.exists():
                return path
    return folders[0] / name


def seconds(clock: object, where: str) -> float:
    """Return `00:01:30`, `01:30` or `90.5` in seconds.

    Raises:
        BadData: If it is none of them.
    """
    if not _CLOCK.fullmatch(str(clock).strip()):
        raise BadData(f"{where}: {clock!r} is not a time")
    told = reversed(str(clock).replace(",", ".").split(":"))
    return float(sum(float(part) * 60**power for power, part in enumerate(told)))


def read_json(file: Path) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return what a JSON file holds.

    Raises:
        BadData: If it cannot be read.
    """
    try:
        return json.loads(file.read_text(encoding=ENCODING))
    except (OSError, ValueError) as error:
        raise BadData(f"{file} cannot be read as JSON: {error}") from None


def _read_lines(file: Path) -> list[Any]:
    # Not `splitlines`: JSON may hold other ends of lines, such as U+2028, as they are.
    lines = file.read_text(encoding=ENCODING).split("\n")
    return [json.loads(line) for line in lines if line.strip()]


def _read_csv(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding=ENCODING) as opened:
        return list(csv.DictReader(opened))


def _read_parquet(file: Path) -> list[dict[str, Any]]:
    # By name: a library of 50 MB that nothing else needs; what lacks it says how to install it.
    parquet = importlib.import_module("pyarrow.parquet")
    rows: list[dict[str, Any]] = parquet.read_table(file).to_pylist()
    return rows


_READERS = {".jsonl": _read_lines, ".csv": _read_csv, ".parquet": _read_parquet}
