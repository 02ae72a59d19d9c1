// The streams to choose from as live pictures: each tile that is seen plays by WHEP, a few at once.

import { Watching } from "./source.js";

const MOST = 6; // every picture that plays costs the service a video encoder

export class Wall {
  #tiles = new Map();
  #seen = new Set();
  #playing = new Map();
  #open = false;
  #observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) this.#seen.add(target);
      else this.#seen.delete(target);
    }
    this.#balance();
  });

  #most;

  /** `most` pictures play at once. */
  constructor(most = MOST) {
    this.#most = most;
    document.addEventListener("visibilitychange", () => this.#balance());
  }

  /** What there is now, in order of choice: `{ stream, live, video }` by tile. */
  show(tiles) {
    this.#open = true;
    for (const tile of this.#tiles.keys()) {
      if (!tiles.has(tile)) this.#forget(tile);
    }
    for (const tile of tiles.keys()) {
      if (!this.#tiles.has(tile)) this.#observer.observe(tile);
    }
    this.#tiles = tiles;
    this.#balance();
  }

  close() {
    this.#open = false;
    this.#balance();
  }

  #forget(tile) {
    this.#observer.unobserve(tile);
    this.#seen.delete(tile);
  }

  #balance() {
    const wanted = this.#wanted();
    for (const [tile, watching] of this.#playing) {
      if (wanted.has(tile)) continue;
      watching.close();
      watching.show(null);
      this.#playing.delete(tile);
    }
    for (const tile of wanted) {
      if (!this.#playing.has(tile)) this.#playing.set(tile, this.#play(this.#tiles.get(tile)));
    }
  }

  #wanted() {
    if (!this.#open || document.hidden) return new Set();
    const tiles = [...this.#tiles].filter(([tile, { live }]) => live && this.#seen.has(tile));
    return new Set(tiles.slice(0, this.#most).map(([tile]) => tile));
  }

  #play({ stream, video }) {
    video.onplaying = () => (video.dataset.playing = "");
    const show = (media) => {
      video.srcObject = media;
      if (!media) delete video.dataset.playing; // the newest thumbnail lies beneath
    };
    return new Watching(stream, { show });
  }
}
