// What others send and watch with in a browser, put into one script by esbuild.
export { WHIPClient as Sender } from "whip-whep/whip.js";
export { WHEPClient as Viewer } from "whip-whep/whep.js";

export const camera = () => navigator.mediaDevices.getUserMedia({ video: true, audio: true });

// The width of what is shown, once there is a picture.
export const shown = (video) =>
  new Promise((seen) => {
    const look = () => (video.videoWidth > 0 ? seen(video.videoWidth) : setTimeout(look, 50));
    look();
  });

export function watched(peer) {
  const video = document.createElement("video");
  video.muted = video.autoplay = true;
  peer.ontrack = ({ track }) => {
    if (track.kind === "video") video.srcObject = new MediaStream([track]);
  };
  return video;
}
