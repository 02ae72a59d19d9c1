// Runs before the page's modules and without them. When one of them does not arrive (a network that
// changes while the page loads, a service that is just being started again), none of them runs: then
// the page is loaded anew, a few times by itself, after that when someone presses the button.

{
  const KEY = "flashback.loads";
  const TRIES = 5;
  const PAUSE = 1000;
  const tried = Number(sessionStorage.getItem(KEY) ?? 0);
  let whole = true;

  const broken = () => {
    if (!whole) return; // of what is missing the first is enough
    whole = false;
    if (tried < TRIES) {
      sessionStorage.setItem(KEY, tried + 1);
      setTimeout(() => location.reload(), PAUSE * tried);
      return;
    }
    const show = () => {
      document.getElementById("notice-text").textContent = "A part of the page did not arrive from the service.";
      const button = document.getElementById("notice-act");
      button.textContent = "Load it again";
      button.onclick = () => location.reload();
      button.hidden = document.getElementById("notice").hidden = false;
    };
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", show);
    else show();
  };

  // What does not load is told to the element alone: it does not bubble, so it is caught on its way down.
  const needed = (target) => target instanceof HTMLScriptElement || target.rel === "stylesheet";
  window.addEventListener("error", ({ target }) => needed(target) && broken(), true);
  window.addEventListener("load", () => whole && sessionStorage.removeItem(KEY));
}
