"""What clips show of a thing that a question tells, and what lay so to it: the looking behind `relation.py`."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from model.vision.things import SURE, Thing
from model.vision.vocabulary import word_table
from stream.past.counted.places import lies
from stream.past.counted.relation_words import Described, How, Name
from stream.past.counted.words import named_with_article
from stream.past.presence import Shown, presence

_BLINK = 2
"""Clips in a row that may miss two things together, and they were together all the same."""
_OFTEN = 2
"""Clips of an occasion that must show a thing of which no other clip tells that it was there."""
_PART = 1 / 4
"""Share of a longer occasion's clips that must show a thing which may have slipped in, for it to be told with a "perhaps"."""
_MOST_DOUBTED = 2
_MOST_NAMED = 3


_Pair = tuple[int, Thing, Thing]
"""Number of a clip, a thing in it, and what it lay so to."""


@dataclass(frozen=True, slots=True)
class Sight:
    """One thing in one clip.

    Attributes:
        clip: Number of the clip.
        thing: What it shows.
        steady: Whether the thing was surely there, by the clips around.
    """

    clip: int
    thing: Thing
    steady: bool

    @property
    def plain(self) -> bool:
        """Whether the clip says it plainly."""
        return self.thing.sure >= SURE


@dataclass(frozen=True, slots=True)
class Found:
    """What clips show of a thing that a question tells.

    Attributes:
        name: As it is said of it: "the cat".
        words: That it may be.
        sights: Of it, oldest first.
        passed: Words of the things that it was told by, which are no news.
        missing: What is said if there is nothing of it; else empty.
    """

    name: str
    words: frozenset[int]
    sights: Sequence[Sight] = ()
    passed: frozenset[int] = frozenset()
    missing: str = ""

    @property
    def clips(self) -> list[int]:
        """Numbers of the clips that show it."""
        return sorted({sight.clip for sight in self.sights})

    @property
    def plain(self) -> bool:
        """Whether any clip shows it plainly."""
        return any(sight.plain for sight in self.sights)

    def steady(self, clips: Iterable[int]) -> bool:
        """Say whether it was surely there in one of `clips`."""
        wanted = set(clips)
        return any(sight.steady for sight in self.sights if sight.clip in wanted)


@dataclass(frozen=True, slots=True)
class Beside:
    """What lay so to a thing.

    Attributes:
        things: It, as each clip has it.
        anchors: What it lay so to, in the same clips.
        clips: Their numbers.
        sure: Whether that is surely so.
    """

    things: Sequence[Thing]
    anchors: Sequence[Thing]
    clips: Sequence[int]
    sure: bool

    @property
    def doubt(self) -> tuple[float, int]:
        """How unsure it is, to sort by."""
        pairs = zip(self.things, self.anchors, strict=True)
        return -max(min(a.sure, b.sure) for a, b in pairs), self.things[0].word


class Footage:
    """Clips, in which things are looked for.

    Args:
        clips: What was shown, oldest first.
    """

    blink = _BLINK

    def __init__(self, clips: Sequence[Shown]) -> None:
        self.clips = clips
        self._there = presence(clips)

    def find(self, told: Described) -> Found:
        """Return what clips show of a thing by its name, or by what it lay so to."""
        if told.of is None or told.how is None:
            return self._named(told.name) if told.name else Found("it", frozenset())
        of = self.find(told.of)
        if of.missing:
            return of
        beside = self.beside(of, told.how, told.name.words if told.name else None)
        if not beside:
            what = named_with_article(told.name.name) if told.name else "anything"
            return Found("", frozenset(), missing=f"I have not seen {what} {told.said} {of.name}.")
        beside = [one for one in beside if one.sure] or beside
        # Of "the dog beside the car" that dog is meant; "the thing beside it" may be met anywhere again.
        words = frozenset(thing.word for one in beside for thing in one.things)
        passed = of.words | of.passed
        names = [f"the {word_table()[one.things[0].word].name}" for one in beside[:_MOST_NAMED]]
        sights = self._sights(words, None)
        if told.name is not None and len(told.name.words) == 1:
            there = {n for one in beside for n in one.clips}
            sights = [sight for sight in sights if sight.clip in there]
        return Found(" or ".join(names), words, sights, passed)

    def beside(self, of: Found, how: How, only: frozenset[int] | None) -> list[Beside]:
        """Return what lay so to what was found, the most often seen first, what is doubtful last.

        Args:
            of: To what.
            how: How.
            only: Words that it may be; None is any.
        """
        sure: dict[int, list[_Pair]] = defaultdict(list)
        doubted: dict[int, list[_Pair]] = defaultdict(list)
        for occasion in _occasions(of.sights):
            surely, perhaps = self._of_occasion(occasion, how, of, only)
            for found, told in ((surely, sure), (perhaps, doubted)):
                for word, seen in found.items():
                    told[word] += seen
        certain = [_beside(seen, sure=True) for seen in sure.values()]
        certain.sort(key=lambda one: (-len(one.clips), one.clips[0]))
        doubtful = [_beside(seen, sure=False) for word, seen in doubted.items() if word not in sure]
        return certain + sorted(doubtful, key=lambda one: one.doubt)[:_MOST_DOUBTED]

    def _of_occasion(
        self, occasion: Sequence[Sight], how: How, of: Found, only: frozenset[int] | None
    ) -> tuple[dict[int, list[_Pair]], dict[int, list[_Pair]]]:
        """Return by word what lay so on one occasion: surely, and perhaps."""
        long = len({sight.clip for sight in occasion})
        steady = any(sight.steady for sight in occasion)
        surely: dict[int, list[_Pair]] = {}
        perhaps: dict[int, list[_Pair]] = {}
        for word, seen in self._lying_so(occasion, how, of).items():
            plain = [one for one in seen if one[1].sure >= SURE]
            showing = {n for n, *_ in plain}
            if only is not None and word not in only:
                continue
            if steady and self._no_slip(word, showing, alone=long == 1):
                surely[word] = plain
            elif long == 1 or len(showing) >= _PART * long:
                perhaps[word] = plain or seen
        return surely, {} if surely and long > 1 else perhaps

    def _no_slip(self, word: int, clips: set[int], *, alone: bool) -> bool:
        """Say whether a thing that `clips` show was surely there, by those around or by themselves.

        Args:
            word: Which.
            clips: Their numbers.
            alone: Whether no clip around shows what it is asked to have been with.
        """
        stretches = self._there.get(word, ())
        lasting = any(
            s.last > s.first or alone for s in stretches for n in clips if s.first <= n <= s.last
        )
        return lasting or len(clips) >= _OFTEN

    def together(self, one: Found, of: Found) -> dict[int, list[tuple[Thing, Thing]]]:
        """Return by clip the pairs of two things that it plainly shows both of, or else half."""
        by_clip = _by_clip(of.sights)
        pairs: dict[int, list[tuple[Thing, Thing]]] = defaultdict(list)
        for sight in one.sights:
            for other in by_clip.get(sight.clip, ()):
                if other.thing.word != sight.thing.word:
                    pairs[sight.clip].append((sight.thing, other.thing))
        return pairs

    def _named(self, name: Name) -> Found:
        sights = self._sights(name.words, name.colour)
        said = named_with_article(name.name)
        missing = "" if sights else f"I have not seen {said}."
        said = said if said == "anyone" else f"the {name.name}"
        return Found(said, name.words, sights, missing=missing)

    def _sights(self, words: frozenset[int], colour: int | None) -> list[Sight]:
        """Return where things of `words` are plainly seen; of those that never are, where they are surest."""
        seen = [
            Sight(n, thing, self._is_there(thing.word, n))
            for n, clip in enumerate(self.clips)
            for thing in clip.things
            if thing.word in words and colour in {None, thing.colour}
        ]
        if plain := [sight for sight in seen if sight.plain]:
            return plain
        return [max(seen, key=lambda sight: sight.thing.sure)] if seen else []

    def _is_there(self, word: int, clip: int) -> bool:
        return any(s.first <= clip <= s.last for s in self._there.get(word, ()))

    def _lying_so(self, occasion: Sequence[Sight], how: How, of: Found) -> dict[int, list[_Pair]]:
        """Return by word what clips of an occasion show that lies so: clip, it, and to what."""
        found: dict[int, list[_Pair]] = defaultdict(list)
        known = of.words | of.passed
        for n, sights in _by_clip(occasion).items():
            for thing in self.clips[n].things:
                if thing.word in known:
                    continue
                for anchor in (sight.thing for sight in sights):
                    held = lies(thing, how, anchor)
                    if held or (held is None and how in {"beside", "near"}):
                        found[thing.word].append((n, thing, anchor))
                        break
        return found


def _occasions(sights: Sequence[Sight]) -> Iterator[list[Sight]]:
    """Yield sights in runs of clips, one after the other."""
    run: list[Sight] = []
    for sight in sights:
        if run and sight.clip > run[-1].clip + 1:
            yield run
            run = []
        run.append(sight)
    if run:
        yield run


def _by_clip(sights: Iterable[Sight]) -> Mapping[int, list[Sight]]:
    found: dict[int, list[Sight]] = defaultdict(list)
    for sight in sights:
        found[sight.clip].append(sight)
    return found


def _beside(seen: Sequence[_Pair], *, sure: bool) -> Beside:
    clips, things, anchors = zip(*seen, strict=True)
    return Beside(things, anchors, sorted(set(clips)), sure)
