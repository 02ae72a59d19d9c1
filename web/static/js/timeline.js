// The timeline of a stream: minutes to days of it, what watches told, and a span of it to ask about.

import { call, freshTicket, getJson, showMoment } from "./api.js";
import { Scale, spanText, tickText } from "./timescale.js";

const SLICES = 120;
const FIRST_VIEW = 3600;
const AGAIN_AFTER = 4000; // how often what goes on is asked for anew
const DRAGGED = 4; // pixels from which on a press is not a click
const PICTURE = 76;
const TICK = 92;
const ZOOM = 2;
const AROUND = 5; // seconds before and after an event that is chosen
const CLIP_WITHIN = 60_000;
const $ = (id) => document.getElementById(id);

export class Timeline {
  #track = $("timeline-track");
  #stream = "";
  #scale = null;
  #told = null;
  #last = 0;
  #follows = true;
  #cursor = null;
  #anchor = null;
  #chosen = null;
  #press = null;
  #newest = 0;
  #timer = 0;
  #due = 0;
  #actions;

  /**
   * `actions.show(moment)` shows a moment, `actions.ask(span, now)` has questions be about a span, or
   * about everything where it is null, `actions.tell(span)` says what happened in it.
   */
  constructor(actions) {
    this.#actions = actions;
    const track = this.#track;
    track.addEventListener("pointerdown", (event) => this.#begin(event));
    track.addEventListener("pointermove", (event) => this.#drag(event));
    track.addEventListener("pointerup", (event) => this.#end(event));
    track.addEventListener("pointercancel", () => (this.#press = null));
    track.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    track.addEventListener("keydown", (event) => this.#key(event));
    $("timeline-marks").addEventListener("keydown", (event) => this.#along(event));
    $("timeline-in").addEventListener("click", () => this.#zoom(1 / ZOOM));
    $("timeline-out").addEventListener("click", () => this.#zoom(ZOOM));
    $("timeline-all").addEventListener("click", () => this.#look(new Scale(this.#first, this.#last), true));
    $("timeline-now").addEventListener("click", () => this.#look(this.#scale.moved(this.#last - this.#scale.until, this.#first, this.#last), true));
    $("timeline-ask").addEventListener("click", () => this.#actions.ask(this.span, true));
    $("timeline-tell").addEventListener("click", () => this.#actions.tell(this.span));
    $("timeline-clip").addEventListener("click", () => this.#save());
    $("timeline-clear").addEventListener("click", () => this.choose(null));
    new ResizeObserver(() => this.#draw()).observe(track);
  }

  reset(stream) {
    clearTimeout(this.#timer);
    this.#timer = this.#due = 0;
    this.#newest++;
    this.#stream = stream;
    this.#scale = this.#told = this.#cursor = this.#anchor = this.#press = null;
    this.#last = 0;
    this.#follows = true;
    this.choose(null);
    $("timeline").hidden = true;
  }

  /** Something newer is remembered. */
  remembered(moment) {
    if (moment.end <= this.#last && this.#scale) return;
    this.#last = Math.max(this.#last, moment.end);
    if (this.#follows && this.#scale) this.#scale = this.#scale.moved(this.#last - this.#scale.until, this.#first, this.#last);
    this.soon();
  }

  /** Ask for what is shown anew, not too often. */
  soon() {
    if (this.#timer || !this.#stream) return;
    this.#timer = setTimeout(() => {
      this.#timer = 0;
      this.#load();
    }, Math.max(0, this.#due - performance.now()));
  }

  /** The span that is chosen, with its words; null if none is. */
  get span() {
    if (!this.#chosen) return null;
    const { since, until } = this.#chosen;
    return { since, until, words: spanText(this.#began + since, this.#began + until) };
  }

  /** Choose a span, of media seconds and perhaps with the film of an event; null is none. */
  choose(span) {
    this.#chosen = span;
    this.#actions.ask(this.span, false);
    $("timeline-chosen").hidden = !span;
    this.#say(span ? this.span.words : "");
    this.#drawChosen();
  }

  get #first() {
    return this.#told?.first ?? 0;
  }

  get #began() {
    return this.#told?.began ?? 0;
  }

  async #load() {
    const mine = ++this.#newest;
    this.#due = performance.now() + AGAIN_AFTER;
    const scale = this.#scale ?? new Scale(Math.max(0, this.#last - FIRST_VIEW), this.#last);
    const asked = new URLSearchParams({ since: scale.since, until: scale.until, slices: SLICES });
    try {
      await freshTicket();
      const told = await getJson(`/v1/streams/${this.#stream}/timeline?${asked}`);
      if (mine !== this.#newest || told.last === null) return;
      this.#told = told;
      this.#last = Math.max(this.#last, told.last);
      this.#scale ??= scale.inside(told.first, this.#last);
      $("timeline").hidden = false;
      this.#draw();
    } catch {
      // What was shown stays; the page says elsewhere that the service is away.
    }
  }

  #look(scale, follows = scale.until >= this.#last - 1) {
    this.#scale = scale;
    this.#follows = follows;
    this.#due = 0;
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#draw();
    this.soon();
  }

  #zoom(factor, about = this.#cursor !== null && this.#scale.shows(this.#cursor) ? this.#cursor : this.#follows ? this.#scale.until : this.#scale.time(0.5)) {
    this.#look(this.#scale.zoomed(factor, about, this.#first, this.#last));
  }

  // What is drawn.

  #draw() {
    const scale = this.#scale;
    const width = this.#track.clientWidth;
    if (!this.#told || !width) return;
    const slices = this.#told.slices.filter(({ moment }) => moment !== null);
    $("timeline-range").textContent = spanText(this.#began + scale.since, this.#began + scale.until);
    $("timeline-bars").replaceChildren(...runs(slices).map(({ start, end }) => this.#place(document.createElement("i"), start, end)));
    this.#drawPictures(slices, width);
    const { step, times } = scale.ticks(Math.max(2, Math.floor(width / TICK)), this.#began);
    $("timeline-ticks").replaceChildren(
      ...times.filter((time) => scale.shows(time)).map((time) => {
        const tick = document.createElement("span");
        tick.textContent = tickText(this.#began + time, step);
        return this.#place(tick, time);
      }),
    );
    this.#drawMarks();
    this.#drawChosen();
    this.#drawCursor();
    $("timeline-now").disabled = this.#follows;
    $("timeline-in").disabled = scale.seconds <= 60;
    $("timeline-out").disabled = $("timeline-all").disabled = scale.seconds >= this.#last - this.#first;
  }

  #drawPictures(slices, width) {
    const count = Math.max(1, Math.floor(width / PICTURE));
    const kept = new Map([...$("timeline-pictures").children].map((image) => [image.dataset.moment, image]));
    const shown = [];
    for (let place = 0; place < count; place++) {
      const [from, to] = [this.#scale.time(place / count), this.#scale.time((place + 1) / count)];
      const slice = slices.find(({ start, end }) => end > from && start < to);
      if (!slice) continue;
      const image = kept.get(String(slice.moment)) ?? document.createElement("img");
      kept.delete(String(slice.moment));
      image.alt = "";
      image.dataset.moment = slice.moment;
      showMoment(image, this.#stream, slice.moment);
      shown.push(this.#place(image, from, to));
    }
    $("timeline-pictures").replaceChildren(...shown);
  }

  #drawMarks() {
    const list = $("timeline-marks");
    const focused = list.querySelector(":focus")?.dataset.event;
    const events = [...this.#told.events].reverse().filter((event) => event.verdict !== "rejected");
    const marks = events.map((event) => {
      const item = document.createElement("li");
      const mark = document.createElement("button");
      mark.type = "button";
      mark.className = "pin";
      mark.tabIndex = -1;
      mark.dataset.event = event.id;
      mark.title = `${event.question} · ${new Date(event.at * 1000).toLocaleString()}`;
      mark.setAttribute("aria-label", mark.title);
      mark.addEventListener("click", () => this.#pick(event));
      item.append(mark);
      this.#place(item, Math.max(event.start, this.#scale.since));
      item.style.left = `clamp(7px, ${item.style.left}, calc(100% - 7px))`; // all of it is seen
      return item;
    });
    list.replaceChildren(...marks);
    list.hidden = !marks.length;
    const first = list.querySelector(`[data-event="${focused}"]`) ?? list.querySelector(".pin");
    if (first) first.tabIndex = 0;
    if (focused && first) first.focus();
  }

  #drawChosen() {
    const span = this.#chosen;
    $("timeline-span").hidden = !span || !this.#scale;
    if (span && this.#scale) this.#place($("timeline-span"), span.since, span.until);
  }

  #drawCursor() {
    const at = this.#cursor ?? this.#scale.until;
    const track = this.#track;
    $("timeline-cursor").hidden = this.#cursor === null || !this.#scale.shows(at);
    this.#place($("timeline-cursor"), at);
    track.setAttribute("aria-valuemin", Math.floor(this.#scale.since));
    track.setAttribute("aria-valuemax", Math.ceil(this.#scale.until));
    track.setAttribute("aria-valuenow", Math.round(at));
    const nothing = this.#momentAt(at) ? "" : ", nothing remembered";
    track.setAttribute("aria-valuetext", new Date((this.#began + at) * 1000).toLocaleString() + nothing);
  }

  #place(element, start, end = null) {
    const share = (time) => Math.min(1, Math.max(0, this.#scale.share(time)));
    element.style.left = `${(share(start) * 100).toFixed(3)}%`;
    if (end !== null) element.style.width = `${((share(end) - share(start)) * 100).toFixed(3)}%`;
    return element;
  }

  // What people do.

  #at(event) {
    const box = this.#track.getBoundingClientRect();
    return this.#scale.time((event.clientX - box.left) / box.width);
  }

  #begin(event) {
    if (event.button !== 0 || !this.#scale || !this.#told) return;
    this.#track.setPointerCapture(event.pointerId);
    this.#press = { x: event.clientX, time: this.#at(event), dragged: false };
  }

  #drag(event) {
    const press = this.#press;
    if (!press) return;
    press.dragged ||= Math.abs(event.clientX - press.x) >= DRAGGED;
    if (press.dragged) this.#stretch(press.time, this.#at(event));
  }

  #end(event) {
    const press = this.#press;
    this.#press = null;
    if (!press) return;
    if (press.dragged) this.#stretch(press.time, this.#at(event));
    else this.#go(press.time);
  }

  #stretch(one, other) {
    this.#anchor = one;
    this.#cursor = other;
    this.choose({ since: Math.min(one, other), until: Math.max(one, other) });
    this.#drawCursor();
  }

  /** Show what was remembered at a time, if anything was. */
  #go(time) {
    this.#cursor = this.#anchor = time;
    this.#drawCursor();
    const moment = this.#momentAt(time);
    if (moment) this.#actions.show(moment);
  }

  #pick(event) {
    const { start, end } = event.evidence.at(-1) ?? event;
    this.#cursor = this.#anchor = event.start;
    this.#drawCursor();
    this.choose({ since: Math.max(0, event.start - AROUND), until: event.end + AROUND, film: event.clip });
    this.#actions.show({ start, end });
  }

  #momentAt(time) {
    const slice = this.#told.slices.find(({ start, end }) => time >= start && time <= end);
    return slice && slice.moment !== null ? { start: slice.moment, end: slice.moment_end } : null;
  }

  #wheel(event) {
    if (!this.#told) return;
    event.preventDefault();
    const along = event.shiftKey ? event.deltaY : event.deltaX;
    if (Math.abs(along) > Math.abs(event.shiftKey ? 0 : event.deltaY)) {
      const seconds = (along / this.#track.clientWidth) * this.#scale.seconds;
      this.#look(this.#scale.moved(seconds, this.#first, this.#last));
    } else this.#zoom(event.deltaY > 0 ? 1.25 : 0.8, this.#at(event));
  }

  #key(event) {
    if (!this.#told) return;
    if (event.key === "+" || event.key === "=") this.#zoom(1 / ZOOM);
    else if (event.key === "-") this.#zoom(ZOOM);
    else if (event.key === "Enter") this.#go(this.#cursor ?? this.#scale.until);
    else if (event.key === "Escape" && this.#chosen) {
      this.choose(null);
      event.stopPropagation();
    } else if (!this.#step(event)) return;
    event.preventDefault();
  }

  #step({ key, shiftKey }) {
    const here = this.#cursor ?? this.#scale.until;
    const far = this.#scale.seconds;
    const to = { ArrowLeft: here - far / 60, ArrowRight: here + far / 60, PageUp: here - far / 6, PageDown: here + far / 6, Home: this.#first, End: this.#last }[key];
    if (to === undefined) return false;
    this.#cursor = Math.min(this.#last, Math.max(this.#first, to));
    if (shiftKey) this.#stretch((this.#anchor ??= here), this.#cursor);
    else this.#anchor = this.#cursor;
    if (this.#scale.shows(this.#cursor)) this.#drawCursor();
    else this.#look(this.#scale.moved(this.#cursor - (this.#cursor < here ? this.#scale.since : this.#scale.until), this.#first, this.#last));
    return true;
  }

  /** Arrow keys go from mark to mark. */
  #along(event) {
    const marks = [...$("timeline-marks").querySelectorAll(".pin")];
    const here = marks.indexOf(document.activeElement);
    const there = marks[{ ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: marks.length - 1 }[event.key]];
    if (!there) return;
    event.preventDefault();
    for (const mark of marks) mark.tabIndex = mark === there ? 0 : -1;
    there.focus();
  }

  // What is taken along.

  #say(text, bad = false) {
    $("timeline-said").textContent = text;
    $("timeline-said").toggleAttribute("data-bad", bad);
  }

  async #save() {
    const { since, until, words } = this.span;
    const path = this.#chosen.film ?? `/v1/streams/${this.#stream}/clip?${new URLSearchParams({ since, until })}`;
    this.#say(`${words}: cutting…`);
    try {
      const reply = await call(path.slice(path.indexOf("/v1/")), { within: CLIP_WITHIN });
      const film = URL.createObjectURL(await reply.blob());
      const link = document.createElement("a");
      link.href = film;
      link.download = /filename="([^"]+)"/.exec(reply.headers.get("Content-Disposition") ?? "")?.[1] ?? "clip.mp4";
      link.click();
      setTimeout(() => URL.revokeObjectURL(film), CLIP_WITHIN);
      this.#say(words);
    } catch (error) {
      this.#say(error.message, true);
    }
  }
}

/** Neighbouring slices as one. */
function runs(slices) {
  const found = [];
  for (const { start, end } of slices) {
    if (found.length && start - found.at(-1).end < 1e-6 * Math.max(1, end)) found.at(-1).end = end;
    else found.push({ start, end });
  }
  return found;
}
