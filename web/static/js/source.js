// Where the picture comes from, kept alive: our camera or screen going out, or a stream coming in.

import { getJson, Refused } from "./api.js";
import { PathFinder } from "./path.js";
import { Pictures } from "./pictures.js";
import { NoPath, Session } from "./rtc.js";

const SHORTEST_PAUSE = 500;
const LONGEST_PAUSE = 10000;
const ASK_WITHIN = 5000;
const NEWS_FOR = 10000;
const LASTING = 10000; // a connection that held so long is no reason to wait longer for the next
const WORTH_ANOTHER_TRY = new Set([0, 408, 425, 429]);
const BROKE = "The video connection broke; connecting again.";
const AWAY = "The service cannot be reached; connecting again.";
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
  #since = Infinity;
  #cutShort = false;
  #unsure = false;
  #ended = null;
  #waiting = false;
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
    let session = null;
    try {
      this.#session = session = new Session(() => this.#broke());
      await session.send(this.media, this.stream);
      if (this.#closed) return;
      this.#worked = true;
      this.#since = performance.now();
      this.#cutShort = this.#unsure = false;
      this.#path.reset();
      this.say(news);
      if (news) this.#timer = setTimeout(() => this.say(""), NEWS_FOR);
    } catch (error) {
      session?.close();
      if (this.#closed) return;
      if (error instanceof Refused) this.#refused(error);
      else if (error instanceof NoPath) this.#withoutPath(session);
      else this.#fallBack(`WebRTC does not work in this browser (${error.message}); single pictures are sent instead.`);
    }
  }

  #refused({ status, message }) {
    if (status >= 500 || WORTH_ANOTHER_TRY.has(status)) this.#again(message);
    else this.#fallBack(`${message} Single pictures are sent instead.`);
  }

  /** No picture came through: is there no way, or is nobody at its end any more? */
  async #withoutPath(session) {
    const over = await session.close();
    if (this.#closed) return;
    if (!over) this.#again(AWAY);
    else if (session.forgotten && !this.#cutShort) {
      this.#cutShort = true;
      this.#again(BROKE);
    } else {
      this.#fallBack(NO_PATH);
      this.#path.start();
    }
  }

  /** What worked is over: say why where the service knows, and connect again. */
  async #broke() {
    const session = this.#session;
    this.#again(BROKE);
    const over = await session.close();
    const waits = this.#waiting && session === this.#session && !this.#closed;
    if (over && session.forgotten && this.#ended && waits) this.say(`${this.#ended} Connecting again.`);
  }

  #again(reason) {
    if (this.#closed) return;
    this.say(reason);
    clearTimeout(this.#timer);
    if (performance.now() - this.#since > LASTING) this.#pause = SHORTEST_PAUSE;
    this.#since = Infinity;
    this.#waiting = true;
    this.#timer = setTimeout(() => this.#retry(), this.#pause * (0.75 + Math.random() / 2));
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
  }

  /** Be told how the stream is doing: what it first says once it has ended is why. */
  hear({ state, reason }) {
    if (state === "ended") this.#ended ??= reason;
    else this.#ended = null;
  }

  /** Connect now rather than later, if it waits to. */
  wake() {
    if (this.#waiting) this.#retry();
  }

  async #retry() {
    clearTimeout(this.#timer);
    this.#waiting = false;
    const session = this.#session;
    const over = await session.close();
    this.#unsure ||= session.unsure;
    // Only now can be told whether another source is there, unless it may be one of our own.
    const ask = over && !this.#unsure && (this.#worked || session.forgotten);
    const status = ask ? await this.#status() : null;
    if (this.#closed) return;
    if (!over || status === undefined) this.#again(AWAY);
    else if (status && status.state !== "ended") this.taken();
    else this.#start();
  }

  #fallBack(reason) {
    this.say(reason);
    const taken = () => this.#picturesEnded(reason);
    const say = (trouble) => this.say(trouble || reason);
    this.#pictures = new Pictures(this.video, this.stream, { say, taken });
  }

  async #picturesEnded(reason) {
    const pictures = this.#pictures;
    pictures.close();
    const status = await this.#status();
    if (this.#closed || this.#pictures !== pictures) return;
    if (status && status.state !== "ended") this.taken();
    else this.#fallBack(reason);
  }

  #goBack() {
    this.#pictures.close();
    this.#pictures = null;
    this.#start(PATH_FOUND);
  }

  /** How the stream is doing when we do not feed it; null if there is none, undefined if nobody can say. */
  #status() {
    const none = ({ status }) => (status === 404 ? null : undefined);
    return getJson(`/v1/streams/${this.stream}`, { within: ASK_WITHIN }).catch(none);
  }
}

/** Shows `stream` in `video` by WHEP, again whenever it breaks; until then a still stands in. */
export class Watching {
  #closed = false;
  #session = null;
  #pause = 1000;
  #waiting = false;
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

  /** Connect now rather than later, if it waits to. */
  wake() {
    if (this.#waiting) this.#start();
  }

  async #start() {
    clearTimeout(this.#timer);
    this.#waiting = false;
    let session = null;
    try {
      this.#session = session = new Session(() => this.#again());
      const media = await session.watch(this.stream);
      this.#pause = 1000;
      if (!this.#closed) this.show(media);
    } catch {
      session?.close();
      this.#again();
    }
  }

  #again() {
    if (this.#closed) return;
    this.show(null); // the newest thumbnail stands in
    this.#waiting = true;
    this.#timer = setTimeout(() => this.#start(), this.#pause);
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
  }
}
