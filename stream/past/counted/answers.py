"""What is answered of when things were there, in words: how long, how often, whether they are there still."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from stream.past.counted.forms import Kind
from stream.past.counted.words import Counting, is_plural, named_with_article, named_with_the
from stream.past.wording import length, listed, minutes, number, sentence, times

_MOST_STRETCHES = 4
_SOME_PEOPLE = frozenset({
    "man", "men", "woman", "women", "boy", "boys", "girl", "girls", "child", "children", "kid", "kids", "guy", "guys", "lady", "ladies",
})  # fmt: skip
"""Who is a person to the eyes, and which is not told."""
_MORE = frozenset({"longer", "longest", "more often", "most often"})
_COUNTED = 4
"""Of more together clips say no more than that there are more."""


@dataclass(frozen=True, slots=True)
class There:
    """When what a question names was there.

    Attributes:
        name: What the question calls it.
        spans: From when to when, in media seconds, oldest first.
        counts: How many there were together each time.
        clips: Numbers of the clips that show it.
        now: Whether the newest clip does.
        perhaps: Whether that half shows it.
        ended: Whether nothing more is to come of what is asked about.
        part: Whether a part of the past is asked about, not all of it.
    """

    name: str
    spans: Sequence[tuple[float, float]]
    counts: Sequence[int]
    clips: list[int]
    now: bool
    perhaps: bool
    ended: bool
    part: bool

    @property
    def said(self) -> str:
        """Its name as it follows "I have not seen"."""
        return named_with_article(self.name)

    @property
    def it(self) -> str:
        """What stands for it: "it", or "they" of several."""
        return "they" if is_plural(self.name) else "it"

    @property
    def it_is(self) -> str:
        """Return "it is", "they are"."""
        return f"{self.it} {'are' if self.it == 'they' else 'is'}"

    @property
    def it_was(self) -> str:
        """Return "it was", "they were"."""
        return f"{self.it} {'were' if self.it == 'they' else 'was'}"

    @property
    def lasts(self) -> bool:
        """Whether it is there now, and more is to come."""
        return self.now and not self.ended

    @property
    def since(self) -> str:
        """When it came last."""
        return f"since {minutes(self.spans[-1][0])}"

    @property
    def end(self) -> str:
        """When it left last."""
        return minutes(self.spans[-1][1])

    @property
    def stays(self) -> str:
        """How it is said that it is there now."""
        return f"{'there at the end' if self.ended else 'there'}, {self.since}"

    @property
    def whole_span(self) -> str:
        """From when it was first there until when it was last."""
        return f"from {minutes(self.spans[0][0])} to {self.end}"


def of_one(kind: Kind, there: There) -> str:
    """Return what is answered to a question of this kind about one thing."""
    if kind in {"still", "gone"} and there.perhaps and not there.now:
        return "Perhaps, I am not sure." if kind == "still" else "I am not sure."
    if kind == "many" and not there.spans:
        return "I am not sure." if there.perhaps else "None."
    if there.spans:
        return _ANSWERS[kind](there)
    if kind == "without":
        return sentence(f"never: {_somebody(there)} there all the time")
    return "No." if kind == "still" and there.part else f"I have not seen {there.said}."


def shown_when(there: There, *, first: bool) -> str:
    """Return when it was shown: "From 8 to 16 seconds.", "Twice: from 9 to 18 seconds and from 2:33 to 2:42.".

    Args:
        there: Some time.
        first: Whether only its first showing is asked for.
    """
    start, end = there.spans[0]
    if first or (len(there.spans) == 1 and there.lasts):
        stays = there.lasts and len(there.spans) == 1
        still = f", and {there.it_is} there still" if stays else ""
        return sentence(f"at {_instant(start)}{still}")
    if len(there.spans) == 1:
        return sentence(_span(start, end))
    if len(there.spans) > _MOST_STRETCHES:
        return sentence(spans_of(there))
    return sentence(f"{times(len(there.spans))}: {listed([_span(*span) for span in there.spans])}")


def of_two(asked: Counting, one: There, other: There) -> str:
    """Return which of two came first or last, was there longer or more often, or whether one was before the other."""
    missing = [there.said for there in (one, other) if not there.spans]
    if asked.kind == "seen" and len(missing) == 1:
        seen = one if one.spans else other
        return f"Only {named_with_the(seen.name)}, {spans_of(seen)}. I have not seen {missing[0]}."
    if missing:
        return f"I have not seen {' or '.join(missing)}."
    if asked.kind == "seen":
        return f"Yes, both: {named_with_the(one.name)} {spans_of(one)}; {named_with_the(other.name)} {spans_of(other)}."
    if asked.order in _MORE:
        return _of_more(asked, one, other)
    late = asked.order in {"last", "later"}
    starts = [there.spans[-1 if late else 0][0] for there in (one, other)]
    each = [
        f"{named_with_the(there.name)}{{}} at {minutes(at)}"
        for there, at in zip((one, other), starts, strict=True)
    ]
    if asked.kind == "before":
        before = asked.order in {"before", "earlier than"}
        true = starts[0] < starts[1] if before else starts[0] > starts[1]
        return f"{'Yes' if true else 'No'}: {each[0].format(' came')}, {each[1].format('')}."
    if starts[0] == starts[1]:
        return f"Both at {minutes(starts[0])}."
    first = (starts[0] < starts[1]) != late
    return sentence(each[0 if first else 1].format(","))


def _of_more(asked: Counting, one: There, other: There) -> str:
    """Return which of two was there longer or more often, or whether the one was."""
    often = asked.order.endswith("often")
    much = [
        len(there.spans) if often else round(sum(end - start for start, end in there.spans))
        for there in (one, other)
    ]
    each = [times(count) if often else f"for {length(count)}" for count in much]
    if asked.kind == "before":
        said = "Yes" if much[0] > much[1] else "No"
        return f"{said}: {named_with_the(one.name)} {one.it_was.removeprefix(one.it).strip()} there {each[0]}, {named_with_the(other.name)} {each[1]}."
    if much[0] == much[1]:
        return f"Both {each[0]}."
    first = 0 if much[0] > much[1] else 1
    names = [named_with_the(there.name) for there in (one, other)]
    return sentence(f"{names[first]}, {each[first]}; {names[1 - first]} {each[1 - first]}")


def spans_of(there: There) -> str:
    """Return "from 0:09 to 0:18", "since 2:33", "3 times, from 0:09 to 9:18"."""
    count = len(there.spans)
    if count == 1:
        return there.since if there.lasts else _spans(there)
    return f"{times(count)}{',' if count > _MOST_STRETCHES else ':'} {there.whole_span if count > _MOST_STRETCHES else _spans(there)}"


def _instant(media: float) -> str:
    """Return "8 seconds", or "1:05" of what is a minute ago or more."""
    return length(media) if 1 <= round(media) < 60 else minutes(media)


def _span(start: float, end: float) -> str:
    if round(end) < 60:
        return f"from {round(start)} to {round(end)} seconds"
    return f"from {minutes(start)} to {minutes(end)}"


def _spans(there: There) -> str:
    """Return "from 0:09 to 0:18 and from 2:33 to 2:42"."""
    return listed([f"from {minutes(start)} to {minutes(end)}" for start, end in there.spans])


def _long(there: There) -> str:
    total = length(sum(end - start for start, end in there.spans))
    if len(there.spans) > _MOST_STRETCHES:
        return f"For {total} in all, {len(there.spans)} times, {there.whole_span}."
    if len(there.spans) > 1:
        return f"For {total} in all: {_spans(there)}."
    return (
        f"For {total} so far, {there.since}." if there.lasts else f"For {total}, {_spans(there)}."
    )


def _often(there: There) -> str:
    count = len(there.spans)
    if count == 1:
        return f"Once, {there.since if there.lasts else _spans(there)}."
    said = there.whole_span if count > _MOST_STRETCHES else _spans(there)
    return sentence(f"{times(count)}: {said}")


def _still(there: There) -> str:
    if there.now:
        return "Yes." if there.part else f"Yes, {there.since}."
    return f"Not {'at the end' if there.ended else 'now'}. Last seen at {there.end}."


def _is_gone(there: There) -> str:
    if there.now:
        return f"No, {there.it_is} {there.stays}."
    return f"Yes, since {there.end}."


def _left(there: There) -> str:
    ends = [f"at {minutes(end)}" for _, end in there.spans]
    if there.now:
        ends.pop()
    if not ends:
        return f"{there.it.capitalize()} did not: {there.it_is} {there.stays}."
    said = listed(ends) if len(ends) <= _MOST_STRETCHES else f"{times(len(ends))}, last {ends[-1]}"
    return sentence(f"{said}; now {there.it_is} {there.stays}" if there.now else said)


def _last(there: There) -> str:
    start, end = there.spans[-1]
    return f"Now, {there.since}." if there.lasts else f"From {minutes(start)} to {minutes(end)}."


def _ever(there: There) -> str:
    if there.name in _SOME_PEOPLE:
        return f"Somebody was, {spans_of(there)}. I cannot tell men, women and children apart."
    return f"Yes, {spans_of(there)}."


def _without(there: There) -> str:
    return sentence(spans_of(there))


def _somebody(there: There) -> str:
    name = named_with_the(there.name)
    return f"{name} were" if is_plural(there.name) and name != "somebody" else f"{name} was"


def _none(there: There) -> str:
    return f"None now. Last seen at {there.end}."


def _again(there: There) -> str:
    starts = [f"at {minutes(start)}" for start, _ in there.spans[1:]]
    if not starts:
        return f"No. {there.it_was.capitalize()} there once, {there.since if there.lasts else _spans(there)}."
    many = len(starts) > _MOST_STRETCHES
    return f"Yes, {f'{times(len(starts))}, last {starts[-1]}' if many else listed(starts)}."


def _many(there: There) -> str:
    most = max(there.counts)
    said = number(most) if most <= _COUNTED else f"more than {number(_COUNTED)}"
    if len(there.spans) == 1:
        return sentence(said)
    if min(there.counts) == most:
        shown = there.whole_span if len(there.spans) > _MOST_STRETCHES else _spans(there)
        return sentence(f"{said} each time, {shown}")
    start, end = there.spans[there.counts.index(most)]
    return sentence(f"{said} together at most, from {minutes(start)} to {minutes(end)}")


_ANSWERS: Mapping[Kind, Callable[[There], str]] = {
    "long": _long, "often": _often, "still": _still, "gone": _is_gone, "left": _left, "last": _last,
    "ever": _ever, "seen": _ever, "again": _again, "none": _none,
    "many": _many, "without": _without,
}  # fmt: skip
