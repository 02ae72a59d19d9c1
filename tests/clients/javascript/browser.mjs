// What others send and watch with in a browser, put into one script by esbuild.
export { WHIPClient as Sender } from "whip-whep/whip.js";
export { WHEPClient as Viewer } from "whip-whep/whep.js";
export { WHIPClient as EyevinnSender } from "@eyevinn/whip-web-client";
export { WebRTCPlayer as EyevinnPlayer } from "@eyevinn/webrtc-player";
// The reader of MediaMTX's own page, packed by others; the rest of the package wants React.
export { MediaMTXWebRTCReader as MediaMtxReader } from "./node_modules/mediamtx-webrtc-react/src/lib/MediaMTXWebRTCReader.ts";

export const camera = () => navigator.mediaDevices.getUserMedia({ video: true, audio: true });

// The width of what is shown, once there is a picture.
export const shown = (video) =>
  new Promise((seen) => {
    const look = () => (video.videoWidth > 0 ? seen(video.videoWidth) : setTimeout(look, 50));
    look();
  });

export function silentVideo() {
  const video = document.createElement("video");
  video.muted = video.autoplay = true;
  return video;
}

export function watched(peer) {
  const video = silentVideo();
  peer.ontrack = ({ track }) => {
    if (track.kind === "video") video.srcObject = new MediaStream([track]);
  };
  return video;
}
