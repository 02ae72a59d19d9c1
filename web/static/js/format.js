// How times and numbers are written for people.

/** Media seconds as 1:05 or 2:03:09. */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const h = Math.floor(whole / 3600);
  const m = Math.floor((whole % 3600) / 60);
  const s = String(whole % 60).padStart(2, "0");
  return h ? `${h}:${String(m).padStart(2, "0")}:${s}` : `${m}:${s}`;
}

/** The range that was looked at: by the clock on the wall where there is one, else by media time. */
export function span({ since, until, since_clock, until_clock }) {
  const days = new Set([since_clock, until_clock].filter(Boolean).map((time) => time.slice(0, 10)));
  const today = new Date().toLocaleDateString("sv"); // as in ISO 8601
  const short = days.size === 1 && days.has(today);
  const name = (seconds, time) =>
    seconds === null ? "" : time ? time.slice(short ? 11 : 0, 19).replace("T", " ") : clock(seconds);
  const [from, to] = [name(since, since_clock), name(until, until_clock)];
  if (from && to) return from === to ? from : `${from} to ${to}`;
  if (from) return `from ${from} on`;
  return to ? `up to ${to}` : "everything";
}

/** Milliseconds as 240 ms or 1.4 s. */
export function duration(ms) {
  if (ms === null || ms === undefined) return "—";
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** How often a second, with as many digits as tell something: 4, 0.7, 0.25. */
export function rate(perSecond) {
  return String(Number(perSecond.toPrecision(2)));
}

const CAUSES = {
  overload: "to overload",
  failed: "to a failing encoder",
  unwritten: "while memory was away",
  full: "to full memory",
};

/** How many moments were lost in all, and in words how many to what; `lost` is counts by cause. */
export function losses(lost) {
  const some = Object.entries(lost).filter(([, count]) => count);
  return {
    total: some.reduce((sum, [, count]) => sum + count, 0),
    causes: some.map(([cause, count]) => `${count} ${CAUSES[cause] ?? `to ${cause}`}`).join(", "),
  };
}

/** 1 moment, 2 moments. */
export function moments(count) {
  return `${count} ${count === 1 ? "moment" : "moments"}`;
}

/** Wall-clock time of a media time, for a stream that began at Unix second `began`. */
export function wall(began, seconds) {
  return new Date((began + seconds) * 1000).toLocaleTimeString();
}

/** Something that differs in every browser, kept over reloads, so that a camera keeps its name. */
export function ownName(kind) {
  const key = `flashback.${kind}`;
  let name = localStorage.getItem(key);
  if (!name) {
    const letters = crypto.getRandomValues(new Uint8Array(4));
    name = `${kind}-${Array.from(letters, (n) => (n % 36).toString(36)).join("")}`;
    localStorage.setItem(key, name);
  }
  return name;
}
