"""Decides when a watch fires: pure functions over media time, clip by clip.

    sureness of a clause --Presence--> there or not --Trigger--> begun, fired, ended

An eye that is right in nine clips of ten is wrong several times an hour. So a thing counts as there
once two of three clips in a row show it (at least perhaps: offset) and are together as sure as two that
show it plainly (onset), and as gone once four in a row do not even perhaps: one ghost fires nothing, and
one clip that misses a person does not make them leave. Where its absence is waited for, it has to be missing
for longer the worse it was seen (`stream/watches/visibility.py`). Seconds that nobody watched (the camera was away) are no
seconds of absence: they do not count for how long something has lasted.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

from stream.watches.matcher import ClauseScores
from stream.watches.visibility import AT_LEAST, NOT_SEEN, Visibility

OF_CLIPS, _SHOWN_IN = 3, 2
"""A thing is there once so many of so many clips in a row show it."""
GONE_AFTER = AT_LEAST
"""Clips in a row without it after which it is not there any more, at the earliest."""
LONGEST_PAUSE = 15.0
"""Seconds between two clips of a stream that is being watched; more is time that nobody watched."""

Outcome = Literal["nothing", "fired", "going on", "ended"]


@dataclass(frozen=True, slots=True)
class Rule:
    """When to fire.

    Attributes:
        onset: Sureness from which on a clip shows a thing.
        offset: Sureness below which it does not; in between nothing changes.
        hold_s: Watched seconds that the condition has to last.
        refractory_s: Media seconds after a firing in which there is no other.
        after_seen: Whether what must not be seen must have been seen before.
    """

    onset: float = 0.5
    offset: float = 0.25
    hold_s: float = 0.0
    refractory_s: float = 60.0
    after_seen: bool = False

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ValueError: If one is out of its range.
        """
        if not 0 < self.offset <= self.onset <= 1:
            raise ValueError(
                f"0 < offset <= onset <= 1, not offset={self.offset:g} onset={self.onset:g}"
            )
        if self.hold_s < 0 or self.refractory_s < 0:
            raise ValueError(
                f"seconds are not negative: hold_s={self.hold_s:g} refractory_s={self.refractory_s:g}"
            )


@dataclass(frozen=True, slots=True)
class Instant:
    """A point of a stream's time.

    Attributes:
        watched: Seconds that the stream was watched until then.
        media: Media seconds.
    """

    watched: float = 0.0
    media: float = 0.0


_BEGINNING = Instant()


@dataclass(frozen=True, slots=True)
class Presence:
    """Whether one clause's thing is there, by the clips so far.

    Attributes:
        there: Whether it is.
        ever: Whether it ever was.
        hits: Where each of the newest clips began that may have shown it; None for one that did not.
        sure: How sure each of them was.
        misses: Clips in a row that surely did not show it.
        visibility: How well it was seen.
        last: Where the last clip ended that may have shown it.
        since: Where the present state began.
    """

    there: bool = False
    ever: bool = False
    hits: tuple[Instant | None, ...] = ()
    sure: tuple[float, ...] = ()
    misses: int = 0
    visibility: Visibility = NOT_SEEN
    last: Instant = _BEGINNING
    since: Instant = _BEGINNING

    @property
    def clear(self) -> bool:
        """Whether it is not there, and no clip of those that would have shown it says otherwise."""
        return not self.there and self.misses >= self.visibility.gone_after

    def take(
        self, sure: float, start: Instant, end: Instant, rule: "Rule", *, unwanted: bool = False
    ) -> "Presence":
        """Return the presence after a clip from `start` to `end` that shows it, so sure is that.

        Args:
            sure: How sure.
            start: The clip's begin.
            end: Its end.
            rule: When to fire.
            unwanted: Whether its absence is waited for.
        """
        missed = sure < rule.offset
        hits = (*self.hits, None if missed else start)[-OF_CLIPS:]
        surely = (*self.sure, 0.0 if missed else sure)[-OF_CLIPS:]
        shown = [at for at in hits if at is not None]
        now = replace(
            self, hits=hits, sure=surely, misses=self.misses + missed if missed else 0,
            visibility=self.visibility if missed else self.visibility.found(self.misses),
            last=self.last if missed else end,
        )  # fmt: skip
        if (
            not self.there
            and len(shown) >= _SHOWN_IN
            and _together(surely) >= _together((rule.onset,) * _SHOWN_IN)
        ):
            return replace(now, there=True, ever=True, since=shown[0])
        gone_after = now.visibility.gone_after if unwanted else GONE_AFTER
        if self.there and now.misses >= gone_after:
            return replace(now, there=False, since=self.last)
        return now


@dataclass(frozen=True, slots=True)
class Firing:
    """One time that a watch fires, in media seconds.

    Attributes:
        start: Where the condition began to hold.
        fired: When that was sure, and had lasted long enough.
        end: Until when it held; so far, while it goes on.
        peak: The highest score of a clip.
    """

    start: float
    fired: float
    end: float
    peak: float


@dataclass(frozen=True, slots=True)
class Trigger:
    """One watch on one stream, between two clips.

    Attributes:
        rule: When to fire.
        positive: Of the things that must be there.
        negative: Of those that must not.
        at: Where the newest clip ended; None before the first.
        clips: How many there were.
        firing: What was fired last; None before the first.
        holds: Whether that still goes on.
    """

    rule: Rule
    positive: tuple[Presence, ...]
    negative: tuple[Presence, ...]
    at: Instant | None = None
    clips: int = 0
    firing: Firing | None = None
    holds: bool = False

    @classmethod
    def new(cls, rule: Rule, positive: int, negative: int) -> "Trigger":
        """Return a trigger that has seen nothing, for so many clauses."""
        return cls(rule, (Presence(),) * positive, (Presence(),) * negative)

    def take(self, seen: ClauseScores, start: float, end: float) -> tuple["Trigger", Outcome]:
        """Return the trigger after a clip, and what happened.

        Args:
            seen: What the clip shows.
            start: Its begin, in media seconds; a clip that begins before the newest ended is
                passed over.
            end: Its end.
        """
        if self.at is not None and start < self.at.media:
            return self, "nothing"
        pause = 0.0 if self.at is None else start - self.at.media
        watched = 0.0 if self.at is None else self.at.watched
        began = Instant(watched + (pause if pause <= LONGEST_PAUSE else 0.0), start)
        done = Instant(began.watched + end - start, end)
        after = replace(
            self,
            at=done,
            clips=self.clips + 1,
            positive=tuple(
                presence.take(sure, began, done, self.rule)
                for presence, sure in zip(self.positive, seen.positive, strict=True)
            ),
            negative=tuple(
                presence.take(sure, began, done, self.rule, unwanted=True)
                for presence, sure in zip(self.negative, seen.negative, strict=True)
            ),
        )
        return after._decide(seen.score, done)

    @property
    def since(self) -> Instant | None:
        """Where the condition began to hold; None while it does not."""
        if not all(p.there for p in self.positive) or any(p.there for p in self.negative):
            return None
        if self.rule.after_seen and not all(p.ever for p in self.negative):
            return None
        if not self.positive and self.clips < GONE_AFTER:
            return None  # so few clips say nothing of absence
        return max((p.since for p in (*self.positive, *self.negative)), key=lambda i: i.watched)

    @property
    def hard(self) -> float | None:
        """How well the worst seen of its things is seen, if one is hard to see; see `Visibility.hard`."""
        things = (p for p in (*self.positive, *self.negative) if p.ever)
        return min((h for p in things if (h := p.visibility.hard) is not None), default=None)

    @property
    def doubt(self) -> float | None:
        """The same of the things that are missing: they may be there still."""
        missing = (p for p in self.negative if p.ever)
        return min((h for p in missing if (h := p.visibility.hard) is not None), default=None)

    def _decide(self, score: float, now: Instant) -> tuple["Trigger", Outcome]:
        since = self.since
        if since is None:
            return self._over()
        if self.holds and self.firing is not None:
            firing = replace(self.firing, end=now.media, peak=max(self.firing.peak, score))
            return replace(self, firing=firing), "going on"
        if now.watched - since.watched < self.rule.hold_s or self._is_resting(now):
            return self, "nothing"
        if not all(p.clear for p in self.negative):
            return self, "nothing"
        if self.positive and all(p.misses for p in self.positive):
            return self, "nothing"  # the picture that is shown with an event shows something of it
        firing = Firing(since.media, now.media, now.media, score)
        return replace(self, firing=firing, holds=True), "fired"

    def _over(self) -> tuple["Trigger", Outcome]:
        if not self.holds or self.firing is None:
            return replace(self, holds=False), "nothing"
        broken = [p.last.media for p in self.positive if not p.there]
        broken += [p.since.media for p in self.negative if p.there]
        firing = replace(self.firing, end=max(self.firing.start, min(broken)))
        return replace(self, firing=firing, holds=False), "ended"

    def _is_resting(self, now: Instant) -> bool:
        return self.firing is not None and now.media - self.firing.fired < self.rule.refractory_s


def _together(sure: tuple[float, ...]) -> float:
    """Return how sure the surest few are together, each taken as evidence of its own."""
    return 1.0 - math.prod(1.0 - one for one in sorted(sure)[-_SHOWN_IN:])
