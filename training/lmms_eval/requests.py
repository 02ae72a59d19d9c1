"""What lmms-eval asks, as items: what is shown, when it is asked, and where an answer ends.

A request's pictures are a path to a film; a path with `start` and `end`; a path with the `moment` of a
question about a stream, its `context`, and the moment `until` which it is asked again until the answer
is yes; or pictures, which are shown one a second. Nothing here needs lmms-eval.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from training.errors import BadData
from training.evaluations.items import AskedWhen, Item, Media

LONGEST = 1024
"""Tokens of an answer, if a task does not say."""


def item_of(
    key: str,
    prompt: str,
    settings: Mapping[str, Any],
    visuals: Sequence[Any],
    folder: Path,
) -> Item:
    """Return a request as an item.

    Args:
        key: Names it.
        prompt: What is asked.
        settings: lmms-eval's generation settings; answers are greedy whatever they say.
        visuals: What is shown, as the task gives it.
        folder: Where pictures that are not files are put.

    Raises:
        BadData: If nothing that can be looked at is shown.
    """
    media, moment = _shown(key, visuals, folder)
    tokens = int(settings.get("max_new_tokens") or LONGEST)
    return Item(key, "", media, prompt, {}, tokens=tokens, moment=moment)


def ended(answer: str, settings: Mapping[str, Any]) -> str:
    """Return `answer` up to the first text at which a task wants it to end."""
    until = settings.get("until") or []
    for stop in [until] if isinstance(until, str) else until:
        answer = answer.split(stop)[0] if stop else answer
    return answer.strip()


def one_by_one(
    requests: Sequence[Sequence[Any]],
    docs: Mapping[str, Any],
    folder: Path,
) -> list[Item]:
    """Return every request's item.

    Args:
        requests: The arguments of lmms-eval's instances: prompt, settings, a function that shows a
            document, the document's number, task and split.
        docs: lmms-eval's documents by task and split.
        folder: Where pictures are put.
    """
    items = []
    for number, (prompt, settings, show, doc, task, split) in enumerate(requests):
        shown: Callable[[Any], Any] = show
        visuals = _as_list(shown(docs[task][split][doc]))
        items.append(item_of(f"{number}/{task}/{doc}", prompt, settings, visuals, folder))
    return items


@dataclass(slots=True)
class Rounds:
    """A request of several rounds, in which answers decide what is asked next.

    Attributes:
        number: Of the request.
        request: The arguments of lmms-eval's instance: prompt, settings, a function that shows a document, one that
            words the next round (lmms-eval's `doc_to_text`), the document's number, task and split.
        docs: lmms-eval's documents by task and split.
        answers: To the rounds so far.
    """

    number: int
    request: Sequence[Any]
    docs: Mapping[str, Any]
    answers: list[str] = field(default_factory=list)
    _told: Any = None

    def next(self, folder: Path) -> Item | None:
        """Return what is asked in the next round; None if it is over.

        Args:
            folder: Where pictures are put.

        Raises:
            BadData: If nothing that can be looked at is shown.
        """
        prompt, settings, show, word, number, task, split = self.request
        doc = self.docs[task][split][number]
        if not self.answers:
            visuals = show(doc)
        else:
            visuals, prompt, is_over, _, self._told = word(
                doc,
                previous_output=list(self.answers),
                round_idx=len(self.answers),
                previous_round_info=self._told,
            )
            if is_over:
                return None
        key = f"{self.number}/{task}/{number}/{len(self.answers)}"
        return item_of(key, prompt, settings, _as_list(visuals), folder)

    def add(self, answer: str) -> None:
        """Take the answer to the round that is on."""
        self.answers.append(ended(answer, self.request[1]))


def _as_list(visuals: Any) -> Sequence[Any]:  # noqa: ANN401 - whatever a task shows
    if visuals is None:
        return ()
    return visuals if isinstance(visuals, list | tuple) else [visuals]


def _shown(key: str, visuals: Sequence[Any], folder: Path) -> tuple[Media, AskedWhen | None]:
    if visuals and isinstance(visuals[0], str):
        more = visuals[1] if len(visuals) > 1 else {}
        if len(visuals) > 2 or not isinstance(more, Mapping):
            raise BadData(f"{key} shows {len(visuals)} films: one can be looked at at a time")
        moment = more.get("moment")
        media = Media(Path(visuals[0]), more.get("start"), more.get("end"))
        if moment is None:
            return media, None
        return media, AskedWhen(float(moment), more.get("context"), more.get("until"))
    if visuals and all(isinstance(picture, Image.Image) for picture in visuals):
        frames = folder / key.replace("/", "-")
        frames.mkdir(parents=True)
        for number, picture in enumerate(visuals):
            picture.convert("RGB").save(frames / f"{number}.png")
        return Media(frames), None
    kinds = sorted({type(visual).__name__ for visual in visuals}) or ["nothing"]
    raise BadData(f"{key} shows {', '.join(kinds)}: Flashback looks at films and pictures")
