"""How things lie to each other, told from where clips show them: what was beside something, or whether it was.

    "What was shown beside the dog?"                     "A cat."
    "What was left of the thing beside the dog?"         "A cow, left of the cat."
    "Was the cat above the table?"                       "No. It was left of the table, from 0:24 to 0:28."

It is the picture's left that is told, and no depth: what is on, in, under or behind something a picture does
not tell, and that is said. A thing that is told by another is looked for in all clips, one hop after the
other. What one clip alone has half seen, or not plainly, is told with a "perhaps".
"""

from collections import Counter
from collections.abc import Sequence

from model.types import Question
from stream.past.counted.about import as_most_say
from stream.past.counted.answers import There, of_one, shown_when, spans_of
from stream.past.counted.places import lies
from stream.past.counted.relation_words import How, Relation
from stream.past.counted.sights import Beside, Footage, Found
from stream.past.counted.stretches import joined, until
from stream.past.counted.words import is_plural, named_with_article
from stream.past.presence import Shown
from stream.past.wording import listed, minutes, sentence

_MOST_NAMED = 3
_UNKNOWN = "I cannot tell how things lie to each other."
_SIDES: dict[How, str] = {"left": "left of", "right": "right of", "above": "above", "below": "below"}  # fmt: skip


def relate(asked: Relation, clips: Sequence[Shown], question: Question) -> tuple[str, list[int]]:
    """Return how things lay to each other, in words, and the numbers of clips that show it.

    Args:
        asked: What of it is asked.
        clips: What was shown, oldest first; not nothing.
        question: Says whether more is to come.
    """
    footage = Footage(clips)
    of = footage.find(asked.of)
    if of.missing:
        return of.missing, []
    if asked.asks == "what" or asked.one is None:
        return _what(asked, of, footage)
    one = footage.find(asked.one)
    if one.missing:
        return one.missing, []
    return _whether(asked, one, of, footage, question)


def _what(asked: Relation, of: Found, footage: Footage) -> tuple[str, list[int]]:
    """Return what lay so to something."""
    one = None if asked.one is None else footage.find(asked.one)
    words = None if one is None else one.words
    beside = footage.beside(of, asked.how, words)
    if not beside:
        return _nothing(asked, of, footage), of.clips
    showing = sorted({n for one in beside for n in one.clips})
    said = _listed(beside, footage)
    if asked.of.of is not None:  # the things that it is told by are named as well
        said += f", {asked.said} {of.name}"
    return sentence(said), showing


def _listed(beside: Sequence[Beside], footage: Footage) -> str:
    """Return "a cat and perhaps two cows", with times if they were not there together."""
    told = beside[:_MOST_NAMED]
    together = set(told[0].clips).intersection(*(one.clips for one in told))
    names = []
    for one in told:
        at = "" if together else f" at {minutes(footage.clips[one.clips[0]].start)}"
        names.append(f"{'' if one.sure else 'perhaps '}{as_most_say(one.things)}{at}")
    return listed(names)


def _nothing(asked: Relation, of: Found, footage: Footage) -> str:
    """Return that nothing lay so to something, and what was there with it."""
    others = footage.beside(of, "with", None)
    with_it = f" With it I saw {_listed(others, footage)}." if others else ""
    if asked.how == "on" or any(
        lies(thing, asked.how, anchor) is None
        for other in others
        for thing, anchor in zip(other.things, other.anchors, strict=True)
    ):
        return f"{_UNKNOWN}{with_it}"
    if asked.one is not None and asked.one.name is not None:
        return f"I have not seen {named_with_article(asked.one.name.name)} {asked.said} {of.name}."
    if not of.plain:
        return f"I am not sure that I have seen {of.name}."
    if not with_it:
        return "Nothing else that I have a word for."
    return f"Nothing that I have a word for was {asked.said} {of.name}.{with_it}"


def _whether(
    asked: Relation, one: Found, of: Found, footage: Footage, question: Question
) -> tuple[str, list[int]]:
    """Return whether, when or how long one thing lay so to another."""
    pairs = footage.together(one, of)
    if not pairs:
        return f"I have not seen {one.name} and {of.name} together.", []
    clear = {n: [lies(a, asked.how, b) for a, b in some] for n, some in pairs.items()}
    loose = asked.how in {"beside", "near"}  # enough that nothing speaks against it
    held = sorted(n for n, all_ in clear.items() if True in all_ or (loose and None in all_))
    if held:
        there = _there(one.name, held, footage, question)
        if not (one.steady(held) and of.steady(held)):
            return f"Perhaps, {spans_of(there)}.", held
        match asked.asks:
            case "what" | "when":
                return shown_when(there, first=False), held
            case kind:
                return of_one(kind, there), held
    both = sorted(pairs)
    there = _there(one.name, both, footage, question)
    if any(None in all_ for all_ in clear.values()):
        return f"{_UNKNOWN} Both were there, {spans_of(there)}.", both
    lay = Counter(
        said for some in pairs.values() for a, b in some for how, said in _SIDES.items() if lies(a, how, b)
    )  # fmt: skip
    said = lay.most_common(1)[0][0] if lay else "there with"
    return f"No. {_was(one)} {said} {of.name}, {spans_of(there)}.", both


def _was(one: Found) -> str:
    """Return "it was", "they were" or "somebody was"."""
    bare = one.name.removeprefix("the ")
    if bare == one.name:
        return "Somebody was" if bare == "anyone" else "It was"
    return "They were" if is_plural(bare) else "It was"


def _there(name: str, numbers: Sequence[int], footage: Footage, question: Question) -> There:
    """Return when clips of these numbers were, over blinks."""
    clips = footage.clips
    stretches = joined([(n, n) for n in numbers], clips, blink=footage.blink)
    return There(
        name=name,
        spans=[(clips[s.first].start, until(s, clips)) for s in stretches],
        counts=[1 for _ in stretches],
        clips=list(numbers),
        now=numbers[-1] == len(clips) - 1,
        perhaps=False,
        ended=question.ended or question.until is not None or question.duration is not None,
        part=question.since is not None or question.until is not None,
    )
