// The choice of what to watch: camera, screen, an address to pull from, or any stream there is.

import { call, freshTicket, getJson, postJson } from "./api.js";
import { duration } from "./format.js";
import { mayDo } from "./rights.js";
import { showStatus, streamItem } from "./tile.js";
import { Wall } from "./wall.js";

const $ = (id) => document.getElementById(id);
const REFRESH = 3000;
const MOST = 50;
const TEST_WITHIN = 60_000; // a camera that is slow is given half of it

export class Picker {
  #box = $("picker");
  #timer = 0;
  #items = new Map();
  #wall = new Wall();
  #actions;

  /** `actions`: camera(), screen(), watch(name), and reached(there), told whether the service answers. */
  constructor(actions) {
    this.#actions = actions;
    $("pick-camera").onclick = () => actions.camera();
    $("pick-screen").onclick = () => actions.screen();
    $("pick-url").onclick = () => this.#showForm($("add").hidden);
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
    this.#wall.close();
  }

  async #refresh() {
    clearTimeout(this.#timer);
    if (this.#box.hidden) return;
    if (!mayDo("watch")) {
      this.#reached(true);
      return;
    }
    try {
      await freshTicket();
      const { streams } = await getJson("/v1/streams?limit=1000");
      this.#draw(streams);
      this.#reached(true);
    } catch {
      this.#reached(false); // the list stays as it was
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#refresh(), REFRESH);
  }

  #reached(there) {
    if (!this.#box.hidden) this.#actions.reached(there);
  }

  // Items are kept and changed, not made anew: a click finds its button, a picture does not flicker.
  #draw(streams) {
    const order = (s) => (s.state === "ended" ? 1 : 0);
    const shown = streams.toSorted((a, b) => order(a) - order(b)).slice(0, MOST);
    const items = shown.map((status) => this.#update(status));
    const list = $("streams");
    for (const old of [...list.children]) {
      if (!items.includes(old)) old.remove();
    }
    items.forEach((item, place) => {
      if (list.children[place] !== item) list.insertBefore(item, list.children[place] ?? null);
    });
    this.#items = new Map(shown.map((status, place) => [status.name, items[place]]));
    const tile = ({ name, state }, place) => [
      items[place],
      { stream: name, live: state === "live", video: items[place].querySelector("video") },
    ];
    if (!this.#box.hidden) this.#wall.show(new Map(shown.map(tile)));
  }

  #update(status) {
    const item = this.#items.get(status.name) ?? streamItem(status.name, this.#actions.watch, (s) => this.#ask(s));
    showStatus(item, status);
    // A browser that is sending would only begin anew.
    item.querySelector(".remove").hidden = !status.origin && status.state !== "ended";
    return item;
  }

  #ask(stream) {
    const dialog = $("removal");
    $("removal-title").textContent = `Remove ${stream}?`;
    $("removal-wrong").textContent = "";
    $("removal-form").onsubmit = async (event) => {
      if (event.submitter?.value !== "remove") return;
      event.preventDefault();
      try {
        await call(`/v1/streams/${stream}`, { method: "DELETE" });
        dialog.close();
        this.#refresh();
      } catch (error) {
        $("removal-wrong").textContent = error.message;
      }
    };
    dialog.showModal();
  }

  #showForm(open) {
    $("add").hidden = !open;
    $("pick-url").setAttribute("aria-expanded", String(open));
    if (open) $("add-name").focus();
  }

  async #test() {
    if (!$("add-url").reportValidity()) return;
    this.#busy("Looking…");
    try {
      const found = await postJson("/v1/streams/test", { url: $("add-url").value }, { within: TEST_WITHIN });
      const rate = found.rate ? `, ${found.rate} pictures a second` : "";
      const after = `first picture after ${duration(found.first_picture_ms)}`;
      this.#say(`It works: ${found.codec}, ${found.width} × ${found.height}${rate}, ${after}.`, "good");
    } catch (error) {
      this.#say(error.message, "bad");
    }
  }

  async #add() {
    if ($("add-test").disabled) return; // one thing at a time
    const name = $("add-name").value;
    this.#busy("Connecting…");
    try {
      await postJson("/v1/streams", { name, url: $("add-url").value });
      this.#say("");
      $("add").reset(); // with it any password leaves the page
      this.#showForm(false);
      if (!this.#box.hidden) this.#actions.watch(name); // else another was chosen meanwhile
    } catch (error) {
      this.#say(error.message, "bad");
    }
  }

  /** Say what is being done; nothing else can be asked for until `#say` is called. */
  #busy(text) {
    this.#say(text);
    for (const button of $("add").querySelectorAll("button")) button.disabled = true;
  }

  #say(text, kind = "") {
    for (const button of $("add").querySelectorAll("button")) button.disabled = false;
    $("add-result").textContent = text;
    $("add-result").dataset.kind = kind;
  }
}
