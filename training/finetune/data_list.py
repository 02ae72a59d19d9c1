"""The reference's data lists: which annotation files, how much of each, and where their media lie.

    datasets:
      - {json_path: a.json, sampling_strategy: first:25%, data_root: films, video_read_type: decord}

A record is `{"video" | "image": path or list, "conversations": [{"from": "human"|"gpt", "value"}],
"start"?, "end"?, "fps"?}`; without media it is text. LongVid is such a list of folders of frames.

Source: the loader of VideoChat-Flash (https://github.com/OpenGVLab/VideoChat-Flash).
"""

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from training.errors import BadData
from training.finetune.recipe import read_structured

ROLES = {"human": "user", "gpt": "assistant", "user": "user", "assistant": "assistant"}
READERS = ("decord", "av", "lazy", "gif", "img", "frame")
"""How films are stored: a file (three ways to read it, all one here), an animated picture, a folder of
frames (two names). `fake` is noise instead of a film, to try a loop out."""
_RATES = {"tvqa": 3.0}
"""Frames a second of folders, by what their path holds, as the reference reads them; others have one."""


@dataclass(frozen=True, slots=True)
class Record:
    """One example, before anything of it is opened.

    Attributes:
        images: Pictures, in the order of their places in the text.
        video: A film, or a folder of frames; None if there is none.
        span: Seconds of the film that count; None is all of it.
        rate: Frames a second, of a folder of them.
        turns: Role and text, beginning with the user.
        source: The annotation file and the record's number in it.
    """

    images: tuple[Path, ...]
    video: Path | None
    span: tuple[float, float] | None
    turns: tuple[tuple[str, str], ...]
    source: str
    rate: float = 1.0


@dataclass(slots=True)
class Records:
    """What a data list holds.

    Attributes:
        usable: Records that can be used as far as can be seen without opening their media.
        broken: How many cannot, by the reason.
    """

    usable: list[Record] = field(default_factory=list)
    broken: Counter[str] = field(default_factory=Counter)


def read_data_list(file: Path) -> Records:
    """Return the records of a data list, in its order.

    Raises:
        BadData: If the list or an annotation file of it cannot be used.
    """
    listed = read_structured(file)
    datasets = listed.get("datasets") if isinstance(listed, dict) else None
    if not isinstance(datasets, list) or not datasets:
        raise BadData(f"{file} must hold a list called datasets")
    found = Records()
    for number, dataset in enumerate(datasets):
        if not isinstance(dataset, dict) or "json_path" not in dataset:
            raise BadData(f"entry {number} of {file} lacks json_path")
        _add(found, dataset, file.parent)
    if not found.usable:
        raise BadData(f"{file} holds not one record that can be used: {dict(found.broken)}")
    return found


def _add(found: Records, dataset: Mapping[str, Any], folder: Path) -> None:
    for name in ("json_path", "data_root"):
        if "://" in str(dataset.get(name) or ""):
            raise BadData(f"{name} {dataset[name]} is an address: fetch it, and name the folder or file here")  # fmt: skip
    annotations = folder / str(dataset["json_path"])
    reader = str(dataset.get("video_read_type", "decord"))
    if reader not in READERS:
        raise BadData(
            f"{annotations}: video_read_type {reader!r} is not one of {', '.join(READERS)}"
        )
    root = folder / str(dataset.get("data_root") or ".")
    records = _annotations(annotations)
    for number in sampled(len(records), str(dataset.get("sampling_strategy", "all")), annotations):
        try:
            found.usable.append(_record(records[number], root, f"{annotations.name}:{number}"))
        except ValueError as error:
            found.broken[str(error)] += 1


def sampled(count: int, strategy: str, where: object) -> Sequence[int]:
    """Return which of `count` records a strategy takes.

    `all`, `first:N`, `end:N`; `first2:N` to `first4:N` are the second to the fourth N. N may be a
    share, as `25%`.

    Raises:
        BadData: If there is no such strategy. `random` is none: the reference refuses it as well.
    """
    if strategy == "all":
        return range(count)
    taken = re.fullmatch(r"(first|end)([234]?):(\d+(?:\.\d+)?)(%?)", strategy)
    if taken is not None and taken[1] == "end" and taken[2]:
        taken = None
    if taken is None:
        raise BadData(f"{where}: sampling_strategy {strategy!r} is not known")
    share = float(taken[3])
    most = math.ceil(count * share / 100) if taken[4] else int(share)
    if taken[1] == "end":
        return range(max(0, count - most), count)
    before = (int(taken[2] or 1) - 1) * most
    return range(count)[before : before + most]


def _annotations(file: Path) -> list[Any]:
    """Return the records of a JSON or JSON-lines file.

    Raises:
        BadData: If it cannot be read.
    """
    if file.suffix != ".jsonl":
        found = read_structured(file)
    else:
        try:
            # Not `splitlines`: JSON may hold other ends of lines, such as U+2028, as they are.
            lines = file.read_text(encoding="utf-8-sig").split("\n")
            found = [json.loads(line) for line in lines if line.strip()]
        except (OSError, ValueError) as error:
            raise BadData(f"{file} cannot be read: {error}") from None
    if not isinstance(found, list):
        raise BadData(f"{file} must be a list of records")
    return found


def _record(record: Any, root: Path, source: str) -> Record:  # noqa: ANN401 - whatever JSON holds
    """Return a record, if it can be one.

    Raises:
        ValueError: In a few words, why not: they are counted.
    """
    if not isinstance(record, dict):
        raise ValueError("not an object")  # noqa: TRY004 - counted with the others
    images, video = record.get("image"), record.get("video")
    if isinstance(video, list):
        video = video[0] if video else None
    paths = images if isinstance(images, list) else [images] if images else []
    if not all(isinstance(path, str) for path in [*paths, video or ""]):
        raise ValueError("media that are not paths")
    start, end = record.get("start"), record.get("end")
    span = None
    if start is not None or end is not None:
        span = _seconds(start, 0.0), _seconds(end, math.inf)
    if span is not None and not span[0] < span[1]:
        raise ValueError("start is not before end")
    return Record(
        images=tuple(root / path for path in paths),
        video=root / video if video else None,
        span=span,
        rate=_rate(record.get("fps"), str(root / video if video else "")),
        turns=_turns(record.get("conversations")),
        source=source,
    )


def _seconds(said: Any, missing: float) -> float:  # noqa: ANN401 - whatever JSON holds
    """Return a moment of a film; `missing` where none is said.

    Raises:
        ValueError: If it is something else.
    """
    if said is None:
        return missing
    if not isinstance(said, int | float | str):
        raise ValueError("start or end that is no time")  # noqa: TRY004 - counted with the others
    try:
        return float(said)
    except ValueError:
        raise ValueError("start or end that is no time") from None


def _rate(said: Any, path: str) -> float:  # noqa: ANN401 - whatever JSON holds
    """Return how many frames a second a folder of them has.

    Raises:
        ValueError: If a record says something else than a rate.
    """
    if said is not None:
        if not isinstance(said, int | float) or said <= 0:
            raise ValueError("fps is not a positive number")
        return float(said)
    return next((rate for name, rate in _RATES.items() if name in path.lower()), 1.0)


def _turns(said: Any) -> tuple[tuple[str, str], ...]:  # noqa: ANN401 - whatever JSON holds
    """Return a conversation from the first thing a user says to the last answer.

    Raises:
        ValueError: If there is no question with an answer.
    """
    if not isinstance(said, list):
        raise ValueError("no conversations")  # noqa: TRY004 - counted with the others
    turns = [(ROLES.get(str(t.get("from")), ""), t.get("value", "")) for t in said if isinstance(t, dict)]  # fmt: skip
    if not all(isinstance(text, str) for _, text in turns):
        raise ValueError("turns that are not texts")
    while turns and turns[0][0] != "user":
        turns = turns[1:]
    if len(turns) % 2:
        turns = turns[:-1]
    if not turns or any(role != ("user", "assistant")[n % 2] for n, (role, _) in enumerate(turns)):
        raise ValueError("no question followed by an answer")
    return tuple(turns)
