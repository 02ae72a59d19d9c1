// The choice of what to watch: camera, screen, an address to pull from, or any stream there is.

import { freshTicket, getJson, newestUrl, postJson } from "./api.js";
import { moments } from "./format.js";

const $ = (id) => document.getElementById(id);
const REFRESH = 3000;
const WORDS = { live: "live", connecting: "connecting", stalled: "stalled", retrying: "retrying", ended: "remembered" };

export class Picker {
  #box = $("picker");
  #timer = 0;
  #items = new Map();
  #actions;

  /** `actions`: camera(), screen(), watch(name). */
  constructor(actions) {
    this.#actions = actions;
    $("pick-camera").onclick = () => actions.camera();
    $("pick-screen").onclick = () => actions.screen();
    $("pick-url").onclick = () => this.#toggleForm();
    $("add-test").onclick = () => this.#test();
    $("add").onsubmit = (event) => {
      event.preventDefault();
      this.#add();
    };
    $("pick-screen").hidden = !navigator.mediaDevices?.getDisplayMedia;
  }

  open() {
    this.#box.hidden = false;
    this.#refresh();
  }

  close() {
    this.#box.hidden = true;
    clearTimeout(this.#timer);
  }

  async #refresh() {
    clearTimeout(this.#timer);
    if (this.#box.hidden) return;
    try {
      await freshTicket();
      const { streams } = await getJson("/v1/streams");
      this.#draw(streams);
    } catch {
      // The pill at the top says that the service is away; the list stays as it was.
    }
    this.#timer = setTimeout(() => this.#refresh(), REFRESH);
  }

  // Items are kept and changed, not made anew: a click finds its button, a picture does not flicker.
  #draw(streams) {
    const order = (s) => (s.state === "ended" ? 1 : 0);
    const shown = streams.toSorted((a, b) => order(a) - order(b)).slice(0, 50);
    const items = shown.map((status) => this.#update(status));
    const list = $("streams");
    for (const old of [...list.children]) {
      if (!items.includes(old)) old.remove();
    }
    items.forEach((item, place) => {
      if (list.children[place] !== item) list.insertBefore(item, list.children[place] ?? null);
    });
    this.#items = new Map(shown.map((status, place) => [status.name, items[place]]));
    list.classList.toggle("wall", items.length > 1);
  }

  #update(status) {
    const item = this.#items.get(status.name) ?? this.#item(status.name);
    item.firstChild.title = status.reason;
    item.querySelector(".dot").dataset.state = status.state;
    item.querySelector("small").textContent = `${WORDS[status.state]} · ${moments(status.clips)}`;
    const image = item.querySelector("img");
    image.hidden = !status.clips;
    const version = String(status.end);
    if (status.clips && image.dataset.version !== version) {
      image.dataset.version = version;
      image.src = newestUrl(status.name, version);
    }
    return item;
  }

  #item(stream) {
    const button = document.createElement("button");
    const image = document.createElement("img");
    const dot = document.createElement("span");
    const name = document.createElement("b");
    button.type = "button";
    button.onclick = () => this.#actions.watch(stream);
    image.alt = "";
    dot.className = "dot";
    name.textContent = stream;
    button.append(image, dot, name, document.createElement("small"));
    const item = document.createElement("li");
    item.append(button);
    return item;
  }

  #toggleForm() {
    const open = $("add").hidden;
    $("add").hidden = !open;
    $("pick-url").setAttribute("aria-expanded", String(open));
    if (open) $("add-name").focus();
  }

  async #test() {
    if (!$("add-url").reportValidity()) return;
    $("add-result").textContent = "Looking…";
    try {
      const found = await postJson("/v1/streams/test", { url: $("add-url").value });
      $("add-result").textContent = `${found.codec}, ${found.width} × ${found.height}, ${found.rate ?? "?"} pictures a second`;
    } catch (error) {
      $("add-result").textContent = error.message;
    }
  }

  async #add() {
    const name = $("add-name").value;
    $("add-result").textContent = "Connecting…";
    try {
      await postJson("/v1/streams", { name, url: $("add-url").value });
      $("add-result").textContent = "";
      $("add").reset();
      this.#actions.watch(name);
    } catch (error) {
      $("add-result").textContent = error.message;
    }
  }
}
