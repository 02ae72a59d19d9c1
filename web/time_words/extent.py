"""What words of time are measured from, and the stretches of time that they name."""

from dataclasses import dataclass
from datetime import datetime, tzinfo

from web.time_words.tokens import DAY, HOUR, MINUTE, Length


@dataclass(frozen=True, slots=True)
class Reference:
    """The time of whoever asks.

    Attributes:
        now: The present as a media second; of a film its end.
        began: Unix second of media second 0; None where there is no such thing: a film shows other
            times than its own, so "yesterday" means nothing there.
        zone: Where they are; None is where this process runs.
        end: Media second at which what can be asked about ends, where that is not the present.
    """

    now: float
    began: float | None = None
    zone: tzinfo | None = None
    end: float | None = None

    @property
    def last(self) -> float:
        """Where "the last minute" ends."""
        return self.now if self.end is None else self.end

    @staticmethod
    def minutes(media: float) -> str:
        """Return a media second as 1:05, or 1:00:05."""
        minutes, seconds = divmod(max(0, int(media)), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"

    def clock(self, media: float) -> datetime:
        """Return what a clock beside whoever asks showed at a media second."""
        assert self.began is not None
        return datetime.fromtimestamp(self.began + media, self.zone).astimezone(self.zone)

    def local_now(self) -> datetime:
        """Return the present in the zone, without the zone: for arithmetic on calendar days."""
        return self.clock(self.now).replace(tzinfo=None)

    def media(self, local: datetime) -> float:
        """Return the media second at which a clock in the zone shows `local`."""
        assert self.began is not None
        return local.replace(tzinfo=self.zone).timestamp() - self.began


@dataclass(frozen=True, slots=True)
class NamedTime:
    """A stretch of media time that words name.

    Attributes:
        start: Where it begins.
        end: Where it ends; the same for an instant.
        mark: The instant meant by "since", "before" and the like, where it is about one; None for a
            period, which begins and ends.
    """

    start: float
    end: float
    mark: float | None = None

    @property
    def first(self) -> float:
        """Where "since" it begins, and "before" it ends."""
        return self.start if self.mark is None else self.mark

    @property
    def last(self) -> float:
        """Where "after" it begins, and "up to" it ends."""
        return self.end if self.mark is None else self.mark

    def around(self) -> "NamedTime":
        """Return what "around" it is: seconds for an instant, minutes for a time of day."""
        reach = 3.0 if self.start == self.end else 5 * MINUTE
        return self if self.mark is None else NamedTime(self.mark - reach, self.mark + reach)


def instant(at: float) -> NamedTime:
    """Return the stretch that is one instant."""
    return NamedTime(at, at, at)


def roughly(at: float, length: Length) -> NamedTime:
    """Return the stretch around `at` that someone means who counts so exactly.

    Who says "two hours ago" does not mean one second: seconds are exact, minutes to a half of one,
    hours to five minutes.
    """
    if length.vague:
        return NamedTime(at - length.seconds / 2, at + length.seconds / 2, at)
    reach = {MINUTE: MINUTE / 2, HOUR: 5 * MINUTE}.get(length.unit, 0.0)
    if length.unit >= DAY:
        reach = length.unit / 2
    return NamedTime(at - reach, at + reach, at)
