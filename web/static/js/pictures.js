// The way in when WebRTC finds no path: single JPEG pictures over the WebSocket, the newest only.

import { Socket } from "./socket.js";

const EVERY = 500;
const TOO_MUCH_WAITING = 64 * 1024;

export class Pictures {
  /** Shorter side of a picture: the service scales larger ones down. */
  static side = 360;
  #timer;
  #canvas = document.createElement("canvas");
  #pending = false;
  #troubled = false;
  #socket;

  /**
   * `say(text)` is called with what the service has against a picture, and with nothing once it
   * takes them again, `taken()` when another source has taken the stream over. The socket is one of
   * its own: what it feeds ends with it, and questions do not wait behind pictures.
   */
  constructor(video, stream, { say, taken }) {
    const socket = new Socket(stream);
    this.#socket = socket;
    const free = () => (this.#pending = false);
    socket.addEventListener("conversation.item.added", () => {
      free();
      if (this.#troubled) say("");
      this.#troubled = false;
    });
    socket.addEventListener("state", free);
    socket.addEventListener("error", ({ detail }) => {
      if (detail.error.event_id !== "picture") return;
      free();
      if (detail.error.code === "stream_taken_over") return taken();
      this.#troubled = true;
      say(detail.error.message);
    });
    this.#timer = setInterval(() => this.#send(video, socket), EVERY);
  }

  close() {
    clearInterval(this.#timer);
    this.#socket.close();
  }

  #send(video, socket) {
    // One at a time: a slow path gets fewer pictures, never older ones.
    if (this.#pending || !socket.open || socket.waiting > TOO_MUCH_WAITING) return;
    if (!video.videoWidth) return;
    const scale = Math.min(1, Pictures.side / Math.min(video.videoWidth, video.videoHeight));
    this.#canvas.width = Math.round(video.videoWidth * scale);
    this.#canvas.height = Math.round(video.videoHeight * scale);
    this.#canvas.getContext("2d").drawImage(video, 0, 0, this.#canvas.width, this.#canvas.height);
    const image_url = this.#canvas.toDataURL("image/jpeg", 0.75);
    const item = { type: "message", role: "user", content: [{ type: "input_image", image_url }] };
    this.#pending = socket.send({ type: "conversation.item.create", event_id: "picture", item });
  }
}
