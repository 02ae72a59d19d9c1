// The conversation: questions, answers as their words come, and what each answer rests on.

import { showMoment } from "./api.js";
import { clock, duration, span } from "./format.js";

const CHIPS = 3;
const AIMING = 1500; // a pointer that moved over the questions so lately may be about to click one

export class Chat {
  #lines = document.getElementById("lines");
  #hello = document.getElementById("hello");
  #form = document.getElementById("ask");
  #field = document.getElementById("question");
  #sendButton = document.getElementById("send");
  #stopButton = document.getElementById("stop");
  #ideas = document.getElementById("ideas");
  #socket = null;
  #stream = "";
  #answer = null;
  #aimed = -AIMING;
  #actions;
  #about = null;
  #asked = null;

  /**
   * `actions.evidence(parts)` marks moments, `actions.show(moment)` shows one, `actions.everything()` is
   * called when questions are to be about no span any more.
   */
  constructor(actions) {
    this.#actions = actions;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#ask(this.#field.value);
    });
    this.#field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.#form.requestSubmit();
      }
      if (event.key === "Escape" && this.#answer) this.#stop();
    });
    this.#stopButton.addEventListener("click", () => this.#stop());
    document.getElementById("about-drop").addEventListener("click", () => this.#actions.everything());
    this.#ideas.addEventListener("click", ({ target }) => {
      if (target.closest(".idea")) this.#ask(target.closest(".idea").textContent);
    });
    this.#ideas.addEventListener("pointermove", () => (this.#aimed = performance.now()));
    this.#ready();
  }

  attach(socket, stream) {
    this.detach();
    this.#socket = socket;
    this.#stream = stream;
    const hear = (type, take) =>
      socket.addEventListener(type, ({ detail }) => {
        if (socket === this.#socket) take(detail);
      });
    hear("state", () => this.#connection());
    hear("session.created", () => socket.send({ type: "session.update", session: { timezone: zone() } }));
    hear("response.output_text.delta", ({ delta }) => this.#words(delta));
    hear("response.done", ({ response }) => this.#done(response));
    hear("error", ({ error }) => this.#refused(error));
    this.#ready();
  }

  /** Offer questions to try; not while someone is about to take one. */
  suggest(questions) {
    if (performance.now() - this.#aimed < AIMING || this.#ideas.querySelector(":focus-visible")) return;
    const said = [...this.#ideas.children].map((idea) => idea.textContent);
    if (said.join("\n") === questions.join("\n")) return;
    this.#ideas.replaceChildren(
      ...questions.map((question) => {
        const idea = element("button", "idea");
        idea.type = "button";
        idea.textContent = question;
        return idea;
      }),
    );
    this.#ready();
  }

  /** Have questions be about a span of `since`, `until` and `words`; null is everything. With `now` the next is typed. */
  about(span, now = false) {
    this.#about = span;
    document.getElementById("about").hidden = !span;
    document.getElementById("about-words").textContent = span ? `About ${span.words}` : "";
    if (span && now) this.#field.focus();
  }

  /** Forget the stream and what was said about it: nothing is being watched. */
  detach() {
    this.about(null);
    this.#socket = this.#answer = null;
    this.#lines.replaceChildren();
    this.#hello.hidden = false;
    this.suggest(["What do you see?"]);
    this.#ready();
  }

  #ask(text) {
    const question = text.trim();
    if (!question || this.#answer || !this.#socket?.open) return;
    const content = [{ type: "input_text", text: question }];
    const item = { type: "message", role: "user", content };
    this.#socket.send({ type: "conversation.item.create", event_id: "ask", item });
    this.#asked = this.#about;
    const range = this.#asked && { since: this.#asked.since, until: this.#asked.until };
    this.#socket.send({ type: "response.create", event_id: "ask", response: { ...range } });
    this.#field.value = "";
    this.#hello.hidden = true;
    this.#add("line-q").textContent = question;
    this.#answer = this.#add("line-a");
    this.#answer.classList.add("busy");
    this.#answer.append(element("p", "words"), element("p", "meta"));
    this.#answer.lastChild.textContent = "looking back…";
    this.#ready();
  }

  #stop() {
    this.#socket?.send({ type: "response.cancel" });
  }

  #words(delta) {
    if (!this.#answer) return;
    this.#answer.querySelector(".words").append(delta);
    this.#scroll();
  }

  #done(response) {
    const answer = this.#answer;
    if (!answer) return;
    const words = answer.querySelector(".words");
    const meta = answer.querySelector(".meta");
    meta.replaceChildren();
    if (response.status === "failed") {
      answer.classList.add("failed");
      words.textContent = response.status_details.error.message;
    } else {
      if (response.status === "cancelled") words.append(words.textContent ? " …" : "Stopped.");
      const first = response.timings?.first_token_ms;
      if (first !== null && first !== undefined) {
        const span = element("span", "first");
        span.textContent = `first word after ${duration(first)}`;
        meta.append(span);
      }
      if (this.#asked) {
        const looked = element("span", "range");
        looked.textContent = this.#asked.words;
        meta.append(looked);
      }
      if (response.time) {
        const looked = element("span", "range");
        looked.textContent = `“${response.time.words}”: ${span(response.time)}`;
        meta.append(looked);
      }
      this.#chips(meta, response.evidence);
      this.#actions.evidence(response.evidence);
    }
    this.#end();
  }

  #chips(meta, evidence) {
    const even = 1 / Math.max(1, evidence.length);
    const best = [...evidence].sort((a, b) => b.score - a.score).slice(0, CHIPS);
    for (const part of best.filter((p) => evidence.length <= CHIPS || p.score > even)) {
      const chip = element("button", "chip");
      const image = element("img", "");
      image.alt = "";
      showMoment(image, this.#stream, part.start);
      chip.type = "button";
      const when = part.clock ? `${part.clock.slice(11, 19)}: ` : "";
      chip.title = `${when}${Math.round(part.score * 100)} % of what the answer rests on`;
      chip.setAttribute("aria-label", `Show the moment at ${clock(part.start)}`);
      chip.append(image, clock(part.start));
      chip.onclick = () => this.#actions.show(part);
      meta.append(chip);
    }
  }

  #refused(error) {
    // One that ends an answer is told again in its response.done; pictures have their own.
    const ours = error.event_id === "ask" && error.type === "invalid_request_error";
    if (this.#answer && ours && error.code !== "nothing_seen") this.#fail(error.message);
  }

  #connection() {
    if (this.#answer && !this.#socket.open) this.#fail("The connection was lost; ask again.");
    this.#ready();
  }

  #fail(message) {
    this.#answer.classList.add("failed");
    this.#answer.querySelector(".words").textContent = message;
    this.#answer.querySelector(".meta").replaceChildren();
    this.#end();
  }

  #end() {
    this.#answer.classList.remove("busy");
    this.#answer = null;
    this.#ready();
    this.#scroll();
  }

  #ready() {
    this.#sendButton.hidden = Boolean(this.#answer);
    this.#stopButton.hidden = !this.#answer;
    this.#sendButton.disabled = !this.#socket?.open;
    for (const idea of this.#ideas.children) idea.disabled = Boolean(this.#answer) || !this.#socket?.open;
  }

  #add(kind) {
    const line = element("li", kind);
    this.#lines.append(line);
    this.#scroll();
    return line;
  }

  #scroll() {
    this.#lines.scrollTop = this.#lines.scrollHeight;
    if (this.#lines.scrollHeight <= this.#lines.clientHeight) {
      this.#lines.lastElementChild?.scrollIntoView({ block: "nearest" });
    }
  }
}

/** The time zone of whoever watches, for questions such as "what happened since 9 am?". */
function zone() {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

function element(name, kind) {
  const made = document.createElement(name);
  made.className = kind;
  return made;
}
