// A stretch of a stream's time as it lies on the screen. No page, no clock: only arithmetic.

const SHORTEST = 60; // seconds on the screen at least
const STEPS = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800];

/** From `since` to `until` in media seconds. */
export class Scale {
  constructor(since, until) {
    this.since = since;
    this.until = Math.max(until, since + SHORTEST);
  }

  get seconds() {
    return this.until - this.since;
  }

  /** Where a time lies, as a share of the width. */
  share(time) {
    return (time - this.since) / this.seconds;
  }

  /** The time that lies at a share of the width. */
  time(share) {
    return this.since + Math.min(1, Math.max(0, share)) * this.seconds;
  }

  shows(time) {
    return time >= this.since && time <= this.until;
  }

  /** So many times as long about `time`, which stays where it is; inside `first` to `last`. */
  zoomed(factor, time, first, last) {
    const most = Math.max(SHORTEST, last - first);
    const seconds = Math.min(most, Math.max(SHORTEST, this.seconds * factor));
    return new Scale(time - this.share(time) * seconds, time + (1 - this.share(time)) * seconds).inside(first, last);
  }

  moved(seconds, first, last) {
    return new Scale(this.since + seconds, this.until + seconds).inside(first, last);
  }

  /** As long, but moved as far as needed to lie between `first` and `last`. */
  inside(first, last) {
    const seconds = Math.min(this.seconds, Math.max(SHORTEST, last - first));
    const since = Math.max(first, Math.min(this.since, last - seconds));
    return new Scale(since, since + seconds);
  }

  /** Media times of round clock times, at most so many; `began` is the Unix second of media second 0. */
  ticks(most, began) {
    const step = STEPS.find((seconds) => this.seconds / seconds <= most) ?? this.seconds / most;
    // Round by the clock of whoever looks: midnight there, not in Greenwich.
    const zone = new Date((began + this.since) * 1000).getTimezoneOffset() * 60;
    const found = [];
    for (let clock = Math.ceil((began + this.since - zone) / step) * step; clock <= began + this.until - zone; clock += step) {
      found.push(clock + zone - began);
    }
    return { step, times: found };
  }
}

const DAY = { day: "numeric", month: "short" };
const MINUTES = { hour: "2-digit", minute: "2-digit" };
const SECONDS = { ...MINUTES, second: "2-digit" };

/** A round time for the scale: the day at midnight, seconds only where they tell something. */
export function tickText(unix, step) {
  const date = new Date(unix * 1000);
  if (step >= 86400 || (date.getHours() === 0 && date.getMinutes() === 0 && step >= 3600)) return date.toLocaleDateString([], DAY);
  return date.toLocaleTimeString([], step < 60 ? SECONDS : MINUTES);
}

const LONG = 600; // seconds from which on a span is told in minutes

/** From one Unix second to another, for people: the day too, where that is not today. */
export function spanText(from, to) {
  const time = to - from < LONG ? SECONDS : MINUTES;
  const [start, end] = [new Date(from * 1000), new Date(to * 1000)];
  const today = (date) => date.toDateString() === new Date().toDateString();
  const one = start.toDateString() === end.toDateString();
  const full = { ...DAY, ...time };
  const first = start.toLocaleString([], one && today(start) ? time : full);
  return `${first} – ${end.toLocaleString([], one ? time : full)}`;
}
