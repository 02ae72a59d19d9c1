// Looks from time to time whether WebRTC has found a path by now, while single pictures are sent.
// It watches the stream for a moment: a second sender would end the pictures before it is known to arrive.

import { Session } from "./rtc.js";

const FIRST_PAUSE = 60_000;
const LONGEST_PAUSE = 600_000;

export class PathFinder {
  #stream;
  #found;
  #pause = FIRST_PAUSE;
  #timer = 0;
  #session = null;
  #looking = false;
  #online = () => this.#look();

  /** `found()` is called once there is a path; nothing is looked for from then on. */
  constructor(stream, found) {
    this.#stream = stream;
    this.#found = found;
  }

  start() {
    this.stop();
    this.#looking = true;
    window.addEventListener("online", this.#online);
    this.#wait();
  }

  stop() {
    this.#looking = false;
    window.removeEventListener("online", this.#online);
    clearTimeout(this.#timer);
    this.#session?.close();
    this.#session = null;
  }

  /** A path has proved itself: look soon again should it be lost. */
  reset() {
    this.#pause = FIRST_PAUSE;
  }

  #wait() {
    this.#timer = setTimeout(() => this.#look(), this.#pause * (0.75 + Math.random() / 4));
    this.#pause = Math.min(this.#pause * 1.5, LONGEST_PAUSE);
  }

  async #look() {
    if (this.#session) return;
    clearTimeout(this.#timer);
    const session = new Session(() => {});
    this.#session = session;
    const there = await session.watch(this.#stream).then(() => true, () => false);
    session.close();
    if (this.#session !== session) return;
    this.#session = null;
    if (!there) {
      this.#wait();
      return;
    }
    this.stop();
    this.#found();
  }
}
