// The line under the picture: what went otherwise than wished, and a button where that can be mended.

const $ = (id) => document.getElementById(id);

/** Show `text`, nothing if it is empty; with a button `label` that does `act` where one is given. */
export function notice(text, label = "", act = null) {
  $("notice").hidden = !text;
  $("notice-text").textContent = text;
  $("notice-act").hidden = !label;
  $("notice-act").textContent = label;
  $("notice-act").onclick = act;
}
