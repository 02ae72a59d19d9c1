// The token: taken from the address once, or asked for; kept for this tab alone.

import { postJson, Refused, useToken, whenLockedOut } from "./api.js";
import { useRights } from "./rights.js";

const $ = (id) => document.getElementById(id);

/** Return what the page needs to know, once the service is there, warm, and lets us in. */
export async function enter(say) {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    useToken(given);
    history.replaceState(null, "", location.pathname + location.search); // out of the address bar and the history
  }
  whenLockedOut(askForToken);
  for (;;) {
    try {
      return await postJson("/v1/page"); // with POST a browser says where the page is from: that is checked, too
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      say(error);
      await new Promise((done) => setTimeout(done, 1000 * Math.min(5, error.retryAfter || 2)));
    }
  }
}

function askForToken() {
  const door = $("door");
  $("door-wrong").textContent = $("door-token").value ? "That is not its token." : "";
  door.showModal();
  return new Promise((done) => {
    door.oncancel = (event) => event.preventDefault();
    door.onclose = () => {
      useToken($("door-token").value.trim());
      done();
      postJson("/v1/page").then(useRights, () => {}); // it may do more or less than the one before
    };
  });
}
