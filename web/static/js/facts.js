// A stream's numbers in words: how fresh, how often it is looked at, what is remembered, what was lost and why.

import { duration, losses, moments, rate } from "./format.js";

const $ = (id) => document.getElementById(id);
const NOTHING = "—";

export const STATES = { live: "Live", connecting: "Connecting", stalled: "Stalled", retrying: "Retrying", ended: "Ended" };

/** Draw the facts of `status`, null for no stream; `wanted` is how often a stream is to be looked at. */
export function drawFacts(status, wanted) {
  const live = status?.state === "live";
  fact("state", status ? STATES[status.state] : NOTHING, status?.reason);
  fact("age", live ? duration(status.frame_age_ms) : NOTHING);
  const slowed = live && status.rate < 0.99 * wanted;
  const why = slowed ? `, slowed from ${rate(wanted)}: the machine is busy` : "";
  fact("rate", live ? `${rate(status.rate)} a second${why}` : NOTHING);
  $("fact-rate").classList.toggle("warn", slowed);
  fact("clips", status ? moments(status.clips) : NOTHING);
  const lost = status ? losses(status.lost) : { total: 0, causes: "" };
  fact("lost", status ? lost.causes || "0" : NOTHING);
  $("fact-lost").classList.toggle("bad", lost.total > 0);
}

function fact(name, text, title = "") {
  const place = $(`fact-${name}`);
  place.textContent = text;
  place.title = title;
}
