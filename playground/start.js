// Errors, in the page. A classic script: it also runs in a page opened as a file, where modules do not.
"use strict";

/** Show one sentence instead of nothing. */
function showError(sentence) {
  const box = document.querySelector("#error");
  box.textContent = sentence;
  box.hidden = false;
}

addEventListener("DOMContentLoaded", () => {
  if (location.protocol === "file:") {
    showError("A browser does not run this page from a file: start `tinygan play` and open the address that it prints.");
  }
});
// A script of the page that cannot be loaded: such errors are seen on their way down only.
addEventListener("error", ({target, error, message}) => {
  const file = target.src ?? target.href;
  if (location.protocol !== "file:") {
    showError(file ? `${file} cannot be loaded.` : error?.message ?? message);
  }
}, true);
addEventListener("unhandledrejection", ({reason}) => showError(reason?.message ?? String(reason)));
