"""Questions about video files, with what a right answer looks like: the folder that `eval real` reads.

`cases.json` is a list of `{"film", "kind", "question", "accept"}`: `film` is a path inside the folder,
`accept` a regular expression that is searched for in the answer in lower case.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from stream.errors import NoVideo
from stream.file.film import open_film
from training.errors import BadData

FIELDS = ("film", "kind", "question", "accept")

ALL = "all"
"""The name of all kinds together, where results are counted."""


@dataclass(frozen=True, slots=True)
class FilmCase:
    """One question about one film.

    Attributes:
        film: The video file.
        kind: What sort of question it is; results are counted by it.
        question: In words.
        accept: Found in the lower-cased answer if that is right.
    """

    film: Path
    kind: str
    question: str
    accept: re.Pattern[str]

    def is_right(self, answer: str) -> bool:
        """Say whether `answer` is right."""
        return self.accept.search(answer.lower()) is not None


def read_cases(folder: Path) -> list[FilmCase]:
    """Return the questions of `folder`; every film that they name is there and can be opened.

    Raises:
        BadData: If the folder or its list is missing, or something in it cannot be used.
    """
    if not folder.is_dir():
        raise BadData(f"{folder} is not a folder: name one that holds cases.json and its films")
    listed = folder / "cases.json"
    try:
        entries = json.loads(listed.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadData(f"{folder} holds no cases.json: put the list of questions there") from None
    except (ValueError, OSError) as error:
        raise BadData(f"{listed} cannot be read as JSON: {error}") from None
    if not isinstance(entries, list) or not entries:
        raise BadData(f"{listed} must be a list of questions, with one at least")
    cases = [_case(folder, f"entry {n} of {listed}", entry) for n, entry in enumerate(entries)]
    for film in dict.fromkeys(case.film for case in cases):
        _check_film(film)
    return cases


def choose(
    cases: Sequence[FilmCase], kinds: Iterable[str] | None, limit: int | None
) -> list[FilmCase]:
    """Return the cases of `kinds`, and of those `limit` spread evenly; None leaves out neither.

    Raises:
        BadData: If no case is of one of the kinds.
    """
    known = dict.fromkeys(case.kind for case in cases)
    wanted = known if kinds is None else dict.fromkeys(kinds)
    if unknown := [kind for kind in wanted if kind not in known]:
        raise BadData(
            f"no question is of the kind {', '.join(unknown)}; there is {', '.join(known)}"
        )
    chosen = [case for case in cases if case.kind in wanted]
    count = len(chosen) if limit is None else min(limit, len(chosen))
    return [chosen[n * len(chosen) // count] for n in range(count)]


def _case(folder: Path, where: str, entry: object) -> FilmCase:
    if not isinstance(entry, dict) or not all(isinstance(entry.get(f), str) for f in FIELDS):
        raise BadData(f"{where} needs {', '.join(FIELDS)}, each a text")
    if empty := [field for field in FIELDS if not entry[field].strip()]:
        raise BadData(f"{where} has an empty {empty[0]}")
    if entry["kind"] == ALL:
        raise BadData(f"{where} is of the kind {ALL}, which stands for all kinds together")
    try:
        accept = re.compile(entry["accept"])
    except re.error as error:
        raise BadData(
            f"{where}: accept is not a regular expression ({error}): {entry['accept']}"
        ) from None
    return FilmCase(folder / entry["film"], entry["kind"], entry["question"], accept)


def _check_film(film: Path) -> None:
    try:
        container, _ = open_film(film)
    except NoVideo as error:
        raise BadData(str(error)) from None
    container.close()
