// Video over WebRTC: sends a camera or screen by WHIP, shows any stream by WHEP.

import { call, getJson, unreached } from "./api.js";

const CONNECT_WITHIN = 7000;
const HANG_UP_WITHIN = 5000;
const BUNDLED = { bundlePolicy: "max-bundle" };

/** WebRTC found no path: the caller may try another way. */
export class NoPath extends Error {}

/** A WHIP or WHEP session. `ended` is called once if it breaks after it worked. */
export class Session {
  #peer;
  #location = null;
  #ended;
  #over = false;
  #grace = 0;
  #hangingUp = null;

  /** Whether the service ended it, or has been started anew since; known once it was hung up. */
  forgotten = false;

  /** Whether the offer may have been taken without our hearing of it: nobody can hang up then. */
  unsure = false;

  constructor(ended) {
    this.#peer = new RTCPeerConnection(BUNDLED);
    this.#ended = ended;
  }

  async send(media, stream) {
    for (const track of media.getVideoTracks()) {
      const { sender } = this.#peer.addTransceiver(track, { direction: "sendonly", streams: [media] });
      this.#sharp(sender);
    }
    await this.#exchange(`/whip/${stream}`);
  }

  async watch(stream) {
    const media = new MediaStream();
    this.#peer.addTransceiver("video", { direction: "recvonly" });
    this.#peer.ontrack = ({ track }) => media.addTrack(track);
    await this.#exchange(`/whep/${stream}`);
    return media;
  }

  /**
   * Hang up; safe to call again. `leaving` is for when the page goes away.
   * Tells whether the service has surely let go; where it was not reached, call again.
   */
  close(leaving = false) {
    this.#over = true;
    clearTimeout(this.#grace);
    this.#peer.close();
    this.#hangingUp ??= this.#hangUp(leaving).finally(() => (this.#hangingUp = null));
    return this.#hangingUp;
  }

  async #hangUp(leaving) {
    if (!this.#location) return true;
    const lasting = leaving ? { keepalive: true } : { within: HANG_UP_WITHIN };
    try {
      const response = await call(this.#location, { method: "DELETE", ...lasting });
      this.forgotten = (await response.text().catch(unreached)) !== ""; // it says why it had ended before
    } catch ({ status }) {
      if (!status || status >= 500) return false;
      this.forgotten = status === 404;
    }
    this.#location = null;
    return true;
  }

  async #exchange(path) {
    // Asked for each time: a TURN server's credentials do not last as long as a page stays open.
    const { ice_servers: iceServers } = await getJson("/v1/page");
    this.#peer.setConfiguration({ ...BUNDLED, iceServers });
    await this.#peer.setLocalDescription();
    await this.#gathered();
    const headers = { "Content-Type": "application/sdp" };
    const body = this.#peer.localDescription.sdp;
    const lost = (error) => {
      this.unsure = error.status === 0;
      throw error;
    };
    const response = await call(path, { method: "POST", headers, body }).catch(lost);
    this.#location = `${path}/${response.headers.get("Location").split("/").pop()}`; // below our own path
    const sdp = await response.text().catch(unreached);
    await this.#peer.setRemoteDescription({ type: "answer", sdp });
    await this.#connected();
    this.#peer.onconnectionstatechange = () => this.#watchOver();
    // When the service hangs up the transport says so at once, the connection only seconds later.
    const { transport } = this.#peer.getSenders()[0];
    transport.onstatechange = () => transport.state === "closed" && this.#end();
  }

  #gathered() {
    return new Promise((done) => {
      if (this.#peer.iceGatheringState === "complete") return done();
      this.#peer.addEventListener("icegatheringstatechange", () => {
        if (this.#peer.iceGatheringState === "complete") done();
      });
      setTimeout(done, 2000); // a STUN server that is silent must not hold us up
    });
  }

  #connected() {
    return new Promise((done, fail) => {
      const timer = setTimeout(() => fail(new NoPath()), CONNECT_WITHIN);
      const check = () => {
        const state = this.#peer.connectionState;
        if (state !== "connected" && state !== "failed" && state !== "closed") return;
        clearTimeout(timer);
        this.#peer.removeEventListener("connectionstatechange", check);
        if (state === "connected") done();
        else fail(new NoPath());
      };
      this.#peer.addEventListener("connectionstatechange", check);
      check();
    });
  }

  #watchOver() {
    clearTimeout(this.#grace);
    const state = this.#peer.connectionState;
    if (state === "failed" || state === "closed") this.#end();
    if (state === "disconnected") this.#grace = setTimeout(() => this.#end(), 3000);
  }

  #end() {
    if (this.#over) return;
    this.close();
    this.#ended();
  }

  // Browsers lower the resolution before the frame rate; a memory needs sharp pictures, not many.
  #sharp(sender) {
    const parameters = sender.getParameters();
    parameters.degradationPreference = "maintain-resolution";
    if (parameters.encodings?.[0]) {
      parameters.encodings[0].maxFramerate = 15;
      parameters.encodings[0].maxBitrate = 1_500_000;
    }
    sender.setParameters(parameters).catch(() => {});
  }
}
