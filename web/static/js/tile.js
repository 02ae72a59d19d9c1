// One stream in the list of what to watch: its picture, its state in words, and a way to remove it.

/** Return a list item for `stream`; `watch` and `remove` are called with its name. */
export function streamItem(stream, watch, remove) {
  const item = document.createElement("li");
  const button = element("button", "tile");
  const picture = element("span", "picture");
  const video = document.createElement("video");
  const image = document.createElement("img");
  const bin = element("button", "remove", "×");
  Object.assign(video, { muted: true, autoplay: true, playsInline: true });
  video.setAttribute("aria-hidden", "true");
  image.alt = "";
  picture.append(image, video);
  button.type = bin.type = "button";
  button.onclick = () => watch(stream);
  button.append(picture, element("span", "dot"), element("b", "", stream));
  button.append(element("small", "what"), element("small", "why"));
  bin.setAttribute("aria-label", `Remove ${stream}`);
  bin.title = "Remove";
  bin.onclick = () => remove(stream);
  item.append(button, bin);
  return item;
}

function element(name, kind, text = "") {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  made.textContent = text;
  return made;
}
