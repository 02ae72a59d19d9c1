// The big picture: live video, the newest thumbnail where there is none, or a moment of the past.

import { pictureAddress, showMoment } from "./api.js";
import { drawFacts, STATES } from "./facts.js";
import { clock, wall } from "./format.js";

const NOTHING = "There is no stream of this name now. It shows here as soon as it begins.";
const $ = (id) => document.getElementById(id);

export class Stage {
  #video = $("video");
  #still = $("still");
  #stream = "";
  #status = null;
  #absent = false;
  #newest = null;
  #past = null;
  #media = null;
  #live;

  /** How often a stream is to be looked at, in pictures a second. */
  wantedRate = 0;

  /** `live()` is called when someone goes back to the live picture. */
  constructor(live) {
    this.#live = live;
    this.#video.addEventListener("playing", () => (this.#video.dataset.playing = ""));
    $("back").addEventListener("click", () => this.live());
    $("save").addEventListener("click", () => this.#save());
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.#past) this.live();
    });
  }

  get video() {
    return this.#video;
  }

  reset(stream) {
    this.#stream = stream;
    this.#status = this.#newest = this.#past = null;
    this.#absent = false;
    this.play(null);
    this.#draw();
  }

  play(media) {
    this.#media = media;
    delete this.#video.dataset.playing;
    this.#video.srcObject = media;
    this.#draw();
  }

  status(status) {
    this.#status = status;
    this.#absent = false;
    this.#draw();
  }

  /** There is no such stream: not yet, or not any more. */
  absent() {
    this.#status = null;
    this.#absent = true;
    this.#draw();
  }

  /** Of what was shown before nothing is left. */
  forget() {
    if (this.#past) this.#live();
    this.#newest = this.#past = null;
    this.#draw();
  }

  remembered(moment) {
    if (this.#newest && moment.start < this.#newest.start) return;
    this.#newest = moment;
    this.#draw();
  }

  /** Show a moment of the past until someone goes back. */
  past(moment) {
    this.#past = moment;
    this.#draw();
  }

  live() {
    this.#past = null;
    this.#draw();
    this.#live();
  }

  #draw() {
    const still = this.#past ?? (this.#media ? null : this.#newest);
    this.#video.hidden = !this.#media || Boolean(this.#past);
    this.#still.hidden = !still;
    if (still) showMoment(this.#still, this.#stream, still.start);
    this.#still.alt = this.#past ? `What was shown at ${clock(this.#past.start)}` : "The newest remembered picture";
    $("back").hidden = $("save").hidden = !this.#past;
    this.#badge();
    this.#caption();
    drawFacts(this.#status, this.wantedRate);
  }

  /** Have the link that was clicked lead to the moment that is shown, with a ticket of now. */
  #save() {
    $("save").href = pictureAddress(this.#stream, this.#past.start);
    $("save").download = `${this.#stream}-${clock(this.#past.start).replaceAll(":", "-")}.jpg`;
  }

  #nothing() {
    return this.#absent && !this.#media ? NOTHING : "";
  }

  #badge() {
    const badge = $("badge");
    const status = this.#status;
    badge.hidden = !status;
    if (!status) return;
    badge.dataset.state = this.#past ? "past" : status.state;
    const when = this.#past && `${clock(this.#past.start)} – ${clock(this.#past.end)}, at ${wall(status.began, this.#past.start)}`;
    badge.textContent = when || STATES[status.state];
  }

  #caption() {
    const status = this.#status;
    const caption = $("caption");
    const trouble = status ? (status.memory ?? (status.state === "live" ? "" : status.reason)) : this.#nothing();
    caption.hidden = !trouble || Boolean(this.#past);
    caption.textContent = trouble || "";
  }
}
