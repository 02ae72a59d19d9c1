// Where the picture comes from, kept alive: our camera or screen going out, or a stream coming in.

import { Refused } from "./api.js";
import { Pictures } from "./pictures.js";
import { NoPath, Session } from "./rtc.js";

const LONGEST_PAUSE = 10000;
const NO_PATH = "Direct video found no way through (is UDP blocked?), so single pictures are sent instead.";

/** Sends `media` to `stream`: by WebRTC, again whenever it breaks, or as pictures where it cannot. */
export class Sending {
  #closed = false;
  #session = null;
  #pictures = null;
  #pause = 500;
  #timer = 0;

  constructor(media, { stream, video, socket, say, forcePictures }) {
    Object.assign(this, { media, stream, video, socket, say });
    this.leave = () => this.#session?.close(true);
    window.addEventListener("pagehide", this.leave);
    if (forcePictures) this.#fallBack("Single pictures are sent, as the address asks for.");
    else this.#start();
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    window.removeEventListener("pagehide", this.leave);
    this.#session?.close();
    this.#pictures?.close();
    for (const track of this.media.getTracks()) track.stop();
  }

  async #start() {
    const session = new Session(() => this.#again("The video connection broke; connecting again."));
    this.#session = session;
    try {
      await session.send(this.media, this.stream);
      this.#pause = 500;
      this.say("");
    } catch (error) {
      session.close();
      if (this.#closed) return;
      if (error instanceof NoPath) this.#fallBack(NO_PATH);
      else if (error instanceof Refused) this.#refused(error);
      else this.#fallBack(`WebRTC does not work in this browser (${error.message}); single pictures are sent instead.`);
    }
  }

  #refused(error) {
    const hopeless = error.status >= 400 && error.status < 500 && error.status !== 429;
    if (hopeless) this.say(error.message);
    else this.#again(error.message);
  }

  #again(reason) {
    if (this.#closed) return;
    this.say(reason);
    this.#timer = setTimeout(() => this.#start(), this.#pause * (0.75 + Math.random() / 2));
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
  }

  #fallBack(reason) {
    this.say(reason);
    this.#pictures = new Pictures(this.video, this.socket, this.say);
  }
}

/** Shows `stream` in `video` by WHEP, again whenever it breaks; until then a still stands in. */
export class Watching {
  #closed = false;
  #session = null;
  #pause = 1000;
  #timer = 0;

  constructor(stream, { show }) {
    Object.assign(this, { stream, show });
    this.leave = () => this.#session?.close(true);
    window.addEventListener("pagehide", this.leave);
    this.#start();
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    window.removeEventListener("pagehide", this.leave);
    this.#session?.close();
  }

  async #start() {
    const session = new Session(() => this.#again());
    this.#session = session;
    try {
      const media = await session.watch(this.stream);
      this.#pause = 1000;
      if (!this.#closed) this.show(media);
    } catch {
      session.close();
      this.#again();
    }
  }

  #again() {
    if (this.#closed) return;
    this.show(null); // the newest thumbnail stands in
    this.#timer = setTimeout(() => this.#start(), this.#pause);
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
  }
}
