// Talks to the service over HTTP, with the token where one is needed.
// Nothing waits for ever: a service that is reached and stays silent is one that cannot be reached.

const KEY = "flashback.token";
const BASE = new URL("../../", import.meta.url); // a proxy may serve the page below a path
const ANSWER_WITHIN = 15_000;
const TICKET_LEFT = 120_000;
let token = sessionStorage.getItem(KEY) ?? "";
let ticket = { value: "", until: 0 };
let renewing = 0;
let askForToken = null;
let asking = null;

/** A refusal by the service: its status and the sentence it gave. */
export class Refused extends Error {
  constructor(status, message, retryAfter = 2) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** The address of `path` of the service, wherever the page was served from. */
export function at(path) {
  return new URL(`.${path}`, BASE).href;
}

/** Have `ask()` get the token from someone whenever the service wants another one; it ends with `useToken`. */
export function whenLockedOut(ask) {
  askForToken = ask;
}

export function useToken(value) {
  token = value;
  dropTicket();
  sessionStorage.setItem(KEY, value);
}

/**
 * Fetch `path`; a status of 400 or more becomes a `Refused`, no answer within `within` milliseconds a
 * status of 0. While the service wants another token this waits until someone has given it.
 */
export async function call(path, { within = ANSWER_WITHIN, ...options } = {}) {
  for (;;) {
    const given = token;
    const response = await attempt(path, options, within);
    if (response.ok) return response;
    if (response.status === 401 && askForToken) {
      if (given === token) await (asking ??= askForToken().finally(() => (asking = null)));
      continue;
    }
    const problem = await response.json().catch(() => ({}));
    const detail = problem.detail ?? `The service refused (${response.status}).`;
    throw new Refused(response.status, detail, Number(response.headers.get("Retry-After") ?? 2));
  }
}

async function attempt(path, options, within) {
  const headers = new Headers(options.headers);
  if (token) headers.set("Authorization", `Bearer ${token}`);
  // What is to outlive the page cannot be waited for.
  const signal = options.keepalive ? undefined : AbortSignal.timeout(within);
  return fetch(at(path), { ...options, headers, signal }).catch(unreached);
}

/** For a `catch`: what broke off on the way is a service that cannot be reached. */
export function unreached(error) {
  const silent = error.name === "TimeoutError";
  throw new Refused(0, silent ? "The service does not answer." : "The service cannot be reached.");
}

export async function getJson(path, options = {}) {
  return (await call(path, options)).json().catch(unreached);
}

export async function postJson(path, body, options = {}) {
  const headers = { "Content-Type": "application/json" };
  return getJson(path, { method: "POST", headers, body: JSON.stringify(body), ...options });
}

/** Post `body` and give each line of JSON that comes back to `take`, as it comes. */
export async function postLines(path, body, take, options = {}) {
  const headers = { "Content-Type": "application/json" };
  const response = await call(path, { method: "POST", headers, body: JSON.stringify(body), ...options });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read().catch(unreached);
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) take(JSON.parse(line));
  }
}

// What a browser cannot send headers with (WebSocket, images) gets a short-lived ticket instead.

/** A ticket that is good for a while yet; empty where no token is needed. */
export async function freshTicket() {
  if (!token) return "";
  if (ticket.until * 1000 - Date.now() < TICKET_LEFT) {
    const made = await getJson("/v1/realtime/client_secrets", { method: "POST" });
    ticket = { value: made.value, until: made.expires_at };
    clearTimeout(renewing);
    renewing = setTimeout(renew, Math.max(TICKET_LEFT, ticket.until * 1000 - Date.now() - TICKET_LEFT));
  }
  return ticket.value;
}

/** Forget the ticket: a service that was started anew takes none of before. */
export function dropTicket() {
  clearTimeout(renewing);
  ticket = { value: "", until: 0 };
}

function renew() {
  freshTicket().catch(() => {}); // who needs it next asks again
}

/** Show in `image` the moment of `stream` that starts at `start`. */
export function showMoment(image, stream, start) {
  show(image, () => momentAddress(stream, start));
}

/** The address of the picture of the moment of `stream` that starts at `start`. */
export function momentAddress(stream, start) {
  return at(`/v1/streams/${stream}/thumbnails/${start}.jpg${query({})}`);
}

/** The address of the best picture of `stream` at a media second, to be saved. */
export function pictureAddress(stream, at_) {
  return at(`/v1/streams/${stream}/picture${query({ at: at_ })}`);
}

/** Show in `image` the newest picture of a stream; `version` changes when there is a newer one. */
export function showNewest(image, stream, version) {
  show(image, () => at(`/v1/streams/${stream}/thumbnails/newest.jpg${query({ version })}`));
}

/** The address of the film of an event, for a player or a link. */
export function clipAddress(event) {
  return at(`/v1/watches/events/${event}/clip${query({})}`);
}

function show(image, address) {
  const src = address();
  if (image.getAttribute("src") === src) return;
  // A picture may be loaded long after it was asked for, when it is scrolled to: with a ticket of then.
  image.onerror = async () => {
    await freshTicket().catch(() => {});
    if (image.getAttribute("src") === src && address() !== src) show(image, address);
  };
  image.src = src;
}

function query(values) {
  const parameters = new URLSearchParams(values);
  if (ticket.value) parameters.set("ticket", ticket.value);
  return parameters.size ? `?${parameters}` : "";
}
