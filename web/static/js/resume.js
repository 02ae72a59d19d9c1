// What this tab is sending, kept over a reload of the page, so that a camera goes on by itself.

const KEY = "flashback.sending";

/** Remember that `kind`, camera or screen, is being sent to `stream`. */
export function remember(kind, stream) {
  sessionStorage.setItem(KEY, JSON.stringify({ kind, stream }));
}

export function forget() {
  sessionStorage.removeItem(KEY);
}

/** What was being sent to `stream` when the page was left, `camera` or `screen`; else null. */
export function wasSending(stream) {
  const sent = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
  return sent?.stream === stream ? sent.kind : null;
}

/** Whether the page came by a reload: a tab that was duplicated must not take its twin's stream. */
export function reloaded() {
  return performance.getEntriesByType("navigation")[0]?.type === "reload";
}
