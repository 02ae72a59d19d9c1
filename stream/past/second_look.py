"""Which originals a question is answered from, once a folded history has said where to look.

A block that stands for minutes says what was there, not exactly when, where or how often. So what the
blocks have that a question names is fetched from memory as it was seen, and answers. Where the model's
tokens have words (`lite`), those of the question and of the blocks are compared (`shown`): that costs
nothing, and is sure; nor has anything else to be read of a history that is not at hand. Else the question is put to the folded history, and its evidence says where
(`named`). Where nothing that is folded is named there is nothing more to be seen.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from model.types import ClipTokens, Evidence
from model.vision.things import SURE, Thing
from model.vision.vocabulary import WordTable, plurals_of, word_table
from stream.past.ends import asked_end

NAMED = 8
"""Blocks that are looked at again, at most."""
MOST_SECONDS = 2400.0
"""Media seconds that all of them may span; a block longer than what is left is passed over."""
BLOCKS = 32
"""What they are folded to, at most: they are read while someone waits."""
SHOWN_BLOCKS = 14
"""The same of what words led to, which needs less."""
_STRETCHES = 3
"""What is shown more often than that is in the folded history often enough."""
_AT_AN_END = 12
"""Clips that are read of the beginning, or of the present."""
_NEIGHBOURS = 2
"""Clips before and after what is shown, which are looked at with it."""
_LONGEST_NAME = 4

Span = tuple[float, float]

_WIDER = re.compile(
    r"\b(since|until|till|else|besides|except|happen\w*|how often|times|other|others|all|every\w*)\b"
)
"""Asks about more than what it names."""
NOT_SHOWN = re.compile(r"\b(?:the|this|your) (?:screen|camera|cameras|monitor|stage|field)\b")
"""Where something is seen, not what is seen."""


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One clip or block of a history.

    Attributes:
        tokens: As the language model reads it.
        things: What it shows.
    """

    tokens: ClipTokens
    things: Sequence[Thing]


def shown(question: str, history: Sequence[HistoryEntry], frames: int) -> list[Span]:
    """Return the spans of `history` that a question is about: an end, or what shows what it names.

    What shows something comes with its neighbours. Of what was shown nowhere the newest clips can say so as
    well as all. None if it asks about more, if what it names was shown all over the place, or if so much is
    about it that too much would have to be read.

    Args:
        question: In words.
        history: Oldest first.
        frames: That a clip has which is not folded.
    """
    if not history:
        return []
    if (end := asked_end(question)) is not None:
        return [_at_end(history, frames, first=end == "first")]
    plain = NOT_SHOWN.sub(" ", question.lower())
    words = named_words(plain, word_table()) if not _WIDER.search(plain) else frozenset()
    if not words:
        return []
    showing = _showing(words, history, SURE) or _showing(words, history, 0.0)
    if not showing:
        return [_at_end(history, frames, first=False)]
    stretches = list(_stretches(showing))
    spans = [(history[first].tokens, history[last].tokens) for first, last in stretches]
    long = sum(last.end - first.start for first, last in spans)
    folded = any(history[number].tokens.frames > frames for number in showing)
    # Clips as they were seen are not folded for a second look.
    many = not folded and len(showing) + 2 * _NEIGHBOURS * len(spans) > SHOWN_BLOCKS
    if many or len(spans) > _STRETCHES or long > MOST_SECONDS:
        return []
    return list(_apart(_with_neighbours(history, stretches, frames)))


def _showing(words: frozenset[int], history: Sequence[HistoryEntry], sure: float) -> list[int]:
    """Return the numbers of what shows one of `words`, and is so sure of it."""
    return [
        number
        for number, seen in enumerate(history)
        if any(thing.word in words and thing.sure >= sure for thing in seen.things)
    ]


def _at_end(history: Sequence[HistoryEntry], frames: int, *, first: bool) -> Span:
    """Return where the first clips, or the newest, of `history` lie."""
    start, end = history[0].tokens.start, history[-1].tokens.end
    wanted = float(_AT_AN_END)
    for one in history if first else reversed(history):
        long = _clip_seconds(one.tokens, frames)
        clips = max(1.0, one.tokens.frames / frames)
        if clips >= wanted:
            if first:
                return start, one.tokens.start + (wanted - 0.5) * long
            # Before the start of the last one wanted, which is some of its length before its end.
            return max(one.tokens.start, one.tokens.end - (wanted + 0.25) * long), end
        wanted -= clips
    return start, end


def named_words(text: str, table: WordTable) -> frozenset[int]:
    """Return the numbers of the words of `table` that `text` names, of longer names the longest."""
    return frozenset(number for name in names_in(text, table) for number in name.words)


@dataclass(frozen=True, slots=True)
class _ThingName:
    """The name of a thing in a text.

    Attributes:
        start: Its first character.
        end: Behind its last one.
        words: The numbers of the words that it covers.
    """

    start: int
    end: int
    words: frozenset[int]


def names_in(text: str, table: WordTable) -> Iterator[_ThingName]:
    """Yield the names of things in `text`, in their order, of longer names the longest."""
    names = _names(table)
    tokens = list(re.finditer(r"[\w-]+", text.lower()))
    at = 0
    while at < len(tokens):
        for length in range(min(_LONGEST_NAME, len(tokens) - at), 0, -1):
            part = tokens[at : at + length]
            if words := names.get(" ".join(token[0] for token in part)):
                yield _ThingName(part[0].start(), part[-1].end(), frozenset(words))
                break
        at += length


@cache
def _names(table: WordTable) -> dict[str, list[int]]:
    names: dict[str, list[int]] = {}
    for number, word in enumerate(table.words):
        kinds = [name.lower() for name in word.kinds.values()]
        for name in {word.name, word.plural, *word.others, *word.broader, *kinds}:
            names.setdefault(name, []).append(number)
            for plural in plurals_of(name):
                names.setdefault(plural, []).append(number)
    return names


def _stretches(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last of every run of neighbours."""
    first = last = -1
    for number in numbers:
        if last < 0 or number > last + 1:
            if last >= 0:
                yield first, last
            first = number
        last = number
    if last >= 0:
        yield first, last


def _with_neighbours(
    history: Sequence[HistoryEntry], stretches: Iterable[tuple[int, int]], frames: int
) -> Iterator[Span]:
    for first, last in stretches:
        start, end = history[first].tokens.start, history[last].tokens.end
        before = history[max(first - 1, 0)].tokens
        after = history[min(last + 1, len(history) - 1)].tokens
        yield (
            max(before.start, start - _NEIGHBOURS * _clip_seconds(before, frames)),
            min(after.end, end + _NEIGHBOURS * _clip_seconds(after, frames)),
        )


def _clip_seconds(tokens: ClipTokens, frames: int) -> float:
    """Return how long clips are in which so many frames are taken, as in `tokens`, of one or many."""
    return frames * (tokens.end - tokens.start) / max(tokens.frames - 1, 1)


def _apart(spans: Iterable[Span]) -> Iterator[Span]:
    """Yield `spans`, oldest first, those that touch as one."""
    reached: Span | None = None
    for start, end in spans:
        if reached is not None and start <= reached[1]:
            reached = (reached[0], max(end, reached[1]))
            continue
        if reached is not None:
            yield reached
        reached = (start, end)
    if reached is not None:
        yield reached


def named(evidence: Sequence[Evidence], clip_seconds: float) -> list[Span]:
    """Return the spans to look at again, with their neighbours, oldest first; none if none is folded.

    Args:
        evidence: Of the folded history, oldest first.
        clip_seconds: Length of a clip that is not folded, at most.
    """
    chosen: set[int] = set()
    left = MOST_SECONDS
    order = sorted(range(len(evidence)), key=lambda n: (-evidence[n].score, -n))
    for number in order[:NAMED]:
        for near in (number, number - 1, number + 1):
            if 0 <= near < len(evidence) and near not in chosen:
                seconds = evidence[near].end - evidence[near].start
                if seconds <= left and (near == number or seconds <= left / NAMED):
                    chosen.add(near)
                    left -= seconds
    spans = [(evidence[n].start, evidence[n].end) for n in sorted(chosen)]
    return spans if any(end - start > clip_seconds for start, end in spans) else []
