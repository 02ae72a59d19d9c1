"""What is counted, not written by the language model: how long a thing was there, and all of one sort.

    "How long was the cat shown?"       "For 18 seconds in all: from 0:09 to 0:18 and from 2:33 to 2:42."
    "What animals have you seen?"       "A cat, an elephant and a penguin."

A small language model finds what stands in its history. When something was gone stands nowhere in it,
nor is it good at sums or at looking through everything for a sort. The things of clips say it plainly
(`stream/past/presence.py`), as the summary tells them, so what they say is the answer. Which
questions are such is a grammar that the whole question has to fit, with names from the table of words.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from model.types import Evidence, Finish, Question, Usage, Words
from model.vision.vocabulary import WordTable, with_article, word_table
from stream.past.presence import Shown, Stretch, parted, presence
from stream.past.second_look import Seen, named_words

_MOST_STRETCHES = 4
_MOST_NAMES = 12
_LONGEST = 200  # characters of what can still be such a question
_GAP = 4.0
"""Seconds to the next clip up to which what a clip shows is taken to go on."""

_NOW = r"(?: (?:so far|in all|in total|altogether|until now|already|here|there|now|please|today))*"
_SHOWN = r"(?: (?:been )?(?:shown|there|visible|seen|present|around|here|on screen|on the screen|in view|in sight|in the (?:picture|video|film|stream|frame)|stay|last|remain|appear))*"  # fmt: skip
_HOW_LONG = re.compile(
    r"(?:for |and )*how (?:long|much time|many (?:seconds|minutes|hours)) (?:was|were|is|are|has|have|had|did|does|could|can)"
    rf" (?:(?:you|i|we) (?:see|seen|watch) )?(?:there (?:been )?)?(?:the |a |an |any |this |that |these |those )?(?P<name>[a-z' -]+?){_SHOWN}{_NOW}"
)  # fmt: skip
_SEEN = r"(?: (?:have|did|had) you (?:all )?(?:see|seen|notice|noticed|spot|spotted)| you (?:have )?(?:seen|saw)| (?:(?:was|were|are|have been|has been|did) ?)(?:there|shown|seen|visible|appear)+| (?:came|appeared)| there (?:were|have been))"  # fmt: skip
_SORT = re.compile(
    rf"(?:and )?(?:(?:what|which)(?: (?:kinds?|sorts?|types?) of)?|(?:list|name|tell me)(?: all)?(?: the| which| what)?) (?P<name>[a-z ]+?){_SEEN}(?: (?:in the (?:video|film|stream)))?{_NOW}"
)  # fmt: skip
_LISTED = re.compile(rf"(?:please )?(?:list|name) (?:all )?(?:the )?(?P<name>[a-z ]+?){_NOW}")


@dataclass(frozen=True, slots=True)
class Counting:
    """What is to be counted.

    Attributes:
        name: As the question says it.
        words: The numbers of the words that it covers.
        sort: Whether all of a sort are asked for; else how long the thing was there.
    """

    name: str
    words: frozenset[int]
    sort: bool


def asks_to_count(text: str) -> Counting | None:
    """Return what `text` asks to count; None if it asks for something else, or names what has no word.

    Args:
        text: Its last line is what was asked.
    """
    asked = text.rpartition("\n")[2]
    if len(asked) > _LONGEST:
        return None
    plain = " ".join(re.findall(r"[a-z'-]+|[^\sa-z,.;:!?]", asked.lower()))
    table = word_table()
    if found := _HOW_LONG.fullmatch(plain):
        return _one(found["name"].strip(), table)
    if found := _SORT.fullmatch(plain) or _LISTED.fullmatch(plain):
        name = found["name"].strip()
        if words := _sorts(table).get(name):
            return Counting(name, words, sort=True)
    return None


def count(asked: Counting, history: Sequence[Seen], question: Question) -> tuple[Words, Finish]:
    """Return the answer, with the clips that show what was counted as its evidence.

    Args:
        asked: What is counted.
        history: What was shown, oldest first.
        question: Says whether more is to come.
    """
    clips = [Shown(s.tokens.start, s.tokens.end, tuple(s.things)) for s in history]
    there = {word: stretches for word, stretches in presence(clips).items() if word in asked.words}
    stretches = _joined(sorted((s.first, s.last) for own in there.values() for s in own))
    if asked.sort:
        text = _named(asked, there)
    else:
        live = question.until is None and question.duration is None
        text = _lasted(asked, stretches, clips, live=live)
    showing = [clips[n] for s in stretches for n in range(s.first, s.last + 1)]
    evidence = tuple(Evidence(c.start, c.end, 1 / len(showing)) for c in showing)
    frames = sum(s.tokens.frames for s in history)
    start, end = (clips[0].start, clips[-1].end) if clips else (0.0, 0.0)
    usage = Usage(len(clips), frames, 0, 0, 0, 0, start, end)
    return Words(text), Finish("stop", evidence, usage)


def _one(name: str, table: WordTable) -> Counting | None:
    """Return the counting of one thing, if all of `name` is the name of it."""
    words = named_words(name, table)
    for word in words:
        known = table[word]
        names = {known.name, known.plural, *known.others, *known.broader, *known.kinds.values()}
        if name in {form.lower() for n in names for form in (n, f"{n}s")}:
            return Counting(name, words, sort=False)
    return None


@cache
def _sorts(table: WordTable) -> dict[str, frozenset[int]]:
    """Return the words of every sort, by its plural and its name."""
    words: dict[str, set[int]] = {}
    for number, word in enumerate(table.words):
        for sort in word.broader:
            for form in (sort, _plural(sort)):
                words.setdefault(form, set()).add(number)
    return {name: frozenset(numbers) for name, numbers in words.items()}


def _plural(sort: str) -> str:
    irregular = {"clothing": "clothes", "furniture": "pieces of furniture", "fish": "fish"}
    return irregular.get(sort, f"{sort}s")


def _joined(stretches: Sequence[tuple[int, int]]) -> list[Stretch]:
    """Return stretches of several words as those in which any of them was there."""
    found: list[Stretch] = []
    for first, last in stretches:
        if found and first <= found[-1].last + 1:
            found[-1] = Stretch(found[-1].first, max(last, found[-1].last))
        else:
            found.append(Stretch(first, last))
    return found


def _named(asked: Counting, there: dict[int, list[Stretch]]) -> str:
    if not there:
        return f"I have not seen any {asked.name}."
    table = word_table()
    in_order = sorted(there, key=lambda word: (there[word][0].first, word))
    names = [with_article(table[word].name) for word in in_order]
    if len(names) > _MOST_NAMES:
        names = [*names[: _MOST_NAMES - 1], f"{len(names) - _MOST_NAMES + 1} more"]
    said = _listed(names)
    return f"{said[0].upper()}{said[1:]}."


def _lasted(
    asked: Counting, stretches: Sequence[Stretch], clips: Sequence[Shown], *, live: bool
) -> str:
    if not stretches:
        return f"I have not seen {with_article(asked.name)}."
    spans = [(clips[s.first].start, _until(s, clips)) for s in stretches]
    total = _length(sum(end - start for start, end in spans))
    if live and stretches[-1].last == len(clips) - 1 and len(spans) == 1:
        return f"For {total} so far, since {minutes(spans[0][0])}."
    if len(spans) > _MOST_STRETCHES:
        return f"For {total} in all, {len(spans)} times, from {minutes(spans[0][0])} to {minutes(spans[-1][1])}."  # fmt: skip
    said = _listed([f"from {minutes(start)} to {minutes(end)}" for start, end in spans])
    return f"For {total}, {said}." if len(spans) == 1 else f"For {total} in all: {said}."


def _until(stretch: Stretch, clips: Sequence[Shown]) -> float:
    """Return when what a stretch shows was gone: as the next clip begins, if that follows at once."""
    last = clips[stretch.last]
    if stretch.last + 1 == len(clips):
        return last.end
    after = clips[stretch.last + 1]
    near = after.start - last.end <= _GAP and not parted(last, after)
    return after.start if near else last.end


def minutes(media: float) -> str:
    """Return a media second as 1:05, or 1:00:05."""
    whole, seconds = divmod(round(media), 60)
    hours, whole = divmod(whole, 60)
    return f"{hours}:{whole:02}:{seconds:02}" if hours else f"{whole}:{seconds:02}"


def _length(seconds: float) -> str:
    """Return "1 second", "2 minutes and 5 seconds", "3 hours and 10 minutes"."""
    whole = max(1, round(seconds))
    parts = ((whole // 3600, "hour"), (whole // 60 % 60, "minute"), (whole % 60, "second"))
    said = [f"{n} {unit}{'' if n == 1 else 's'}" for n, unit in parts if n]
    return " and ".join(said[:2])


def _listed(names: Sequence[str]) -> str:
    """Return "a", "a and b", "a, b and c"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
