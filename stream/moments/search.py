"""Finds moments by words ("red car", "two dogs on the left", "golden retriever") in clips' things.

    text --read_search--> Search --find--> stretches of neighbouring clips that fit, the best first

Words, colours, counts, places and directions are read by the rules of watches. Kinds are read beside
them: a clip says which kind of dog it shows where its classifier was sure.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from model.vision.things import Thing
from model.vision.vocabulary import WordTable
from stream.past.presence import Shown
from stream.past.thing_index import Remembered
from stream.watches.condition import Condition, describe
from stream.watches.matcher import compile_condition
from stream.watches.words.clauses import understand
from stream.watches.words.lexicon import Lexicon

_LEAST_SURE = 0.25
"""Below it a clip does not fit: half of what is said with a perhaps."""
_MISSES = 2
"""Clips in a row between two that fit, which do not part a stretch: eyes blink."""
_PAUSE = 30.0
"""Seconds without a clip that part it."""
_OF_SOME_KIND = 0.5
"""What a thing of no sure kind counts where a kind was named."""
_SEVERAL = 4


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for.

    Attributes:
        condition: What a clip has to show.
        kinds: By the word that they are kinds of: those that were named.
        unmatched: Parts of the text that no clip can be matched on.
        notes: Sentences that the person should read beside it.
    """

    condition: Condition
    kinds: Mapping[int, frozenset[int]]
    unmatched: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundStretch:
    """A stretch of neighbouring clips that fit.

    Attributes:
        stream: Where.
        start: Its first media second.
        end: Its last.
        best: The clip in it that fits best.
        score: How sure it is that this shows what is looked for, 0 to 1.
        clips: How many clips of it fit.
        at: Unix second of its end.
    """

    stream: str
    start: float
    end: float
    best: Shown
    score: float
    clips: int
    at: float


def read_search(text: str, lexicon: Lexicon) -> Search:
    """Return what `text` looks for.

    Raises:
        BadInput: If there is nothing in it that clips can be matched on.
    """
    plain, kinds = _take_kinds(text.lower(), lexicon)
    read = understand(plain if kinds else text, lexicon, done="looked for", example="a red car")
    notes = list(read.notes)
    if read.condition.hold_s and not read.condition.negative:
        notes.append("How long something lasts is not looked for; a watch can wait for it.")
    condition = replace(read.condition, hold_s=0.0, after_seen=False)
    return Search(condition, kinds, read.unmatched, tuple(notes))


def describe_search(search: Search, table: WordTable) -> str:
    """Say in a sentence what is looked for, so that a person can see what was understood."""
    kinds = [table[word].kinds[k] for word, named in search.kinds.items() for k in sorted(named)]
    said = describe(search.condition, table)
    return f"{said} ({' or '.join(kinds)})" if kinds else said


def find(search: Search, remembered: Iterable[Remembered], table: WordTable) -> list[FoundStretch]:
    """Return every stretch that fits `search`: the surest first, of like ones the longer, the newer."""
    matchers = compile_condition(search.condition, table)
    found: list[FoundStretch] = []
    for stream in remembered:
        scores = (matchers(_of_kinds(s.things, search.kinds)).score for s in stream.clips)
        fitting = [
            (place, clip, score)
            for place, (clip, score) in enumerate(zip(stream.clips, scores, strict=True))
            if score >= _LEAST_SURE
        ]
        found += [_found(stream, stretch) for stretch in _stretches(fitting)]
    # A single clip may be a slip of the eye; several that say so are not.
    return sorted(found, key=lambda f: (-round(f.score, 1), -min(f.clips, _SEVERAL), -f.at))


_Fit = tuple[int, Shown, float]


def _stretches(fitting: Iterable[_Fit]) -> Iterator[list[_Fit]]:
    stretch: list[_Fit] = []
    for place, clip, score in fitting:
        if stretch and (
            place - stretch[-1][0] > _MISSES + 1 or clip.start - stretch[-1][1].end > _PAUSE
        ):
            yield stretch
            stretch = []
        stretch.append((place, clip, score))
    if stretch:
        yield stretch


def _found(stream: Remembered, stretch: Sequence[_Fit]) -> FoundStretch:
    _, best, score = max(stretch, key=lambda fit: fit[2])
    end = stretch[-1][1].end
    return FoundStretch(
        stream.stream, stretch[0][1].start, end, best, score, len(stretch), stream.began + end
    )


def _of_kinds(things: Sequence[Thing], kinds: Mapping[int, frozenset[int]]) -> Sequence[Thing]:
    """Return `things` without those of other kinds than were named."""
    if not kinds:
        return things
    kept = []
    for thing in things:
        wanted = kinds.get(thing.word)
        if wanted is None or thing.kind in wanted:
            kept.append(thing)
        elif thing.kind is None:
            kept.append(replace(thing, sure=thing.sure * _OF_SOME_KIND))
    return kept


def _take_kinds(text: str, lexicon: Lexicon) -> tuple[str, dict[int, frozenset[int]]]:
    """Return `text` with the names of kinds as the words that they are kinds of, and which they are."""
    named: dict[int, set[int]] = {}
    for name, (word, kind) in _kinds_of(lexicon).items():
        if name not in text:
            continue
        text, count = re.subn(rf"\b{re.escape(name)}(?:s|es)?\b", lexicon.table[word].name, text)
        if count:
            named.setdefault(word, set()).add(kind)
    return text, {word: frozenset(kinds) for word, kinds in named.items()}


def _kinds_of(lexicon: Lexicon) -> dict[str, tuple[int, int]]:
    """Return word and class by the name of a kind, the longest names first; not what words name already."""
    found = {
        name.lower(): (number, kind)
        for number, word in enumerate(lexicon.table.words)
        for kind, name in word.kinds.items()
        if not lexicon.find(name.lower().split(), 0)[0]
    }
    return dict(sorted(found.items(), key=lambda pair: -len(pair[0])))
