// A dialog with the text of a message to edit. It stays open until the text is saved, so a refusal loses nothing.
// If the user closes it before the answer, the text is kept with its message (D-226).

import { showsNothing } from "../../state/blank.js";
import { MESSAGE, lengthProblem } from "../length.js";
import { trySaving } from "./saving.js";

const dialog = document.querySelector("#editor");
const form = dialog.querySelector("form");
const { content: box } = form.elements;
const problem = dialog.querySelector(".problem");
const submit = dialog.querySelector(".primary");
let shown = null; // the edit on the screen, see askForText()

dialog.querySelector("[data-action=cancel]").addEventListener("click", () => {
  if (!shown.isSending) shown.drop();
  close();
});
dialog.addEventListener("close", () => dialog.open || close()); // for example by Escape
box.addEventListener("input", () => shown.type(box.value));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  problem.textContent = lengthProblem("This message", box.value, MESSAGE);
  if (!problem.textContent && !showsNothing(box.value) && !shown.isSending)
    trySaving(shown, box.value, box.value, screen);
});

const screen = { isShown: (edit) => shown === edit, showSending, tell: (words) => (problem.textContent = words), close };

// An edit has the `text` to begin with, and functions. `type` gets each text, `save` the one to save, and `taken` the
// one that is saved. `drop` forgets the edit. `say` tells of a refusal when another edit is on the screen, or none.
export function askForText(edit) {
  shown = edit;
  box.value = edit.text;
  problem.textContent = "";
  showSending(edit);
  if (!dialog.open) dialog.showModal();
  box.focus();
}

function close() {
  shown = null;
  box.value = "";
  dialog.close();
}

// The text on its way is the text on the screen.
function showSending(edit, isSending = false) {
  edit.isSending = isSending;
  if (shown !== edit) return;
  box.readOnly = isSending;
  submit.ariaDisabled = isSending ? "true" : null;
}

// A text belongs to its chat. It leaves the screen with the chat, and with its user.
export function showEditor({ openChat }, before) {
  if (openChat !== before.openChat) close();
}
