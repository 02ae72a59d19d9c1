// All cameras on one wall: 1, 4, 9 or 16 at once, live where they are in view, with state and last event.

import { freshTicket, getJson } from "./api.js";
import { showStatus, streamItem } from "./tile.js";
import { Wall } from "./wall.js";

const REFRESH = 3000;
const MOST_LIVE = 9; // each costs the service a video encoder, and this page its picture's bandwidth
const SIZE = "flashback.wall";
const SIZES = [1, 4, 9, 16];

const $ = (id) => document.getElementById(id);

export class Board {
  #box = $("board");
  #wall = new Wall(MOST_LIVE);
  #items = new Map();
  #streams = [];
  #size = SIZES.includes(Number(localStorage.getItem(SIZE))) ? Number(localStorage.getItem(SIZE)) : 9;
  #page = 0;
  #timer = 0;
  #actions;

  /** `actions`: watch(name), close(), reached(there), and newest(name), the last event of a stream or null. */
  constructor(actions) {
    this.#actions = actions;
    $("board-close").addEventListener("click", () => actions.close());
    $("board-before").addEventListener("click", () => this.#turn(-1));
    $("board-after").addEventListener("click", () => this.#turn(1));
    for (const size of SIZES) {
      $(`board-${size}`).checked = size === this.#size;
      $(`board-${size}`).addEventListener("change", () => this.#resize(size));
    }
    this.#box.addEventListener("keydown", (event) => this.#key(event));
  }

  get open() {
    return !this.#box.hidden;
  }

  show() {
    this.#box.hidden = false;
    document.querySelector("main").hidden = true;
    $(`board-${this.#size}`).focus();
    this.#refresh();
  }

  hide() {
    if (!this.open) return;
    this.#box.hidden = true;
    document.querySelector("main").hidden = false;
    clearTimeout(this.#timer);
    this.#wall.close();
  }

  async #refresh() {
    clearTimeout(this.#timer);
    if (!this.open) return;
    try {
      await freshTicket(); // for the pictures
      const { streams } = await getJson("/v1/streams?limit=1000");
      const order = (s) => (s.state === "ended" ? 1 : 0);
      this.#streams = streams.toSorted((a, b) => order(a) - order(b));
      this.#actions.reached(true);
    } catch {
      this.#actions.reached(false); // the wall stays as it was
    }
    if (!this.open) return;
    this.#draw();
    this.#timer = setTimeout(() => this.#refresh(), REFRESH);
  }

  #resize(size) {
    const first = this.#page * this.#size;
    this.#size = size;
    this.#page = Math.floor(first / size);
    localStorage.setItem(SIZE, String(size));
    this.#draw();
  }

  #turn(by) {
    this.#page += by;
    this.#draw();
  }

  /** Arrows on a tile lead to its neighbours; page keys turn. */
  #key(event) {
    if (event.key === "PageDown" && !$("board-after").disabled) this.#turn(1);
    if (event.key === "PageUp" && !$("board-before").disabled) this.#turn(-1);
    const tiles = [...$("board-tiles").querySelectorAll(".tile")];
    const here = tiles.indexOf(document.activeElement);
    const across = getComputedStyle($("board-tiles")).gridTemplateColumns.split(" ").length;
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -across, ArrowDown: across }[event.key];
    if (here < 0 || !by || !tiles[here + by]) return;
    event.preventDefault();
    tiles[here + by].focus();
  }

  #draw() {
    const pages = Math.max(1, Math.ceil(this.#streams.length / this.#size));
    this.#page = Math.min(Math.max(this.#page, 0), pages - 1);
    const shown = this.#streams.slice(this.#page * this.#size, (this.#page + 1) * this.#size);
    const items = new Map(shown.map((status) => [status.name, this.#item(status)]));
    const list = $("board-tiles");
    list.dataset.size = this.#size;
    for (const old of [...list.children]) {
      if (![...items.values()].includes(old)) old.remove();
    }
    [...items.values()].forEach((item, place) => {
      if (list.children[place] !== item) list.insertBefore(item, list.children[place] ?? null);
    });
    this.#items = items;
    $("board-before").disabled = this.#page === 0;
    $("board-after").disabled = this.#page === pages - 1;
    $("board-page").textContent = pages > 1 ? `${this.#page + 1} of ${pages}` : "";
    $("board-none").hidden = this.#streams.length > 0;
    const tile = ({ name, state }) => [
      items.get(name),
      { stream: name, live: state === "live", video: items.get(name).querySelector("video") },
    ];
    this.#wall.show(new Map(shown.map(tile)));
  }

  // Items are kept and changed, not made anew: a click finds its button, a picture does not flicker.
  #item(status) {
    const item = this.#items.get(status.name) ?? streamItem(status.name, this.#actions.watch);
    showStatus(item, status);
    const event = this.#actions.newest(status.name);
    const going = event?.open ? "now" : event && new Date(event.at * 1000).toLocaleTimeString();
    item.querySelector(".event").textContent = event ? `${event.question} · ${going}` : "";
    item.firstChild.classList.toggle("alarmed", Boolean(event?.open));
    return item;
  }
}
