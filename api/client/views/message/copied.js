// Tells for a moment that a text was copied: on the screen, and to screen readers.

const COPIED = "Copied";
const SHOWN = 2_000; // ms

const said = document.querySelector("[data-test=said]");
let timer = null;

export function sayCopied() {
  said.textContent = COPIED;
  clearTimeout(timer);
  timer = setTimeout(() => (said.textContent = ""), SHOWN);
}
