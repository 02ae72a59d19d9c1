"""What came directly before a thing, and what after: the scenes next to those that it was the thing of.

"What came before the elephant?"   "A car."
"What came after the cat?"         "First three bottles, later a dog."
"What came between the cat and the dog?"   "A car, then two people."
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from model.vision.changes import SceneSoFar, follow
from model.vision.things import SURE, Thing
from stream.past.counted.about import as_most_say
from stream.past.counted.answers import There
from stream.past.counted.words import Counting
from stream.past.presence import Shown, without_glimpses
from stream.past.wording import length, listed, minutes, number, sentence

_MOST_NAMED = 2
"""Things that a scene is told by."""
_MOST_SCENES = 3
_MOST_BETWEEN = 6
_MAIN = 1 / 2
"""Share of the clips of a scene that have to show a thing for it to be what the scene is told by."""


@dataclass(frozen=True, slots=True)
class _Scene:
    """Clips between two changes of what is shown.

    Attributes:
        clips: Their numbers.
        main: What it is told by, as its clips plainly show it, the most often shown first.
    """

    clips: Sequence[int]
    main: Sequence[Sequence[Thing]]

    @property
    def words(self) -> frozenset[int]:
        """The words of what it is told by."""
        return frozenset(things[0].word for things in self.main)

    @property
    def told(self) -> str:
        """Return "a car", "a cat and two people"."""
        return listed([as_most_say(things) for things in self.main[:_MOST_NAMED]])


def in_time(
    asked: Counting, clips: Sequence[Shown], there: There | None = None
) -> tuple[str, list[int]] | None:
    """Return what came next to a thing, or between two, or as the n-th scene; None if that is not known.

    Args:
        asked: Of what.
        clips: All that were looked through, oldest first.
        there: When the thing was there, some time, of what is asked of one.
    """
    if there is not None:
        return _beside(asked, there, clips)
    return _between(asked, clips) if asked.other is not None else _nth(asked, clips)


def _beside(asked: Counting, there: There, clips: Sequence[Shown]) -> tuple[str, list[int]] | None:
    """Return what came directly before a thing, or after, with the clips that show it.

    None if it came while something else was the thing of the scene.

    Args:
        asked: Of what; its order is "before" or "after".
        there: When it was there, some time.
        clips: All that were looked through, oldest first.
    """
    runs = [
        (has, list(run))
        for has, run in groupby(_scenes(clips), lambda s: bool(s.words & asked.words))
    ]
    its = [n for n, (has, _) in enumerate(runs) if has]
    if not its:
        return None
    before = asked.order == "before"
    near = [n - 1 if before else n + 1 for n in its]
    scenes = [runs[n][1][-1 if before else 0] for n in near if 0 <= n < len(runs)]
    if not scenes:
        return _none(there, before=before), list(there.clips)
    said = list(dict.fromkeys(scene.told for scene in scenes))
    showing = [n for scene in scenes for n in scene.clips]
    if len(said) == 1:
        return sentence(said[0]), showing
    first, *later = said[:_MOST_SCENES]
    return sentence(f"first {first}, later {', then '.join(later)}"), showing


def _between(asked: Counting, clips: Sequence[Shown]) -> tuple[str, list[int]] | None:
    """Return what came between two things, with the clips that show it.

    It is told where the other followed the one soonest; or the one the other, if it never came before.
    None if the scenes of both are not known.

    Args:
        asked: Of which two.
        clips: All that were looked through, oldest first.
    """
    if asked.other is None:
        return None
    scenes = _scenes(clips)
    one, other = (
        [n for n, scene in enumerate(scenes) if scene.words & words]
        for words in (asked.words, asked.other.words)
    )
    pairs = [(a, b) for a in one for b in other if a < b] or [(b, a) for a in one for b in other]
    pairs = [(a, b) for a, b in pairs if a < b]
    if not pairs:
        return None
    first, last = min(pairs, key=lambda pair: pair[1] - pair[0])
    between = scenes[first + 1 : last]
    if not between:
        return "Nothing that I have a word for.", [*scenes[first].clips, *scenes[last].clips]
    told = ", then ".join(scene.told for scene in between[:_MOST_BETWEEN])
    return sentence(told), [n for scene in between for n in scene.clips]


def _nth(asked: Counting, clips: Sequence[Shown]) -> tuple[str, list[int]]:
    """Return what was shown second, third, … or in the middle, with the clips that show it; or how many scenes, or how long.

    Args:
        asked: Its order says how many came before it, or "middle".
        clips: All that were looked through, oldest first.
    """
    if asked.kind == "span":
        return sentence(f"I have watched {length(clips[-1].end - clips[0].start)}"), []
    scenes = _scenes(clips)
    if asked.kind == "scenes" or not scenes:
        told = [scene.told for scene in scenes]
        more = [f"{len(told) - _MOST_BETWEEN} more"] if len(told) > _MOST_BETWEEN else []
        said = ", then ".join([*told[:_MOST_BETWEEN], *more])
        return sentence(
            f"{number(len(told))}: {said}" if told else "none that I have a word for"
        ), []
    place = (len(scenes) - 1) // 2 if asked.order == "middle" else int(asked.order)
    if place >= len(scenes) or -place > len(scenes):
        return f"I have seen {number(len(scenes))} scene{'' if len(scenes) == 1 else 's'} only.", []
    scene = scenes[place]
    at = minutes(clips[scene.clips[0]].start)
    return sentence(f"{scene.told}, at {at}"), list(scene.clips)


def _none(there: There, *, before: bool) -> str:
    if before:
        return f"Nothing that I have a word for: {there.it_was} the first."
    last = f"{there.it_is} there still" if there.lasts else f"{there.it_was} the last"
    return f"Nothing {'yet' if there.lasts else 'that I have a word for'}: {last}."


def _scenes(clips: Sequence[Shown]) -> list[_Scene]:
    """Return the scenes that have a thing which they can be told by, oldest first."""
    groups: list[list[tuple[int, Shown]]] = []
    shown: SceneSoFar | None = None
    for n, clip in enumerate(without_glimpses(clips)):
        change, shown = follow(shown, clip.things)
        if not groups or (change is not None and change.before):
            groups.append([])
        groups[-1].append((n, clip))
    scenes = [_Scene([n for n, _ in group], _main([clip for _, clip in group])) for group in groups]
    return [scene for scene in scenes if scene.main]


def _main(clips: Sequence[Shown]) -> list[list[Thing]]:
    found: dict[int, list[Thing]] = {}
    seeing = 0
    for clip in clips:
        plain = [thing for thing in clip.things if thing.sure >= SURE]
        seeing += bool(plain)
        for thing in plain:
            found.setdefault(thing.word, []).append(thing)
    often = sorted(found.values(), key=lambda things: -len(things))
    return [things for things in often if len(things) >= _MAIN * seeing]
