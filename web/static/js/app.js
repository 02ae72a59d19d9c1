// The page, put together: one stream at a time, its picture, its memory, and a conversation about it.

import { getJson, freshTicket } from "./api.js";
import { Board } from "./board.js";
import { Chat } from "./chat.js";
import { enter } from "./door.js";
import { ownName } from "./format.js";
import { Glance } from "./glance.js";
import { Lookback } from "./lookback.js";
import { notice } from "./notice.js";
import { Picker } from "./picker.js";
import { Ideas } from "./ideas.js";
import { Pictures } from "./pictures.js";
import { forget, reloaded, remember, wasSending } from "./resume.js";
import { allowedName, mayDo, useRights } from "./rights.js";
import { Socket } from "./socket.js";
import { Sending, Watching } from "./source.js";
import { Stage } from "./stage.js";
import { Strip } from "./strip.js";
import { Timeline } from "./timeline.js";
import { Watches } from "./watches.js";

const $ = (id) => document.getElementById(id);
const TAKEN = "Another page or source sends to this stream now, so this page has stopped.";
const FORBIDDEN = 403;
const RECALL_AGAIN = 3000;
const STATES = { connecting: "connecting", open: "connected", lost: "reconnecting", idle: "ready" };

const showMoment = (moment) => {
  stage.past(moment);
  strip.press(moment.start);
};
const stage = new Stage(() => strip.press(null));
const strip = new Strip(showMoment);
const chat = new Chat({
  evidence: (parts) => strip.mark(parts),
  show: showMoment,
  everything: () => timeline.choose(null),
});
const timeline = new Timeline({
  show: showMoment,
  ask: (span, now) => chat.about(span, now),
  tell: (span) => lookback.tell(here, span),
});
const picker = new Picker({
  camera: () => send("camera"),
  screen: () => send("screen"),
  watch,
  reached: (there) => connection(there ? "idle" : "lost"),
});

const showOn = (stream, moment) => {
  if (stream !== here) watch(stream);
  if (moment) showMoment(moment);
};
const watches = new Watches(showOn);
const lookback = new Lookback(showOn);
const board = new Board({
  watch,
  close: choose,
  reached: (there) => connection(there ? "idle" : "lost"),
  newest: (stream) => watches.newest(stream),
});
const ideas = new Ideas((questions) => chat.suggest(questions));

let here = "";
let socket = null;
let source = null;

function connection(state, text = STATES[state]) {
  $("connection").dataset.state = state;
  $("connection").textContent = text;
}

function leave() {
  source?.close();
  socket?.close();
  source = socket = null;
  ideas.stop();
  here = "";
  forget();
  notice("");
}

/** Turn to `stream`: its socket, its moments, its conversation. */
function turnTo(stream) {
  leave();
  here = stream;
  picker.close();
  board.hide();
  stage.reset(stream);
  strip.reset(stream);
  timeline.reset(stream);
  $("change").hidden = false;
  $("stream-name").textContent = stream;
  watches.at(stream);
  lookback.at(stream);
  history.replaceState(null, "", `#${stream}`);
  let began = null;
  connection("connecting");
  socket = mayDo("ask") ? new Socket(stream) : new Glance(stream);
  const mine = socket;
  let refused = null;
  socket.addEventListener("state", ({ detail }) => {
    if (mine !== socket) return;
    connection(detail);
    if (detail === "open") {
      if (refused === $("notice-text").textContent) notice("");
      source?.wake(); // the service is there again
      recall(stream, mine);
      ideas.refresh(stream);
    } else stage.status(null); // what was said of it may be true no more
  });
  socket.addEventListener("refused", ({ detail }) => {
    if (mine === socket) notice((refused = detail));
  });
  socket.addEventListener("flashback.stream", ({ detail }) => {
    // Begun anew since we looked: its time, too, begins anew.
    if (began !== null && detail.stream.began !== began) forgotten(stream);
    began = detail.stream.began;
    stage.status(detail.stream);
    source?.hear?.(detail.stream);
  });
  socket.addEventListener("flashback.absent", () => {
    began = null;
    forgotten(stream);
    stage.absent();
  });
  socket.addEventListener("flashback.moment", ({ detail }) => {
    strip.add(detail.moment);
    timeline.remembered(detail.moment);
    stage.remembered(detail.moment);
    ideas.refresh(stream);
  });
  socket.addEventListener("flashback.alert", ({ detail }) => {
    watches.hear(detail.alert);
    timeline.soon();
  });
  chat.attach(socket, stream);
}

/** Nothing that was shown before is remembered any more. */
function forgotten(stream) {
  strip.reset(stream);
  timeline.reset(stream);
  stage.forget();
}

/** Fill the strip with what was remembered before we came, and while we were away. */
async function recall(stream, mine) {
  if (!mayDo("watch")) return;
  try {
    await freshTicket();
    const { moments } = await getJson(`/v1/streams/${stream}/moments?limit=600`);
    if (mine !== socket) return;
    for (const moment of moments) strip.add(moment, false);
    if (moments.length) {
      stage.remembered(moments.at(-1));
      timeline.remembered(moments.at(-1));
    }
  } catch ({ status }) {
    // A new stream has no moments yet; they come over the socket.
    if (status !== 404) setTimeout(() => mine === socket && mine.open && recall(stream, mine), RECALL_AGAIN);
  }
}

function watch(stream) {
  if (stream !== here) turnTo(stream);
  source?.close();
  source = new Watching(stream, { show: (media) => stage.play(media) });
}

/** Send a camera or screen to `stream`; false, and why in the notice, if there is none to send. */
async function send(kind, stream = allowedName(ownName(kind), kind)) {
  notice("");
  const before = here;
  let media;
  try {
    media = await capture(kind);
  } catch (error) {
    notice(whyNoCapture(kind, error), ...(here ? again(kind, stream) : []));
    return false;
  }
  if (here !== before) {
    for (const track of media.getTracks()) track.stop(); // another stream was chosen meanwhile
    return true;
  }
  if (stream !== here) turnTo(stream);
  source?.close();
  stage.play(media);
  media.getVideoTracks()[0].addEventListener("ended", choose);
  source = new Sending(media, {
    stream,
    video: stage.video,
    say: notice,
    taken: () => giveWay(kind, stream),
    forcePictures: new URLSearchParams(location.search).has("pictures"),
  });
  remember(kind, stream);
  return true;
}

/** The label of a button and what it does: send to `stream` again. */
function again(kind, stream) {
  return [`Send the ${kind} again`, () => send(kind, stream)];
}

/** Another source has our stream. Taking it back by ourselves would be a fight without end. */
function giveWay(kind, stream) {
  forget();
  stage.play(null);
  watch(stream);
  notice(TAKEN, ...again(kind, stream));
}

/** Go on with what was sent to `stream` before the page was loaded again. */
async function resume(kind, stream) {
  turnTo(stream);
  remember(kind, stream);
  if (kind === "camera" && reloaded()) {
    if (!(await send(kind, stream))) watch(stream);
    return;
  }
  watch(stream);
  notice(`The ${kind} is no longer sent since the page was loaded anew: browsers want a click for that.`, ...again(kind, stream));
}

function capture(kind) {
  if (!navigator.mediaDevices) throw new Error("insecure");
  const size = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 15 } };
  return kind === "camera"
    ? navigator.mediaDevices.getUserMedia({ video: size, audio: false })
    : navigator.mediaDevices.getDisplayMedia({ video: size, audio: false });
}

function whyNoCapture(kind, error) {
  if (error.message === "insecure") return "Browsers give cameras to https pages and to this machine's own address only.";
  if (error.name === "NotAllowedError") return `The browser was not allowed to use the ${kind}; allow it and try again.`;
  if (error.name === "NotFoundError") return `There is no ${kind} on this machine.`;
  return `The ${kind} cannot be used: ${error.message}`;
}

/** Nothing is watched: there is to be chosen. */
function choose() {
  turnAway();
  board.hide();
  picker.open();
}

/** All cameras at once: none of them alone is watched. */
function showAll() {
  turnAway();
  picker.close();
  board.show();
}

function turnAway() {
  leave();
  chat.detach();
  stage.reset("");
  strip.reset("");
  timeline.reset("");
  $("change").hidden = true;
  watches.at("");
  lookback.at("");
  history.replaceState(null, "", location.pathname + location.search);
  connection("idle");
}

async function begin() {
  const wanted = location.hash.slice(1);
  const page = await enter(({ status, message }) => {
    connection("connecting", status === FORBIDDEN ? undefined : message);
    notice(status === FORBIDDEN ? message : "");
  });
  notice("");
  useRights(page);
  stage.wantedRate = strip.wantedRate = page.sample_rate;
  Pictures.side = page.frame_side;
  $("change").addEventListener("click", choose);
  $("board-open").addEventListener("click", showAll);
  $("board-open").hidden = false;
  watches.begin();
  lookback.begin();
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(wanted) || !(mayDo("watch") || wasSending(wanted))) choose();
  else if (wasSending(wanted)) resume(wasSending(wanted), wanted);
  else watch(wanted);
}

// Another address was typed or pasted, to another stream or with a token: as if it were opened in a new tab.
window.addEventListener("hashchange", () => location.reload());
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the part behind # is the stream's name
  $("question").focus();
});
begin();
