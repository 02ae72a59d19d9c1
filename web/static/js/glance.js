// How a stream is doing, for who may not ask about it: in place of the WebSocket, which is for questions.

import { getJson } from "./api.js";
import { mayDo } from "./rights.js";

const EVERY = 3000;
const ABSENT = 404;

export class Glance extends EventTarget {
  #stream;
  #timer = 0;
  #closed = false;
  #there = null;
  #end = null;

  constructor(stream) {
    super();
    this.#stream = stream;
    this.#timer = setTimeout(() => this.#look()); // once someone listens
  }

  get open() {
    return this.#there === true;
  }

  get waiting() {
    return 0;
  }

  /** Nothing can be sent. */
  send() {
    return false;
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #look() {
    try {
      if (mayDo("watch")) await this.#tell();
      this.#reached(true);
    } catch (error) {
      this.#reached(error.status === ABSENT);
      if (error.status === ABSENT) this.#say("flashback.absent", {});
    }
    if (!this.#closed) this.#timer = setTimeout(() => this.#look(), EVERY);
  }

  async #tell() {
    const stream = await getJson(`/v1/streams/${this.#stream}`);
    this.#say("flashback.stream", { stream });
    if (stream.end === this.#end) return;
    this.#end = stream.end;
    const { moments } = await getJson(`/v1/streams/${this.#stream}/moments?limit=20`);
    for (const moment of moments) this.#say("flashback.moment", { moment });
  }

  #reached(there) {
    if (there === this.#there) return;
    this.#there = there;
    this.#say("state", there ? "open" : "lost");
  }

  #say(type, detail) {
    if (!this.#closed) this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
