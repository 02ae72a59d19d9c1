// What was understood of a watch, to be edited where it stands in the list: what has to be seen, what
// must not be, and how it tells. What is added is read by the service, as the question was.

import { call, getJson, postJson } from "./api.js";

const KINDS = {
  positive: { title: "Has to be seen, all of it", none: "Nothing in particular.", add: "Add what has to be seen" },
  negative: { title: "Must not be seen, none of it", none: "Nothing is ruled out.", add: "Add what must not be seen" },
};
const LONGEST = 7 * 24 * 3600;
const STALE = 412;
let made = 0; // for ids

export class WatchEditor {
  #before; // the watch as it was read: what the person did not change is not sent
  #tag; // of the watch as it was read last, so that nobody's change is overwritten unseen
  #clauses;
  #lists = {};
  #inputs = {};
  #notes = { form: note(), positive: note(), negative: note() }; // what is said, and where
  #done;

  /** Read the watch `id` and return its editor; `done(saved)` is called with null when it is cancelled. */
  static async open(id, done) {
    const response = await call(`/v1/watches/${id}`);
    return new WatchEditor(await response.json(), response.headers.get("ETag"), done);
  }

  constructor(watch, tag, done) {
    this.#before = watch;
    this.#tag = tag;
    this.#done = done;
    this.#clauses = { positive: [...watch.positive], negative: [...watch.negative] };
    this.form = element("form", { className: "watch-editor", ariaLabel: `Edit: ${watch.question}` });
    const hold = this.#number("hold_s", "Has to last, in seconds");
    const rest = this.#number("refractory_s", "Rest after an event, in seconds");
    const numbers = element("div", { className: "pair" }, hold, rest);
    const row = element("div", { className: "row" }, button("Cancel", () => done(null)), element("button", { className: "solid", textContent: "Save" }));
    this.form.append(
      element("b", { textContent: watch.question }),
      this.#group("positive"),
      this.#group("negative", this.#tick("after_seen", "only once it was seen (gone, not just absent)")),
      numbers,
      this.#tick("verify", "ask the model before telling"),
      this.#notes.form,
      row,
    );
    this.form.addEventListener("submit", (event) => this.#save(event));
    this.form.addEventListener("keydown", (event) => this.#key(event));
    this.#draw();
  }

  get id() {
    return this.#before.id;
  }

  focus() {
    this.#inputs.positive.focus();
  }

  #group(kind, ...more) {
    const { title, add } = KINDS[kind];
    this.#lists[kind] = element("ul", { className: "words", ariaLabel: title });
    const input = element("input", { maxLength: 500, autocomplete: "off", placeholder: "such as two red cars" });
    this.#inputs[kind] = input;
    input.setAttribute("aria-describedby", (this.#notes[kind].id = `watch-note-${(made += 1)}`));
    const adding = element("div", { className: "row" }, label(add, input), button("Add", () => this.#add(kind), add));
    const legend = element("legend", { textContent: title });
    return element("fieldset", {}, legend, this.#lists[kind], adding, this.#notes[kind], ...more);
  }

  #number(name, text) {
    const limits = { type: "number", min: 0, max: LONGEST, step: "any", required: true };
    const input = (this.#inputs[name] = element("input", { ...limits, value: this.#before[name] }));
    return label(text, input);
  }

  #tick(name, text) {
    const input = (this.#inputs[name] = element("input", { type: "checkbox", checked: this.#before[name] }));
    return element("label", { className: "tick" }, input, text);
  }

  #draw() {
    for (const [kind, list] of Object.entries(this.#lists)) {
      const items = this.#clauses[kind].map((clause) => this.#item(kind, clause));
      list.replaceChildren(...(items.length ? items : [element("li", { className: "fade", textContent: KINDS[kind].none })]));
    }
    const nothing = this.#clauses.negative.length === 0;
    this.#inputs.after_seen.disabled = nothing;
    if (nothing) this.#inputs.after_seen.checked = false; // there is nothing that may be gone
  }

  /** A clause: its words, each of which may be removed, and what else is asked of the thing. */
  #item(kind, clause) {
    const item = element("li", {}, before(clause));
    clause.words.forEach((word, number) => {
      const remove = button("×", () => this.#remove(kind, clause, word), `Remove ${word}`);
      item.append(...(number ? [" or "] : []), element("span", { className: "word" }, word, remove));
    });
    item.append(after(clause));
    return item;
  }

  #remove(kind, clause, word) {
    const words = clause.words.filter((one) => one !== word);
    this.#clauses[kind] = this.#clauses[kind].flatMap((one) => (one !== clause ? [one] : words.length ? [{ ...one, words }] : []));
    this.#draw();
    this.#say(kind, `${word} is removed.`);
    (this.#lists[kind].querySelector("button") ?? this.#inputs[kind]).focus(); // the one that had it is gone
  }

  /** Let the service read what was typed, and add it; say whether there is nothing left to add. */
  async #add(kind) {
    const input = this.#inputs[kind];
    const question = input.value.trim();
    input.removeAttribute("aria-invalid");
    this.#say(kind, "");
    if (!question) return true;
    try {
      const read = await postJson("/v1/watches/understand", { question });
      if (read.unmatched.length) throw new Error(`Clips cannot be matched on ${read.unmatched.map((part) => `“${part}”`).join(", ")}.`);
      this.#clauses[kind].push(...read.positive);
      this.#clauses.negative.push(...read.negative);
      if (read.hold_s > this.#inputs.hold_s.value) this.#inputs.hold_s.value = read.hold_s;
      if (read.after_seen) this.#inputs.after_seen.checked = true;
    } catch (error) {
      input.setAttribute("aria-invalid", "true");
      this.#say(kind, error.message, true);
      input.focus();
      return false;
    }
    input.value = "";
    this.#draw();
    this.#say(kind, `${question} is added.`);
    input.focus();
    return true;
  }

  async #save(event) {
    event.preventDefault();
    // What was typed and not added yet is meant, too.
    if (!(await this.#add("positive")) || !(await this.#add("negative"))) return;
    const body = this.#changes();
    if (Object.keys(body).length === 0) return this.#done(null);
    const headers = { "Content-Type": "application/json", "If-Match": this.#tag };
    try {
      const options = { method: "PATCH", headers, body: JSON.stringify(body) };
      this.#done(await getJson(`/v1/watches/${this.id}`, options));
    } catch (error) {
      this.#say("form", error.message, true);
      if (error.status === STALE) await this.#readAgain();
    }
  }

  #changes() {
    const { after_seen, verify, hold_s, refractory_s } = this.#inputs;
    const now = { ...this.#clauses, after_seen: after_seen.checked, verify: verify.checked };
    now.hold_s = hold_s.valueAsNumber;
    now.refractory_s = refractory_s.valueAsNumber;
    const changed = ([name, value]) => JSON.stringify(value) !== JSON.stringify(this.#before[name]);
    return Object.fromEntries(Object.entries(now).filter(changed));
  }

  /** Somebody else was sooner: say what the watch is now, and save over that if the person says so again. */
  async #readAgain() {
    try {
      const response = await call(`/v1/watches/${this.id}`);
      const { understood } = await response.json();
      this.#tag = response.headers.get("ETag");
      const now = `Somebody else changed this watch meanwhile. It is now: ${understood}.`;
      this.#say("form", `${now} Save again to put your changes over that, or cancel.`, true);
    } catch (error) {
      this.#say("form", error.message, true);
    }
  }

  #key(event) {
    if (event.isComposing) return;
    if (event.key === "Escape") {
      event.preventDefault(); // the list stays open
      event.stopPropagation();
      this.#done(null);
    } else if (event.key === "Enter") {
      const kind = Object.keys(KINDS).find((name) => this.#inputs[name] === event.target);
      if (!kind || !event.target.value.trim()) return;
      event.preventDefault();
      this.#add(kind);
    }
  }

  #say(place, text, bad = false) {
    this.#notes[place].textContent = text;
    this.#notes[place].toggleAttribute("data-bad", bad);
  }
}

/** What is asked of a thing before its name: how many, and the colour. */
function before({ at_least, colour }) {
  const count = at_least > 1 ? `at least ${at_least} × ` : "";
  return count + (colour ? `${colour} ` : "");
}

/** What is asked of it after its name: where it moves, and where it is. */
function after({ movement, place }) {
  const moving = movement ? ` moving ${movement}` : "";
  return moving + (place ? ` ${place === "middle" ? "in" : "at"} the ${place}` : "");
}

function note() {
  return element("p", { className: "note", role: "status" });
}

function label(text, input) {
  input.id = `watch-editor-${(made += 1)}`;
  return element("label", { htmlFor: input.id }, text, input);
}

function button(text, act, name) {
  const one = element("button", { type: "button", className: "quiet", textContent: text, ...(name && { ariaLabel: name }) });
  one.addEventListener("click", act);
  return one;
}

function element(name, properties, ...children) {
  const one = document.createElement(name);
  const { role, ariaLabel, ...rest } = properties;
  if (role) one.setAttribute("role", role);
  if (ariaLabel) one.setAttribute("aria-label", ariaLabel);
  Object.assign(one, rest);
  one.append(...children);
  return one;
}
