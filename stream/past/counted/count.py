"""What is counted, not written by the language model: when, how long and how often things were there.

    "How long was the cat shown?"       "For 18 seconds in all: from 0:09 to 0:18 and from 2:33 to 2:42."
    "Is the cat still there?"           "Not now. Last seen at 2:42."
    "What animals have you seen?"       "A cat, an elephant and a penguin."

A small language model finds what stands in its history. When something was gone stands nowhere in it,
nor is it good at sums, at several showings of one thing, or at looking through everything for a sort.
The things of clips say it plainly (`stream/past/presence.py`), as the summary tells them, so what they
say is the answer. Which questions are such, `stream/past/counted/words.py` knows.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from model.types import Evidence, Finish, Question, Usage, Words
from model.vision.things import SURE
from model.vision.vocabulary import with_article, word_table
from stream.past.counted.about import about, as_most_say, how_it_was
from stream.past.counted.answers import There, of_one, of_two, shown_when, spans_of
from stream.past.counted.changed import last_change
from stream.past.counted.looks import looks
from stream.past.counted.order import in_time
from stream.past.counted.relation import relate
from stream.past.counted.relation_words import Relation
from stream.past.counted.stretches import joined, until
from stream.past.counted.words import Counting
from stream.past.presence import Shown, Stretch, clear_colour, presence, sure_enough
from stream.past.timing.how_long import how_long
from stream.past.wording import length, listed, minutes, number, sentence, times

_MOST_NAMES = 12
_MOST_ALIKE = 5
_FEW = 30
"""Clips among which none is to be expected that shows something by a slip of the eye."""
_HALF = 1000
"""Clips among which one that half shows a thing by mistake is likelier than one that half shows what was there."""
_OF_BEING_THERE = frozenset({"seen", "ever", "when"})
_OF_SHOWINGS = frozenset({"colour", "way", "place", "whereabouts", "when"})
"""Kinds that ask how, where or when something was, which has to have been there."""


def count(
    asked: Counting | Relation, clips: Sequence[Shown], question: Question
) -> tuple[Words, Finish] | None:
    """Return the answer, with the clips that show what was counted as its evidence.

    None if the language model is to say it: how many there are of what is there, whether there was what no clip shows plainly,
    how something looks or moves, or where it is, that clips do not agree on.

    Args:
        asked: What is counted.
        clips: What was shown, oldest first; not nothing.
        question: Says whether more is to come.
    """
    if (told := _told(asked, clips, question)) is None:
        return None
    text, showing = told
    evidence = tuple(Evidence(clips[n].start, clips[n].end, 1 / len(showing)) for n in showing)
    frames = sum(clip.frames for clip in clips)
    usage = Usage(len(clips), frames, 0, 0, 0, 0, clips[0].start, clips[-1].end)
    return Words(text), Finish("stop", evidence, usage)


def _told(
    asked: Counting | Relation, clips: Sequence[Shown], question: Question
) -> tuple[str, list[int]] | None:
    """Return the answer in words, and the numbers of the clips that show it."""
    if isinstance(asked, Relation):
        return relate(asked, clips, question)
    if asked.other is not None:
        return _of_two_things(asked, asked.other, clips, question)
    match asked.kind:
        case "changed":
            return last_change(clips)
        case "nth" | "scenes" | "span":
            return in_time(asked, clips)
        case "moved" | "colours" | "coloured":
            return looks(asked, clips)
        case "longest" | "shortest" | "oftenest" | "rarest":
            return _ranked(asked, clips)
        case "sort" | "kinds" | "things":
            return _of_a_sort(asked, clips)
    return _of_one_thing(asked, clips, question)


def _of_one_thing(
    asked: Counting, clips: Sequence[Shown], question: Question
) -> tuple[str, list[int]] | None:
    there = _there(asked, clips, question)
    if asked.kind == "next":
        return in_time(asked, clips, there) if there.spans else None
    if asked.kind in {"seen", "still"} and asked.colour is not None and not there.spans:
        return _otherwise_coloured(asked, clips, question)
    if asked.kind == "long" and there.spans:
        return how_long(asked, there), there.clips
    if asked.kind == "seen" and (half := _half_glimpses(asked, clips)):
        return f"No, not plainly. Perhaps at {minutes(clips[half[0]].start)}.", half
    if there.spans and rests_on_a_glimpse(asked, clips):
        return f"Perhaps, {spans_of(there)}.", there.clips
    text = _of_one(asked, there, clips)
    return None if text is None else (text, there.clips)


def _of_two_things(
    asked: Counting, other: Counting, clips: Sequence[Shown], question: Question
) -> tuple[str, list[int]] | None:
    pair = (asked, other)
    both = [_there(one, clips, question) for one in pair]
    if asked.kind == "seen":
        missing = [one for one, there in zip(pair, both, strict=True) if not there.spans]
        if any(_half_seen(one, clips) for one in missing):
            return None
    if asked.kind == "apart" and all(there.spans for there in both):
        return how_long(asked, *both), sorted({number for one in both for number in one.clips})
    if asked.kind == "between" and all(there.spans for there in both):
        return in_time(asked, clips) or ("I cannot tell what came between them.", [])
    return of_two(asked, *both), sorted({number for one in both for number in one.clips})


def _of_one(asked: Counting, there: There, clips: Sequence[Shown]) -> str | None:
    if asked.kind in _OF_SHOWINGS and not there.spans:
        return None if _half_seen(asked, clips) else of_one(asked.kind, there)
    match asked.kind:
        case "none" if there.now or there.perhaps or there.ended:
            return None
        case "seen" if not there.spans:  # it may have seen it half
            return None
        case "present":
            plain = there.now or (there.spans and not there.perhaps)
            return of_one("still", there) if plain and not (there.ended or there.part) else None
        case "colour" | "way" | "place" | "whereabouts":
            return how_it_was(asked, there, clips)
        case "when":
            return shown_when(there, first=bool(asked.order))
        case "about" | "who":
            return about(asked, there, clips)
        case _:
            return of_one(asked.kind, there)


def rests_on_a_glimpse(asked: Counting, clips: Sequence[Shown]) -> bool:
    """Say whether of many `clips` hardly any show what is asked for, and those half, or one alone: that may be a slip."""
    if asked.kind not in _OF_BEING_THERE or asked.other is not None or len(clips) < _FEW:
        return False
    clips = _of_colour(asked, clips)
    if len(_numbers(joined(_stretches(asked, clips), clips))) > 1:
        return False
    sure = (t.sure for clip in clips for t in clip.things if t.word in asked.words)
    return max(sure, default=0.0) < sure_enough(len(clips))


def _half_glimpses(asked: Counting, clips: Sequence[Shown]) -> list[int]:
    """Return the numbers of clips that half show what is asked for, if chance may have made them; else none."""
    sure = {n: t.sure for n, c in enumerate(clips) for t in c.things if t.word in asked.words}
    rare = len(sure) * _HALF <= len(clips) and max(sure.values(), default=1.0) < SURE
    return sorted(sure) if rare else []


def _otherwise_coloured(
    asked: Counting, clips: Sequence[Shown], question: Question
) -> tuple[str, list[int]] | None:
    """Return that what was asked for was there in another colour; None if that is not clear."""
    there = _there(replace(asked, colour=None), clips, question)
    plain = [t for n in there.clips for t in clips[n].things if t.word in asked.words]
    if not plain or _half_seen(asked, _of_colour(asked, clips)) or clear_colour(plain) is None:
        return None
    return sentence(f"no: {as_most_say(plain)}, {spans_of(there)}"), there.clips


def _half_seen(asked: Counting, clips: Sequence[Shown]) -> bool:
    return any(t.word in asked.words for clip in clips for t in clip.things)


def _there(asked: Counting, clips: Sequence[Shown], question: Question) -> There:
    clips = _of_colour(asked, clips)
    stretches = joined(_stretches(asked, clips), clips)
    if asked.kind == "without":
        stretches = _gaps(stretches, len(clips))
    return There(
        name=asked.name,
        spans=[(clips[s.first].start, until(s, clips)) for s in stretches],
        counts=[_at_once(asked, clips[s.first : s.last + 1]) for s in stretches],
        clips=_numbers(stretches),
        now=bool(stretches) and stretches[-1].last == len(clips) - 1,
        perhaps=any(thing.word in asked.words for thing in clips[-1].things),
        ended=question.ended or question.until is not None or question.duration is not None,
        part=question.since is not None or question.until is not None,
    )


def _of_colour(asked: Counting, clips: Sequence[Shown]) -> Sequence[Shown]:
    """Return `clips` with things of the colour alone that is asked about, if one is."""
    if asked.colour is None:
        return clips
    return [
        replace(clip, things=tuple(t for t in clip.things if t.colour == asked.colour))
        for clip in clips
    ]


def _stretches(asked: Counting, clips: Sequence[Shown]) -> list[tuple[int, int]]:
    there = presence(clips)
    return sorted((s.first, s.last) for word in asked.words for s in there.get(word, ()))


def _at_once(asked: Counting, clips: Sequence[Shown]) -> int:
    """Return how many were there together: what clips are surest of in all, of two alike the larger."""
    sureness: dict[int, float] = defaultdict(float)
    for clip in clips:
        found = [thing for thing in clip.things if thing.word in asked.words]
        if seen := [thing for thing in found if thing.sure >= SURE] or found[:1]:
            sureness[sum(t.count for t in seen)] += max(t.sure for t in seen)
    return max(sureness, key=lambda many: (round(sureness[many], 3), many), default=0)


def _gaps(stretches: Sequence[Stretch], clips: int) -> list[Stretch]:
    ends, starts = [-1, *(s.last for s in stretches)], [*(s.first for s in stretches), clips]
    return [Stretch(a + 1, b - 1) for a, b in zip(ends, starts, strict=True) if b > a + 1]


def _ranked(asked: Counting, clips: Sequence[Shown]) -> tuple[str, list[int]]:
    """Return what was there longest, shortest, most or least often, with the numbers of the clips that show it.

    Args:
        asked: Its kind says which, its words of what; none are all.
        clips: All that were looked through, oldest first.
    """
    there = {
        word: found
        for word, found in presence(clips).items()
        if not asked.words or word in asked.words
    }
    if not there:
        nothing = f"I have not seen any {asked.name}." if asked.words else ""
        return nothing or "Nothing that I have a word for.", []
    often = asked.kind in {"oftenest", "rarest"}
    much = {
        word: len(found)
        if often
        else max(1, round(sum(until(s, clips) - clips[s.first].start for s in found)))
        for word, found in there.items()
    }
    most = (max if asked.kind in {"longest", "oftenest"} else min)(much.values())
    if often and max(much.values()) == 1 and len(much) > 1:
        return "Nothing came more than once.", _numbers(
            s for found in there.values() for s in found
        )
    alike = sorted(
        (word for word in there if much[word] == most),
        key=lambda word: (there[word][0].first, word),
    )
    names = [with_article(word_table()[word].name) for word in alike]
    if len(names) > _MOST_ALIKE:
        names = [*names[: _MOST_ALIKE - 1], f"{len(names) - _MOST_ALIKE + 1} more"]
    said = times(most) if often else f"for {length(most)}"
    in_all = " each" if len(alike) > 1 else "" if often else " in all"
    return sentence(f"{listed(names)}, {said}{in_all}"), _numbers(
        s for word in alike for s in there[word]
    )


def _of_a_sort(asked: Counting, clips: Sequence[Shown]) -> tuple[str, list[int]]:
    there = {word: found for word, found in presence(clips).items() if word in asked.words}
    if not there:
        return f"I have not seen any {asked.name}.", []
    if asked.order:
        return _in_order(asked, there, clips)
    table = word_table()
    in_order = sorted(there, key=lambda word: (there[word][0].first, word))
    names = [with_article(table[word].name) for word in in_order]
    if len(names) > _MOST_NAMES:
        names = [*names[: _MOST_NAMES - 1], f"{len(names) - _MOST_NAMES + 1} more"]
    said = listed(names)
    if asked.kind == "kinds":
        said = f"{'one kind' if len(there) == 1 else f'{number(len(there))} kinds'}: {said}"
    if asked.kind == "things":
        said = f"{number(len(there))}: {said}"
    return sentence(said), _numbers(joined(_stretches(asked, clips), clips))


def _in_order(
    asked: Counting, there: Mapping[int, Sequence[Stretch]], clips: Sequence[Shown]
) -> tuple[str, list[int]]:
    """Return which of several words came first, last, or as the n-th of them, and when."""
    last = asked.order == "last"
    came = sorted(
        ((found[-1 if last else 0], word) for word, found in there.items()),
        key=lambda one: one[0].first,
    )
    place = {"first": 0, "last": -1}.get(asked.order)
    which = int(asked.order) if place is None else place
    if which >= len(came):
        names = [with_article(word_table()[word].name) for _, word in came]
        return f"I have seen no more than {listed(names)}.", _numbers([s for s, _ in came])
    stretch = came[which][0]
    alike = came[which : which + 1] if place is None else came
    words = [word for other, word in alike if other.first == stretch.first]
    name = listed([with_article(word_table()[word].name) for word in words])
    return sentence(f"{name}, at {minutes(clips[stretch.first].start)}"), _numbers([stretch])


def _numbers(stretches: Iterable[Stretch]) -> list[int]:
    return sorted({n for s in stretches for n in range(s.first, s.last + 1)})
