// Where the picture comes from, kept alive: our camera or screen going out, or a stream coming in.

import { getJson, Refused } from "./api.js";
import { PathFinder } from "./path.js";
import { Pictures } from "./pictures.js";
import { NoPath, Session } from "./rtc.js";

const SHORTEST_PAUSE = 500;
const LONGEST_PAUSE = 10000;
const ASK_WITHIN = 5000;
const NEWS_FOR = 10000;
const NO_PATH = "Direct video found no way through (is UDP blocked?), so single pictures are sent instead.";
const PATH_FOUND = "Direct video has found a way through: it is sent now instead of single pictures.";

/**
 * Sends `media` to `stream`: by WebRTC, again whenever it breaks, or as pictures where it cannot.
 * `taken()` is called, and nothing sent any more, when another source has the stream.
 */
export class Sending {
  #closed = false;
  #worked = false;
  #session = null;
  #pictures = null;
  #path;
  #pause = SHORTEST_PAUSE;
  #timer = 0;

  constructor(media, { stream, video, say, taken, forcePictures }) {
    Object.assign(this, { media, stream, video, say, taken });
    this.leave = () => this.#session?.close(true);
    window.addEventListener("pagehide", this.leave);
    this.#path = new PathFinder(stream, () => this.#goBack());
    if (forcePictures) this.#fallBack("Single pictures are sent, as the address asks for.");
    else this.#start();
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    window.removeEventListener("pagehide", this.leave);
    this.#path.stop();
    this.#session?.close();
    this.#pictures?.close();
    for (const track of this.media.getTracks()) track.stop();
  }

  async #start(news = "") {
    const session = new Session(() => this.#again("The video connection broke; connecting again."));
    this.#session = session;
    try {
      await session.send(this.media, this.stream);
      if (this.#closed) return;
      this.#worked = true;
      this.#pause = SHORTEST_PAUSE;
      this.#path.reset();
      this.say(news);
      if (news) this.#timer = setTimeout(() => this.say(""), NEWS_FOR);
    } catch (error) {
      session.close();
      if (this.#closed) return;
      if (error instanceof Refused) this.#refused(error);
      else if (error instanceof NoPath) {
        this.#fallBack(NO_PATH);
        this.#path.start();
      } else this.#fallBack(`WebRTC does not work in this browser (${error.message}); single pictures are sent instead.`);
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
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#retry(), this.#pause * (0.75 + Math.random() / 2));
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
  }

  async #retry() {
    // Only once our old session is surely over can be told whether another source is there.
    const over = await this.#session.close();
    const taken = over && this.#worked && (await this.#hasAnother());
    if (this.#closed) return;
    if (!over) this.#again("The service cannot be reached; connecting again.");
    else if (taken) this.taken();
    else this.#start();
  }

  #fallBack(reason) {
    this.say(reason);
    const taken = () => this.#picturesEnded(reason);
    this.#pictures = new Pictures(this.video, this.stream, { say: this.say, taken });
  }

  async #picturesEnded(reason) {
    const pictures = this.#pictures;
    pictures.close();
    const taken = await this.#hasAnother();
    if (this.#closed || this.#pictures !== pictures) return;
    if (taken) this.taken();
    else this.#fallBack(reason);
  }

  #goBack() {
    this.#pictures.close();
    this.#pictures = null;
    this.#start(PATH_FOUND);
  }

  /** Whether something feeds the stream, at a time when we do not. */
  async #hasAnother() {
    const signal = AbortSignal.timeout(ASK_WITHIN);
    const status = await getJson(`/v1/streams/${this.stream}`, { signal }).catch(() => null);
    return status !== null && status.state !== "ended";
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
