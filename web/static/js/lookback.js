// Looking back over all cameras: moments by the words of what they show, one question to all of them,
// and what happened on one.

import { freshTicket, getJson, postLines, showMoment } from "./api.js";
import { moments } from "./format.js";

const SEARCH_WITHIN = 60_000; // the first search of a long stream reads all of it
const ASK_WITHIN = 600_000; // behind whoever asks one camera alone
const HOUR = 3600;
const DAY = 24 * HOUR * 1000;
const SPANS = { hour: "in the last hour", today: "today", yesterday: "yesterday" };

const $ = (id) => document.getElementById(id);

export class Lookback {
  #dialog = $("past");
  #show;
  #stream = "";
  #newest = 0;

  /** `show(stream, moment)` is called when someone picks a moment. */
  constructor(show) {
    this.#show = show;
    $("past-open").addEventListener("click", () => this.#open());
    $("past-close").addEventListener("click", () => this.#dialog.close());
    $("past-ask").addEventListener("click", () => {
      if ($("past-words").reportValidity()) this.#ask($("past-words").value.trim());
    });
    $("past-spans").addEventListener("click", ({ target }) => {
      if (target.dataset.span) this.#tell(this.#stream, SPANS[target.dataset.span], summaryPath(this.#stream, target.dataset.span));
    });
    $("past-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#search($("past-words").value.trim());
    });
  }

  begin() {
    $("past-open").hidden = false;
  }

  /** The stream that is shown now; empty for none. */
  at(stream) {
    this.#stream = stream;
    $("past-stream").textContent = stream;
    $("past-here").parentElement.hidden = $("past-spans").hidden = !stream;
  }

  /** Say what happened on `stream` in a span of `since`, `until` and `words`. */
  tell(stream, { since, until, words }) {
    this.#dialog.showModal();
    const query = new URLSearchParams({ since, until, timezone: zone() });
    this.#tell(stream, words, `/v1/streams/${stream}/summary?${query}`);
  }

  #open() {
    this.#dialog.showModal();
    $("past-words").focus();
  }

  async #search(words) {
    const query = new URLSearchParams({ q: words });
    if (this.#stream && $("past-here").checked) query.set("streams", this.#stream);
    await this.#do("Looking…", async () => {
      const found = await getJson(`/v1/search?${query}`, { within: SEARCH_WITHIN });
      return () => this.#draw(found);
    });
  }

  /** Ask every camera, or the one that is shown alone. */
  async #ask(question) {
    const streams = this.#stream && $("past-here").checked ? [this.#stream] : [];
    await this.#do("Asking the cameras…", async (current) => {
      const items = new Map();
      const silent = [];
      let asked = [];
      let done = null;
      const take = (line) => {
        if (!current()) return;
        if (line.begun) asked = line.begun.asked;
        if (line.answer) items.set(line.answer.stream, this.#answer(line.answer));
        if (line.unanswered) silent.push(`${line.unanswered.stream}: ${line.unanswered.reason}`);
        done = line.done ?? done;
        this.#list(asked.map((name) => items.get(name)).filter(Boolean)); // they come in no order
        if (!done) this.#say(`Asking the cameras: ${items.size + silent.length} of ${asked.length}…`);
      };
      const body = { question, streams, timezone: zone(), stream: true };
      await postLines("/v1/ask", body, take, { within: ASK_WITHIN });
      if (!done) throw new Error("The service ended before all cameras had answered.");
      return () => {
        const left = done.left_out ? [`${done.left_out} more streams were not asked.`] : [];
        this.#say([done.text, ...silent, ...left].join(" "));
      };
    });
  }

  async #tell(stream, when, path) {
    await this.#do("Looking back…", async () => {
      const told = await getJson(await path, { within: SEARCH_WITHIN });
      return () => {
        const seen = told.seen.slice(0, 6).map(({ name, times }) => `${name} (${times === 1 ? "once" : `${times} times`})`);
        const said = told.moments ? `What ${stream} has shown ${when}` : `Nothing of ${stream} is remembered ${when}`;
        this.#say(`${said}${seen.length ? `: ${seen.join(", ")}` : ""}.`);
        const scenes = told.scenes.map((scene) => [scene.start, this.#scene(stream, scene)]);
        const events = (told.events ?? []).filter((event) => event.verdict !== "rejected").map((event) => [event.start, this.#event(stream, event)]);
        this.#list([...scenes, ...events].sort(([a], [b]) => a - b).map(([, item]) => item));
      };
    });
  }

  /** Say what is done meanwhile, and what went wrong; of several things asked for the newest counts. */
  async #do(meanwhile, work) {
    const mine = ++this.#newest;
    this.#say(meanwhile);
    try {
      await freshTicket(); // for the pictures
      const draw = await work(() => mine === this.#newest);
      if (mine === this.#newest) draw();
    } catch (error) {
      if (mine === this.#newest) this.#say(error.message, true);
    }
  }

  #say(text, bad = false) {
    $("past-said").textContent = text;
    $("past-said").toggleAttribute("data-bad", bad);
  }

  #draw(found) {
    const unmatched = found.unmatched.map((part) => `Moments cannot be matched on “${part}”.`);
    const troubles = found.looked_at.filter((one) => one.trouble).map((one) => `${one.stream}: ${one.trouble}`);
    const left = found.left_out ? [`${found.left_out} more streams were not looked at.`] : [];
    const count = found.total ? `${moments(found.total)} with ${found.understood}.` : `No moment shows ${found.understood}.`;
    this.#say([count, ...unmatched, ...found.notes, ...troubles, ...left].join(" "));
    $("past-found").className = "found";
    $("past-found").replaceChildren(...found.found.map((one) => this.#found(one)));
  }

  #list(items) {
    $("past-found").className = "alert-list";
    $("past-found").replaceChildren(...items);
  }

  #answer(one) {
    const seen = one.seen_last_clock ? `seen last ${when(one.seen_last_clock)}, ` : "";
    const sure = !one.sureness ? "" : ` · ${seen}${Math.round(one.sureness * 100)}\u00a0%\u00a0sure`;
    const best = one.best === null ? null : { start: one.best, end: one.best_end };
    return this.#moment(one.stream, best, one.text, `${one.stream}${sure}`);
  }

  #scene(stream, scene) {
    const news = [...scene.came.map((name) => `${name} comes`), ...scene.left.map((name) => `${name} gone`)];
    const small = [`${when(scene.start_clock)} to ${when(scene.end_clock)}`, ...news].join(" · ");
    return this.#moment(stream, { start: scene.best, end: scene.best_end }, scene.text, small);
  }

  /** What a watch told, between the scenes. */
  #event(stream, event) {
    const moment = event.evidence.at(-1) ?? { start: event.start, end: event.end };
    return this.#moment(stream, moment, event.question, `${new Date(event.at * 1000).toLocaleTimeString()} · told by a watch`);
  }

  #found(one) {
    const lasted = one.end - one.start >= 10 ? ` · ${Math.round(one.end - one.start)} s` : "";
    const small = `${when(one.clock)}${lasted} · ${Math.round(one.score * 100)}\u00a0%\u00a0sure`;
    return this.#moment(one.stream, { start: one.best, end: one.best_end }, one.stream, small);
  }

  /** A picture with words, which leads to its moment; without one, to the stream. */
  #moment(stream, moment, title, small) {
    const item = document.createElement("li");
    const pick = document.createElement("button");
    const image = document.createElement("img");
    image.alt = "";
    image.loading = "lazy";
    if (moment) showMoment(image, stream, moment.start);
    else image.style.visibility = "hidden";
    pick.type = "button";
    pick.append(image, element("b", title), element("small", small));
    pick.addEventListener("click", () => {
      this.#dialog.close();
      this.#show(stream, moment);
    });
    item.append(pick);
    return item;
  }
}

async function summaryPath(stream, span) {
  if (span === "hour") {
    const { end } = await getJson(`/v1/streams/${stream}`);
    return `/v1/streams/${stream}/summary?${new URLSearchParams({ since: (end ?? 0) - HOUR, timezone: zone() })}`;
  }
  const day = new Date(Date.now() - (span === "yesterday" ? DAY : 0)).toLocaleDateString("sv"); // as in ISO 8601
  return `/v1/streams/${stream}/digest?${new URLSearchParams({ day, timezone: zone() })}`;
}

/** The time zone of whoever looks. */
function zone() {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** A clock in ISO 8601, by the clock of whoever looks: the day too, where that is not today. */
function when(clock) {
  const date = new Date(clock);
  const today = date.toDateString() === new Date().toDateString();
  return today ? date.toLocaleTimeString() : date.toLocaleString();
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}
