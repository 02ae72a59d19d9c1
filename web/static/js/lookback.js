// Looking back over all cameras: moments by the words of what they show.

import { freshTicket, getJson, showMoment } from "./api.js";
import { moments } from "./format.js";

const SEARCH_WITHIN = 60_000; // the first search of a long stream reads all of it

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
    $("past-here").parentElement.hidden = !stream;
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

  /** Say what is done meanwhile, and what went wrong; of several things asked for the newest counts. */
  async #do(meanwhile, work) {
    const mine = ++this.#newest;
    this.#say(meanwhile);
    try {
      await freshTicket(); // for the pictures
      const draw = await work();
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
    $("past-found").replaceChildren(...found.found.map((one) => this.#found(one)));
  }

  #found(one) {
    const lasted = one.end - one.start >= 10 ? ` · ${Math.round(one.end - one.start)} s` : "";
    const small = `${when(one.clock)}${lasted} · ${Math.round(one.score * 100)} % sure`;
    return this.#moment(one.stream, { start: one.best, end: one.best_end }, one.stream, small);
  }

  /** A picture with words, which leads to its moment. */
  #moment(stream, moment, title, small) {
    const item = document.createElement("li");
    const pick = document.createElement("button");
    const image = document.createElement("img");
    image.alt = "";
    image.loading = "lazy";
    showMoment(image, stream, moment.start);
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
