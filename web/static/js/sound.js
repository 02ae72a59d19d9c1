// A short sound, made on the spot: no file to fetch.

const NOTES = [660, 880];
const SECONDS = 0.14;
const LOUDNESS = 0.12;

export class Sounding {
  #context = null;

  /** Play it; a browser that has not been clicked yet keeps silent. */
  play() {
    this.#context ??= new AudioContext();
    NOTES.forEach((note, number) => {
      const begin = this.#context.currentTime + number * SECONDS;
      const tone = new OscillatorNode(this.#context, { frequency: note });
      const volume = new GainNode(this.#context, { gain: 0 });
      volume.gain.linearRampToValueAtTime(LOUDNESS, begin + 0.01);
      volume.gain.linearRampToValueAtTime(0, begin + SECONDS);
      tone.connect(volume).connect(this.#context.destination);
      tone.start(begin);
      tone.stop(begin + SECONDS);
    });
  }
}
