// Watches: what people want to be told of, and what was seen of it. A badge counts what is new.

import { call, freshTicket, getJson, postJson, showMoment } from "./api.js";
import { clip } from "./clip.js";
import { mayDo } from "./rights.js";
import { Sounding } from "./sound.js";
import { WatchEditor } from "./watch_editor.js";

const LOOK_EVERY = 10_000; // over the socket it comes at once; this is for when there is none
const MOST_SHOWN = 50;
const MOST_TOLD = 2000; // as many as the service keeps
const READ_AFTER = 300;
const SEEN = "flashback.alerts.seen";
const NOTIFY = "flashback.alerts.notify";
const SOUND = "flashback.alerts.sound";
const timezone = Intl.DateTimeFormat().resolvedOptions().timeZone; // "at night" is by the clock of whoever asks
const VERDICTS = { confirmed: "confirmed by the model", failed: "the model could not be asked", rejected: "the model says no" };

const $ = (id) => document.getElementById(id);

export class Watches {
  #dialog = $("watches");
  #show;
  #stream = "";
  #events = new Map();
  #items = new Map(); // what is drawn of each: a clip that plays is not drawn anew
  #editors = new Map(); // by watch, the item of the list in which it is being edited
  #seen = Number(localStorage.getItem(SEEN) ?? 0);
  #looked = false; // of what was before the page was opened nobody is notified
  #told = new Set(); // ids: an event is told again when it is over, and may be after a restart
  #sound = new Sounding();
  #reading = 0;

  /** `show(stream, moment)` is called when someone picks an event. */
  constructor(show) {
    this.#show = show;
    $("bell").addEventListener("click", () => this.#open());
    $("watches-close").addEventListener("click", () => this.#dialog.close());
    $("watch-form").addEventListener("submit", (event) => this.#add(event));
    $("watch-question").addEventListener("input", () => this.#readSoon());
    this.#dialog.addEventListener("close", () => this.#markSeen());
    this.#wish("watch-sound", SOUND, () => this.#sound.play());
    this.#wish("watch-notify", NOTIFY, () => this.#mayNotify());
  }

  /** Begin to look for events; the badge appears once the service is there. */
  begin() {
    if (!mayDo("watch")) return;
    $("bell").hidden = false;
    this.#look();
    setInterval(() => this.#look(), LOOK_EVERY);
  }

  /** The stream that is shown now; empty for none. */
  at(stream) {
    this.#stream = stream;
    $("watch-stream").textContent = stream;
    $("watch-here").parentElement.hidden = !stream;
  }

  /** Take an event that the service has just told of; one that is `old` makes no noise. */
  hear(event, old = false) {
    // Not by the times of events: one may be told after a younger one, once the model has been asked.
    const known = this.#told.has(event.id);
    this.#told.add(event.id);
    if (this.#told.size > MOST_TOLD) this.#told.delete(this.#told.values().next().value);
    if (known && event.open && this.#events.get(event.id)?.open === false) return; // it is over: told late
    this.#events.set(event.id, event);
    if (!known && !old && event.verdict !== "rejected") this.#tell(event);
    this.#draw();
  }

  /** The newest event of a stream; null without one. */
  newest(stream) {
    const of = [...this.#events.values()].filter((event) => event.stream === stream && event.verdict !== "rejected");
    return of.length ? of.reduce((newest, event) => (event.at > newest.at ? event : newest)) : null;
  }

  async #look() {
    try {
      await freshTicket(); // for the pictures
      const { events } = await getJson(`/v1/watches/events?limit=${MOST_SHOWN}`);
      for (const event of events.reverse()) this.hear(event, !this.#looked);
      this.#looked = true;
      $("bell").dataset.looked = "yes";
    } catch {
      // The connection's own sign says that the service is away.
    }
  }

  #tell(event) {
    if (localStorage.getItem(SOUND)) this.#sound.play();
    if (!localStorage.getItem(NOTIFY) || Notification.permission !== "granted") return;
    const note = new Notification(event.question, { body: `${event.stream}, ${time(event.at)}`, tag: event.id });
    note.onclick = () => {
      window.focus();
      this.#pick(event);
    };
  }

  async #open() {
    this.#dialog.showModal();
    $("watch-question").focus();
    this.#draw();
    await this.#list();
  }

  #markSeen() {
    this.#seen = Math.max(this.#seen, ...[...this.#events.values()].map((event) => event.at));
    localStorage.setItem(SEEN, String(this.#seen));
    this.#draw();
  }

  #pick(event) {
    this.#dialog.close();
    this.#show(event.stream, event.evidence.at(-1) ?? { start: event.start, end: event.end });
  }

  // What is watched for.

  async #list() {
    try {
      const { watches, trouble } = await getJson("/v1/watches");
      $("watch-list").replaceChildren(...watches.map((watch) => this.#editors.get(watch.id) ?? this.#row(watch)));
      if (trouble) this.#say(trouble, true);
    } catch (error) {
      this.#say(error.message, true);
    }
  }

  #row(watch) {
    const item = document.createElement("li");
    item.dataset.watch = watch.id;
    item.dataset.state = watch.state;
    const paused = watch.state === "paused";
    item.append(
      element("b", watch.question),
      button("Edit", () => this.#edit(watch.id), watch.question),
      button(paused ? "Go on" : "Pause", () => this.#change(watch, "PATCH", { paused: !paused }), watch.question),
      button("Delete", () => this.#change(watch, "DELETE"), watch.question),
      element("small", `${watch.understood} · ${watch.streams.join(", ") || "every stream"} · ${times(watch.counters.fired)}`),
    );
    if (watch.unmatched.length) item.append(warning(unmatched(watch.unmatched)));
    const hard = Object.entries(watch.hard_to_see).map(([stream, share]) => `${stream} (in ${Math.round(share * 100)}\u00a0% of clips)`);
    if (hard.length) item.append(warning(`Hard to see on ${hard.join(", ")}: some of it is missed there.`));
    if (watch.counters.last_error) item.append(warning(watch.counters.last_error));
    return item;
  }

  async #edit(watch) {
    try {
      const editor = await WatchEditor.open(watch, (saved) => this.#edited(watch, saved));
      const item = document.createElement("li");
      item.append(editor.form);
      this.#editors.set(watch, item);
      await this.#list();
      editor.focus();
    } catch (error) {
      this.#say(error.message, true);
      await this.#list();
    }
  }

  async #edited(watch, saved) {
    this.#editors.delete(watch);
    if (saved) this.#say(`I will tell you: ${saved.understood}.`);
    await this.#list();
    $("watch-list").querySelector(`[data-watch="${watch}"] button`)?.focus();
  }

  async #change(watch, method, body) {
    const headers = { "Content-Type": "application/json" };
    try {
      await call(`/v1/watches/${watch.id}`, { method, headers, body: body && JSON.stringify(body) });
    } catch (error) {
      this.#say(error.message, true);
    }
    await this.#list();
  }

  async #add(event) {
    event.preventDefault();
    const streams = this.#stream && $("watch-here").checked ? [this.#stream] : [];
    try {
      const watch = await postJson("/v1/watches", { question: $("watch-question").value, streams, timezone });
      $("watch-question").value = "";
      this.#say(`I will tell you: ${watch.understood}.`);
    } catch (error) {
      this.#say(error.message, true);
    }
    await this.#list();
  }

  /** Say what would be understood, once the person has stopped typing. */
  #readSoon() {
    clearTimeout(this.#reading);
    this.#reading = setTimeout(() => this.#read($("watch-question").value), READ_AFTER);
  }

  async #read(question) {
    if (!question.trim()) {
      this.#say("");
      return;
    }
    try {
      const read = await postJson("/v1/watches/understand", { question, timezone });
      if (question !== $("watch-question").value) return;
      this.#say([`I would look for: ${read.understood}.`, read.unmatched.length ? unmatched(read.unmatched) : "", ...read.notes].join(" "));
    } catch (error) {
      if (question === $("watch-question").value) this.#say(error.message, true);
    }
  }

  #say(text, bad = false) {
    $("watch-read").textContent = text;
    $("watch-read").toggleAttribute("data-bad", bad);
  }

  // What was seen.

  #draw() {
    const all = [...this.#events.values()].sort((a, b) => b.at - a.at).slice(0, MOST_SHOWN);
    this.#events = new Map(all.map((event) => [event.id, event]));
    for (const id of this.#items.keys()) if (!this.#events.has(id)) this.#items.delete(id);
    const fresh = all.filter((event) => event.at > this.#seen && event.verdict !== "rejected").length;
    $("bell-count").hidden = fresh === 0;
    $("bell-count").textContent = fresh;
    $("bell").setAttribute("aria-label", fresh ? `Watches, ${fresh} new` : "Watches");
    $("alert-none").hidden = all.length > 0;
    if (this.#dialog.open) $("alert-list").replaceChildren(...all.map((event) => this.#item(event)));
  }

  #item(event) {
    const state = JSON.stringify([event, event.at > this.#seen]);
    const before = this.#items.get(event.id);
    if (before?.state === state) return before.item;
    const item = this.#event(event);
    this.#items.set(event.id, { state, item });
    return item;
  }

  #event(event) {
    const item = document.createElement("li");
    item.classList.toggle("new", event.at > this.#seen);
    const image = document.createElement("img");
    image.alt = "";
    image.loading = "lazy";
    const moment = event.evidence.at(-1);
    if (moment) showMoment(image, event.stream, moment.start);
    const pick = document.createElement("button");
    pick.type = "button";
    const lasted = event.open ? "going on" : `${Math.round(event.end - event.start)} s`;
    const words = [event.stream, time(event.at), lasted, VERDICTS[event.verdict]].filter(Boolean);
    pick.append(image, element("b", event.question), element("small", words.join(" · ")));
    if (event.verdict === "unverified" && event.why) pick.append(element("small", event.why));
    pick.addEventListener("click", () => this.#pick(event));
    item.append(pick);
    if (event.clip) item.append(clip(event));
    return item;
  }

  // How people want to be told.

  #wish(id, key, granted) {
    $(id).checked = Boolean(localStorage.getItem(key));
    $(id).addEventListener("change", async () => {
      if ($(id).checked) {
        localStorage.setItem(key, "yes");
        await granted();
      } else localStorage.removeItem(key);
    });
  }

  async #mayNotify() {
    if ((await Notification.requestPermission()) === "granted") return;
    $("watch-notify").checked = false;
    localStorage.removeItem(NOTIFY);
    this.#say("The browser does not allow notifications from this page; allow them in its settings.", true);
  }
}

function unmatched(parts) {
  return `Clips cannot be matched on ${parts.map((part) => `“${part}”`).join(", ")}.`;
}

function times(count) {
  return count === 1 ? "seen once" : `seen ${count} times`;
}

function time(unix) {
  const date = new Date(unix * 1000);
  const today = date.toDateString() === new Date().toDateString();
  return today ? date.toLocaleTimeString() : date.toLocaleString();
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function warning(text) {
  const made = element("small", text);
  made.className = "warn";
  return made;
}

/** A button for `what`: several of the same text are told apart by those who do not see where they stand. */
function button(text, act, what) {
  const made = element("button", text);
  made.setAttribute("aria-label", `${text}: ${what}`);
  made.type = "button";
  made.className = "quiet";
  made.dataset.needs = "ask"; // those of a watch change it
  made.addEventListener("click", act);
  return made;
}
