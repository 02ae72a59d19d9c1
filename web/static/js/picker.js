// The choice of what to watch: camera, screen, an address to pull from, or any stream there is.

import { getJson, postJson } from "./api.js";
import { moments } from "./format.js";

const $ = (id) => document.getElementById(id);
const REFRESH = 3000;
const WORDS = { live: "live", connecting: "connecting", stalled: "stalled", retrying: "retrying", ended: "remembered" };

export class Picker {
  #box = $("picker");
  #timer = 0;
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
      const { streams } = await getJson("/v1/streams");
      this.#draw(streams);
    } catch {
      // The pill at the top says that the service is away; the list stays as it was.
    }
    this.#timer = setTimeout(() => this.#refresh(), REFRESH);
  }

  #draw(streams) {
    const order = (s) => (s.state === "ended" ? 1 : 0);
    const focused = document.activeElement?.dataset?.stream;
    const items = streams.toSorted((a, b) => order(a) - order(b)).slice(0, 50).map((s) => this.#item(s));
    $("streams").replaceChildren(...items);
    if (focused) $("streams").querySelector(`[data-stream="${focused}"]`)?.focus();
  }

  #item(status) {
    const button = document.createElement("button");
    const dot = document.createElement("span");
    const name = document.createElement("b");
    const note = document.createElement("small");
    button.type = "button";
    button.dataset.stream = status.name;
    button.title = status.reason;
    dot.className = "dot";
    dot.dataset.state = status.state;
    name.textContent = status.name;
    note.textContent = `${WORDS[status.state]} · ${moments(status.clips)}`;
    button.append(dot, name, note);
    button.onclick = () => this.#actions.watch(status.name);
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
