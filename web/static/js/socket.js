// The WebSocket to one stream. Reconnects by itself, with growing pauses, and says how it is.

import { at, call, dropTicket, freshTicket } from "./api.js";

const UPGRADE_REQUIRED = 426;
const SHORTEST_PAUSE = 400;
const LONGEST_PAUSE = 8000;
const OPEN_WITHIN = 15_000;
const QUIET_FOR = 10_000; // a network that went away while a laptop slept closes nothing: ask who is there
const LOOK_EVERY = 5000;

export class Socket extends EventTarget {
  #stream;
  #socket = null;
  #closed = false;
  #lost = false;
  #unopened = 0;
  #pause = SHORTEST_PAUSE;
  #timer = 0;
  #watch = 0;
  #heard = 0;
  #asked = 0;
  #online = () => this.#wake();

  constructor(stream) {
    super();
    this.#stream = stream;
    window.addEventListener("online", this.#online);
    this.#open();
  }

  get open() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Bytes that wait to be sent: pictures hold back while there are some. */
  get waiting() {
    return this.#socket?.bufferedAmount ?? 0;
  }

  send(event) {
    if (!this.open) return false;
    this.#socket.send(JSON.stringify(event));
    return true;
  }

  close() {
    this.#closed = true;
    window.removeEventListener("online", this.#online);
    this.#drop();
  }

  async #open() {
    this.#timer = 0;
    this.#say("state", "connecting");
    let protocols;
    try {
      if (this.#lost) await this.#askWhy();
      const ticket = await freshTicket();
      protocols = ["realtime", ...(ticket ? [`openai-insecure-api-key.${ticket}`] : [])];
    } catch {
      this.#again();
      return;
    }
    if (!this.#closed) this.#connect(protocols);
  }

  #path() {
    return `/v1/realtime?stream=${this.#stream}`;
  }

  /** A browser does not tell why a WebSocket was refused; asked by plain HTTP, the service does. */
  async #askWhy() {
    try {
      await call(this.#path(), { method: "POST" });
    } catch (error) {
      const fine = error.status === UPGRADE_REQUIRED;
      this.#unopened = fine ? this.#unopened + 1 : 0;
      // Once may be chance; twice it is the way here that lets no WebSocket through.
      if (fine && this.#unopened < 2) return;
      if (error.status) this.#say("refused", error.message);
      if (!fine) throw error;
    }
  }

  #connect(protocols) {
    const address = at(this.#path()).replace("http", "ws");
    const socket = new WebSocket(address, protocols);
    this.#socket = socket;
    this.#watch = setTimeout(() => this.#lose(), OPEN_WITHIN);
    socket.onopen = () => {
      clearInterval(this.#watch);
      this.#lost = false;
      this.#unopened = 0;
      this.#pause = SHORTEST_PAUSE;
      this.#hear();
      this.#watch = setInterval(() => this.#look(), LOOK_EVERY);
      this.#say("state", "open");
    };
    socket.onmessage = (message) => {
      this.#hear();
      const event = JSON.parse(message.data);
      this.#say(event.type, event);
    };
    socket.onclose = () => this.#lose();
  }

  #hear() {
    this.#heard = performance.now();
    this.#asked = 0;
  }

  /** Ask a service that has said nothing for a while; one that does not answer is not there. */
  #look() {
    const now = performance.now();
    if (this.#asked && now - this.#asked > QUIET_FOR) {
      this.#lose();
    } else if (!this.#asked && now - this.#heard > QUIET_FOR) {
      this.#asked = now;
      this.send({ type: "session.update", session: {} });
    }
  }

  #lose() {
    this.#lost = true;
    dropTicket(); // perhaps it was started anew, and takes none of before
    this.#drop();
    this.#again();
  }

  #drop() {
    clearTimeout(this.#timer);
    clearInterval(this.#watch);
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    // Over for us now: where nobody is there any more, closing takes minutes.
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #again() {
    if (this.#closed) return;
    this.#say("state", "lost");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#open(), this.#pause * (0.75 + Math.random() / 2));
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
  }

  #wake() {
    if (!this.#timer) return; // it is open, or opening
    clearTimeout(this.#timer);
    this.#pause = SHORTEST_PAUSE;
    this.#open();
  }

  #say(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
