// Tells that a text was copied: on the button for a while, and to screen readers.

const SHOWN = 2_000; // ms

const said = document.querySelector("[data-test=said]");

export function sayCopied(button) {
  const label = button.dataset.label ?? button.textContent;
  button.dataset.label = label;
  button.textContent = said.textContent = "Copied";
  clearTimeout(Number(button.dataset.timer));
  button.dataset.timer = setTimeout(() => {
    button.textContent = label;
    said.textContent = "";
  }, SHOWN);
}
