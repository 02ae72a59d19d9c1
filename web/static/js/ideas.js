// Questions to try: asked of the service anew when the stream has shown more.

import { getJson } from "./api.js";

const EVERY = 2000;

export class Ideas {
  #show;
  #stream = "";
  #asked = -EVERY;
  #timer = 0;

  /** `show(questions)` is given the questions to try, as texts. */
  constructor(show) {
    this.#show = show;
  }

  /** There is something new of `stream`. However often that is said, the service is asked seldom. */
  refresh(stream) {
    this.#stream = stream;
    if (this.#timer) return;
    const wait = this.#asked + EVERY - performance.now();
    this.#timer = setTimeout(() => this.#ask(stream), Math.max(0, wait));
  }

  stop() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#stream = "";
    this.#asked = -EVERY;
  }

  async #ask(stream) {
    this.#timer = 0;
    this.#asked = performance.now();
    try {
      const { suggestions } = await getJson(`/v1/streams/${stream}/suggestions`);
      if (stream === this.#stream) this.#show(suggestions.map((suggestion) => suggestion.text));
    } catch {
      // What was suggested before stands until there is news of the stream again.
    }
  }
}
