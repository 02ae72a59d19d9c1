// The film of an event: played where it stands, or saved.

import { clipAddress, freshTicket } from "./api.js";

/** What opens to the film of `event`; it is loaded when it is opened. */
export function clip(event) {
  const details = document.createElement("details");
  details.className = "clip";
  const summary = document.createElement("summary");
  summary.textContent = "Clip";
  details.append(summary);
  details.addEventListener("toggle", () => {
    if (details.open && details.childElementCount === 1) fill(details, event);
  });
  return details;
}

async function fill(details, event) {
  await freshTicket().catch(() => {});
  const video = document.createElement("video");
  video.controls = video.autoplay = video.muted = video.playsInline = true;
  video.setAttribute("aria-label", `Clip of: ${event.question}`);
  const save = document.createElement("a");
  save.textContent = "Save clip";
  save.download = "";
  const said = document.createElement("small");
  said.setAttribute("role", "status");
  said.textContent = event.open ? "A clip is ready some seconds after what it shows." : "";
  video.addEventListener("loadeddata", () => {
    details.dataset.ready = "";
    said.textContent = "";
  });
  video.addEventListener("error", () => {
    said.textContent = "There is no clip any more.";
    video.hidden = save.hidden = true;
  });
  save.href = video.src = clipAddress(event.id);
  details.append(video, save, said);
}
