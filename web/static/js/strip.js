// The film strip: one thumbnail a remembered moment, oldest first, with peaks of evidence.

import { showMoment } from "./api.js";
import { clock } from "./format.js";

const MOST = 600; // older moments leave the page, not the memory
const GAP_SECONDS = 6;
const PERIODS_IN_A_GAP = 3;

export class Strip {
  #list = document.getElementById("strip");
  #empty = document.getElementById("strip-empty");
  #moments = new Map();
  #stream = "";
  #show;

  /** How often a stream is to be looked at, in pictures a second: rare looks alone are no gap. */
  wantedRate = 1;

  /** `show(moment)` is called when someone picks a moment. */
  constructor(show) {
    this.#show = show;
    this.#list.addEventListener("keydown", (event) => this.#move(event));
  }

  reset(stream) {
    this.#stream = stream;
    this.#moments.clear();
    this.#list.replaceChildren();
    this.#empty.hidden = false;
  }

  /** Add a moment in its place; one that is there already is passed over. */
  add(moment, fresh = true) {
    if (this.#moments.has(moment.start)) return;
    const atEnd = this.#list.scrollWidth - this.#list.scrollLeft - this.#list.clientWidth < 160;
    // What was missed may come after what has just been remembered.
    const before = [...this.#list.children].findLast((item) => item.moment.start < moment.start);
    const item = document.createElement("li");
    const button = this.#button(moment, fresh);
    item.moment = moment;
    item.append(button);
    if (before) before.after(item);
    else this.#list.prepend(item);
    this.#gap(item);
    this.#gap(item.nextElementSibling);
    this.#moments.set(moment.start, button);
    this.#empty.hidden = true;
    while (this.#moments.size > MOST) this.#forget();
    if (this.#moments.size === 1) button.tabIndex = 0;
    if (atEnd) this.#list.scrollLeft = this.#list.scrollWidth;
  }

  /** Let peaks grow with the score of each moment; the tallest is the moment that weighed most. */
  mark(evidence) {
    const most = Math.max(...evidence.map((part) => part.score), 0);
    for (const button of this.#moments.values()) this.#peak(button, 0);
    for (const part of evidence) {
      const button = this.#moments.get(part.start);
      if (button && most) this.#peak(button, part.score / most, part.score);
    }
  }

  /** Show which moment is being looked at; null is live. */
  press(start) {
    for (const [time, button] of this.#moments) button.setAttribute("aria-pressed", String(time === start));
    this.#moments.get(start)?.scrollIntoView({ block: "nearest", inline: "center", behavior: "smooth" });
  }

  #button(moment, fresh) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = `moment${fresh ? " new" : ""}`;
    button.tabIndex = -1;
    button.dataset.label = `Moment ${clock(moment.start)} to ${clock(moment.end)}`;
    button.setAttribute("aria-label", button.dataset.label);
    button.setAttribute("aria-pressed", "false");
    const peak = document.createElement("span");
    peak.className = "peak";
    peak.append(document.createElement("i"));
    const image = document.createElement("img");
    image.loading = "lazy";
    image.alt = "";
    showMoment(image, this.#stream, moment.start);
    const time = document.createElement("time");
    time.textContent = clock(moment.start);
    button.append(peak, image, time);
    button.onclick = () => {
      this.#focusable(button);
      this.#show(moment);
    };
    return button;
  }

  /** Mark `item` if nothing is remembered of the time before it. */
  #gap(item) {
    const before = item?.previousElementSibling;
    if (!item) return;
    const away = Math.max(GAP_SECONDS, PERIODS_IN_A_GAP / this.wantedRate);
    const gap = before && item.moment.start - before.moment.end > away;
    item.firstChild.classList.toggle("gap", Boolean(gap));
  }

  #peak(button, share, score = 0) {
    button.querySelector("i").style.setProperty("--share", share.toFixed(3));
    const weight = share ? `, evidence ${Math.round(score * 100)} percent` : "";
    button.setAttribute("aria-label", button.dataset.label + weight);
    button.title = share ? `${Math.round(score * 100)} % of what the answer rests on` : "";
  }

  #forget() {
    const oldest = this.#list.firstElementChild;
    this.#moments.delete(oldest.moment.start);
    oldest.remove();
    if (!this.#list.querySelector('[tabindex="0"]')) this.#list.querySelector("button").tabIndex = 0;
  }

  #focusable(button) {
    for (const other of this.#list.querySelectorAll('[tabindex="0"]')) other.tabIndex = -1;
    button.tabIndex = 0;
  }

  #move(event) {
    const buttons = [...this.#list.querySelectorAll("button")];
    const here = buttons.indexOf(document.activeElement);
    const there = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (there === undefined || !buttons[there]) return;
    event.preventDefault();
    this.#focusable(buttons[there]);
    buttons[there].focus();
    buttons[there].scrollIntoView({ block: "nearest", inline: "nearest" });
  }
}
