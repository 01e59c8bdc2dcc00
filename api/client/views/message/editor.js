// A dialog with a text to edit. It stays open until the text is saved, so a refusal loses nothing.

import { MESSAGE, lengthProblem } from "../length.js";

const dialog = document.querySelector("#editor");
const form = dialog.querySelector("form");
const { content: box } = form.elements;
const problem = dialog.querySelector(".problem");
const submit = dialog.querySelector(".primary");
let save = null;

dialog.querySelector("[data-action=cancel]").addEventListener("click", () => dialog.close());
dialog.addEventListener("close", () => (box.value = ""));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  problem.textContent = lengthProblem("This message", box.value, MESSAGE);
  if (problem.textContent) return;
  if (box.value.trim() && !submit.ariaDisabled) trySaving(save, box.value);
});

// `saving` gets the text. If it refuses, the dialog says why.
export function askForText({ title, value, yes }, saving) {
  save = saving;
  dialog.querySelector("h2").textContent = title;
  submit.textContent = yes;
  open(value, "");
}

function open(text, refusal) {
  box.value = text;
  problem.textContent = refusal;
  if (!dialog.open) dialog.showModal();
  box.focus();
}

// The user may close the dialog before the answer. After a refusal it opens again, with the text.
async function trySaving(saving, text) {
  submit.ariaDisabled = "true";
  try {
    await saving(text);
    if (save === saving) dialog.close();
  } catch (refusal) {
    if (save === saving) open(text, refusal.message);
  } finally {
    submit.ariaDisabled = null;
  }
}

// A text belongs to its chat. It goes with the chat, and with its user.
export function showEditor({ openChat }, before) {
  if (openChat === before.openChat) return;
  save = null;
  dialog.close();
}
