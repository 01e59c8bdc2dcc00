// The box for a new message. It shows what the user has typed in the open chat. With a keyboard, Enter sends it and
// Shift+Enter begins a new line. On a touch screen Enter begins a new line, and the button sends.

import { showsNothing } from "../state/blank.js";
import { textIn } from "../state/typed.js";
import { MESSAGE, lengthProblem } from "./length.js";

const COMPOSING = 229; // the key code while an input method composes a character, where a browser lacks isComposing

const form = document.querySelector("[data-test=composer]");
const box = form.elements.content;
const button = form.querySelector("button");
const touch = matchMedia("(pointer: coarse)");

export function setUpComposer({ send, type, say }) {
  box.addEventListener("input", () => {
    fit();
    type(box.value);
  });
  box.addEventListener("keydown", (event) => {
    if (!sends(event)) return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const problem = lengthProblem("This message", box.value, MESSAGE);
    if (problem) return say(`${problem} Shorten it or split it.`);
    if (showsNothing(box.value)) return;
    send(box.value);
    write("");
  });
}

// Enter also ends the composition of a character, for example in Japanese. That must not send the message.
function sends({ key, keyCode, shiftKey, isComposing }) {
  return key === "Enter" && !shiftKey && !isComposing && keyCode !== COMPOSING && !touch.matches;
}

export function showTyped(state) {
  const text = textIn(state);
  if (box.value === text) return;
  box.value = text;
  fit();
}

// A box that is not on the screen yet has no height.
export function showComposer(state, before) {
  if (state.session !== before.session) fit();
}

export function write(text) {
  box.value = text;
  box.dispatchEvent(new Event("input"));
  focus();
}

export function focus() {
  box.focus();
}

export function hasFocus() {
  return document.activeElement === box;
}

function fit() {
  button.disabled = showsNothing(box.value);
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight}px`;
}
