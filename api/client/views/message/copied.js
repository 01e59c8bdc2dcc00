// Tells for a moment that a text was copied: on the screen, and to screen readers.

const SHOWN = 2_000; // ms

const said = document.querySelector("[data-test=said]");
let timer = null;

export function sayCopied() {
  said.textContent = "Copied";
  clearTimeout(timer);
  timer = setTimeout(() => (said.textContent = ""), SHOWN);
}
