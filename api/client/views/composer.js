// The box for a new message. Enter sends it, Shift+Enter begins a new line.

const form = document.querySelector("[data-test=composer]");
const box = form.elements.content;
const button = form.querySelector("button");

export function setUpComposer({ send }) {
  box.addEventListener("input", fit);
  box.addEventListener("keydown", (event) => {
    // Enter also ends the composition of a character, for example in Japanese. That must not send the message.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!box.value.trim()) return;
    send(box.value);
    write("");
  });
}

export function write(text) {
  box.value = text;
  fit();
  focus();
}

export function focus() {
  box.focus();
}

function fit() {
  button.disabled = !box.value.trim();
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight}px`;
}
