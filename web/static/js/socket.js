// The WebSocket to one stream. Reconnects by itself, with growing pauses, and says how it is.

import { freshTicket } from "./api.js";

const LONGEST_PAUSE = 8000;

export class Socket extends EventTarget {
  #stream;
  #socket = null;
  #closed = false;
  #pause = 400;
  #timer = 0;
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
    clearTimeout(this.#timer);
    window.removeEventListener("online", this.#online);
    this.#socket?.close();
  }

  async #open() {
    this.#say("state", "connecting");
    let protocols;
    try {
      const ticket = await freshTicket();
      protocols = ["realtime", ...(ticket ? [`openai-insecure-api-key.${ticket}`] : [])];
    } catch {
      this.#again();
      return;
    }
    if (this.#closed) return;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const address = `${scheme}://${location.host}/v1/realtime?stream=${this.#stream}`;
    const socket = new WebSocket(address, protocols);
    this.#socket = socket;
    socket.onopen = () => {
      this.#pause = 400;
      this.#say("state", "open");
    };
    socket.onmessage = (message) => {
      const event = JSON.parse(message.data);
      this.#say(event.type, event);
    };
    socket.onclose = () => this.#again();
  }

  #again() {
    if (this.#closed) return;
    this.#say("state", "lost");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#open(), this.#pause * (0.75 + Math.random() / 2));
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
  }

  #wake() {
    if (this.#closed || this.open) return;
    clearTimeout(this.#timer);
    this.#pause = 400;
    this.#open();
  }

  #say(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
