// Talks to the service over HTTP, with the token where one is needed.
// What a browser cannot send headers with (WebSocket, images) gets a short-lived ticket instead.

const KEY = "flashback.token";
let token = sessionStorage.getItem(KEY) ?? "";
let ticket = { value: "", until: 0 };

/** A refusal by the service: its status and the sentence it gave. */
export class Refused extends Error {
  constructor(status, message, retryAfter) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

export function useToken(value) {
  token = value;
  ticket = { value: "", until: 0 };
  sessionStorage.setItem(KEY, value);
}

/** Fetch `path`; a status of 400 or more becomes a `Refused`, no network at all a status of 0. */
export async function call(path, options = {}) {
  const headers = new Headers(options.headers);
  if (token) headers.set("Authorization", `Bearer ${token}`);
  let response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch {
    throw new Refused(0, "The service cannot be reached.", 2);
  }
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  const detail = problem.detail ?? `The service refused (${response.status}).`;
  throw new Refused(response.status, detail, Number(response.headers.get("Retry-After") ?? 2));
}

export async function getJson(path, options = {}) {
  return (await call(path, options)).json();
}

export async function postJson(path, body) {
  const headers = { "Content-Type": "application/json" };
  return (await call(path, { method: "POST", headers, body: JSON.stringify(body) })).json();
}

/** A ticket that is good for a while yet; empty where no token is needed. */
export async function freshTicket() {
  if (!token) return "";
  if (ticket.until - Date.now() / 1000 < 120) {
    const made = await (await call("/v1/realtime/client_secrets", { method: "POST" })).json();
    ticket = { value: made.value, until: made.expires_at };
  }
  return ticket.value;
}

export function thumbnailUrl(stream, start) {
  return `/v1/streams/${stream}/thumbnails/${start}.jpg${query({})}`;
}

/** The newest picture of a stream; `version` changes when there is a newer one. */
export function newestUrl(stream, version) {
  return `/v1/streams/${stream}/thumbnails/newest.jpg${query({ version })}`;
}

function query(values) {
  const parameters = new URLSearchParams(values);
  if (ticket.value) parameters.set("ticket", ticket.value);
  return parameters.size ? `?${parameters}` : "";
}
