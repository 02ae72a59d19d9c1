// The page, put together: one stream at a time, its picture, its memory, and a conversation about it.

import { getJson, freshTicket } from "./api.js";
import { Chat } from "./chat.js";
import { enter } from "./door.js";
import { ownName } from "./format.js";
import { Picker } from "./picker.js";
import { Socket } from "./socket.js";
import { Sending, Watching } from "./source.js";
import { Stage } from "./stage.js";
import { Strip } from "./strip.js";

const $ = (id) => document.getElementById(id);
const STATES = { connecting: "connecting", open: "connected", lost: "reconnecting", idle: "ready" };

const showMoment = (moment) => {
  stage.past(moment);
  strip.press(moment.start);
};
const stage = new Stage(() => strip.press(null));
const strip = new Strip(showMoment);
const chat = new Chat({ evidence: (parts) => strip.mark(parts), show: showMoment });
const picker = new Picker({ camera: () => send("camera"), screen: () => send("screen"), watch });

let socket = null;
let source = null;

function connection(state, text = STATES[state]) {
  $("connection").dataset.state = state;
  $("connection").textContent = text;
}

function notice(text) {
  $("notice").hidden = !text;
  $("notice").textContent = text;
}

function leave() {
  source?.close();
  socket?.close();
  source = socket = null;
  notice("");
}

/** Turn to `stream`: its socket, its moments, its conversation. */
function turnTo(stream) {
  leave();
  picker.close();
  stage.reset(stream);
  strip.reset(stream);
  $("change").hidden = false;
  $("stream-name").textContent = stream;
  history.replaceState(null, "", `#${stream}`);
  socket = new Socket(stream);
  const mine = socket;
  socket.addEventListener("state", ({ detail }) => {
    if (mine !== socket) return;
    connection(detail);
    if (detail === "open") recall(stream, mine);
  });
  socket.addEventListener("flashback.stream", ({ detail }) => stage.status(detail.stream));
  socket.addEventListener("flashback.moment", ({ detail }) => {
    strip.add(detail.moment);
    stage.remembered(detail.moment);
  });
  chat.attach(socket, stream);
}

/** Fill the strip with what was remembered before we came, and while we were away. */
async function recall(stream, mine) {
  try {
    await freshTicket();
    const { moments } = await getJson(`/v1/streams/${stream}/moments?limit=600`);
    if (mine !== socket) return;
    for (const moment of moments) strip.add(moment, false);
    if (moments.length) stage.remembered(moments.at(-1));
  } catch {
    // A new stream has no moments yet; they come over the socket.
  }
}

function watch(stream) {
  turnTo(stream);
  source = new Watching(stream, { show: (media) => stage.play(media) });
}

async function send(kind) {
  notice("");
  let media;
  try {
    media = await capture(kind);
  } catch (error) {
    notice(whyNoCapture(kind, error));
    return;
  }
  const stream = ownName(kind);
  turnTo(stream);
  stage.play(media);
  media.getVideoTracks()[0].addEventListener("ended", choose);
  source = new Sending(media, {
    stream,
    video: stage.video,
    socket,
    say: notice,
    forcePictures: new URLSearchParams(location.search).has("pictures"),
  });
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

function choose() {
  leave();
  chat.detach();
  stage.reset("");
  strip.reset("");
  $("change").hidden = true;
  history.replaceState(null, "", location.pathname + location.search);
  connection("idle");
  picker.open();
}

async function begin() {
  const wanted = location.hash.slice(1);
  const page = await enter((reason) => connection("connecting", reason));
  chat.followUps = page.follow_ups;
  $("change").addEventListener("click", choose);
  if (/^[A-Za-z0-9_-]{1,64}$/.test(wanted)) watch(wanted);
  else choose();
}

begin();
