// One stream as a tile: its picture, its state in words, its last event, and a way to remove it.

import { showNewest } from "./api.js";
import { losses, moments } from "./format.js";

const WORDS = { live: "live", connecting: "connecting", stalled: "stalled", retrying: "retrying", ended: "remembered" };

/** Return a list item for `stream`; `watch` and `remove`, if it may be removed, are called with its name. */
export function streamItem(stream, watch, remove = null) {
  const item = document.createElement("li");
  const button = element("button", "tile");
  const picture = element("span", "picture");
  const video = document.createElement("video");
  const image = document.createElement("img");
  Object.assign(video, { muted: true, autoplay: true, playsInline: true });
  video.setAttribute("aria-hidden", "true");
  image.alt = "";
  picture.append(image, video);
  button.type = "button";
  button.onclick = () => watch(stream);
  button.append(picture, element("span", "dot"), element("b", "", stream));
  button.append(element("small", "what"), element("small", "event"), element("small", "why"));
  item.append(button);
  if (remove) item.append(removal(stream, remove));
  return item;
}

/** Show in `item` how its stream is doing, and its newest picture beneath what is live. */
export function showStatus(item, status) {
  const troubled = status.state !== "live" && status.state !== "ended";
  const lost = losses(status.lost);
  const what = [WORDS[status.state], moments(status.clips), ...(lost.total ? [`${lost.total} lost`] : [])];
  item.firstChild.title = status.origin ?? "";
  item.querySelector(".dot").dataset.state = status.state;
  item.querySelector(".what").textContent = what.join(" · ");
  item.querySelector(".what").title = lost.causes && `Lost: ${lost.causes}`;
  item.querySelector(".why").textContent = troubled ? status.reason : "";
  const image = item.querySelector("img");
  image.hidden = !status.clips;
  const version = String(status.end);
  if (status.clips && image.dataset.version !== version) {
    image.dataset.version = version;
    showNewest(image, status.name, version);
  }
}

function removal(stream, remove) {
  const bin = element("button", "remove", "×");
  bin.type = "button";
  bin.setAttribute("aria-label", `Remove ${stream}`);
  bin.title = "Remove";
  bin.dataset.needs = "forget";
  bin.onclick = () => remove(stream);
  return bin;
}

function element(name, kind, text = "") {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  made.textContent = text;
  return made;
}
